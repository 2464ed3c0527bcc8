"""The Ray cluster: reached at its address, or started here and shut down; the actors it holds."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from aniso_jax.runs.on_ray.settings import threads_here

_TRIES = 3
_PATIENCE, _MOST = 5.0, 90.0  # seconds for a port to answer, and for a cluster
_QUIETLY = {"log_to_driver": False, "logging_level": "error"}
_CONNECT = f"import sys, ray; ray.init(sys.argv[1], **{_QUIETLY!r})"


@dataclass(frozen=True, kw_only=True)
class Places:
    """So many actors, and what Ray sets aside for each."""

    count: int
    share: dict[str, int]


def prepare(address: str) -> None:
    """Refuse what can be refused before anything is read.

    Args:
      address: of a cluster; "" where one is to be started.

    Raises:
      ValueError: ray is not installed or at work in this process, or nobody answers.
    """
    ray = ray_module()
    if ray.is_initialized():
        raise ValueError("This process is on a Ray cluster already: call ray.shutdown() first.")
    # this process only looks at the network: it leaves the accelerator's memory to the actors
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    if address:
        _check_port(address)
        _check_cluster(address)


@contextlib.contextmanager
def connected(address: str) -> Iterator[ModuleType]:
    """Ray, on the cluster at an address; on one of this machine, while the block runs, for "".

    Raises:
      RuntimeError: it does not start here, or is gone from there.
    """
    ray = ray_module()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that JAX's threads are there when it forks
            _connect(ray, address)
        yield ray
    finally:
        ray.shutdown()


def places_of(ray: ModuleType, asked: int | None, *, platform: str) -> Places:
    """One actor a GPU, or one for as many cores as this process has threads; or `asked` actors.

    Raises:
      ValueError: the cluster has fewer.
    """
    if platform not in ("gpu", "cpu"):
        raise ValueError(f"--engine ray serves GPUs and CPUs, not {platform}: use --shard.")
    kind = platform.upper()
    nodes = [int(node["Resources"].get(kind, 0)) for node in ray.nodes() if node["Alive"]]
    least = 1 if kind == "GPU" else min(threads_here(), max(nodes))
    count = asked or sum(node // least for node in nodes if least)
    if not 0 < count <= sum(nodes):
        raise ValueError(
            f"--engine ray wants {count or 1} {kind}s, one an actor, and the cluster has "
            f"{sum(nodes)}: give fewer --actors, or add machines."
        )
    if kind == "GPU":
        return Places(count=count, share={"num_gpus": 1})
    return Places(count=count, share={"num_cpus": cores_each(nodes, count)})


def cores_each(nodes: list[int], count: int) -> int:
    """The most cores that each of `count` actors can have on nodes of so many cores.

    >>> cores_each([6, 6], 2), cores_each([6, 6], 3), cores_each([2], 2)
    (6, 3, 1)
    """
    return max(k for k in range(1, max(nodes) + 1) if sum(node // k for node in nodes) >= count)


def ray_module() -> ModuleType:
    """Ray itself, which loads here alone.

    Raises:
      ValueError: it is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise ValueError(
            "--engine ray needs ray, which is not installed: pip install 'aniso-jax[ray]'"
        ) from error
    module: ModuleType = ray
    return module


def _connect(ray: ModuleType, address: str) -> None:
    """Tried again: Ray gives its own processes half a minute to start, whatever else goes on."""
    own = {} if address else {"include_dashboard": False}
    before = signal.getsignal(signal.SIGTERM)
    for tries_left in reversed(range(_TRIES)):
        try:
            ray.init(address or "local", **own, **_QUIETLY)
            _hear_sigterm_by(before)
            return
        except SystemExit as stop:
            if stop.code != signal.SIGTERM:
                raise
            raise KeyboardInterrupt from stop  # what Ray makes of a SIGTERM while it starts
        except Exception as error:  # Ray has no kind of its own for it
            ray.shutdown()
            if not tries_left:
                where = f"at {address}" if address else "here"
                raise RuntimeError(
                    f"Ray does not start {where} ({error}): run the same command again when the "
                    "machine is less busy, or without --engine ray."
                ) from error


def _hear_sigterm_by(handler: Any) -> None:
    """As before: Ray's own way to be told is to print a stack and abort."""
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)


def _check_port(address: str) -> None:
    if address == "auto":
        return
    try:
        parsed = urlsplit(f"//{address}")
        socket.create_connection((parsed.hostname, parsed.port), _PATIENCE).close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _unreachable(address, reason.lower()) from error


def _check_cluster(address: str) -> None:
    """In a process of its own, since Ray may end the process that finds no cluster."""
    command: list[Any] = [sys.executable, "-c", _CONNECT, address]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_MOST)
    except subprocess.TimeoutExpired as error:
        raise _unreachable(address, f"nothing within {_MOST:.0f} s") from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        errors = [line for line in said if "Error" in line]
        raise _unreachable(address, (errors or said or [f"exit status {done.returncode}"])[-1])


def _unreachable(address: str, reason: str) -> ValueError:
    return ValueError(
        f"--engine ray:{address}: no Ray cluster answers there ({reason}); start one by ray start "
        "--head, set RAY_AUTH_MODE=token for one that asks for a token, or give --engine ray for "
        "one on this machine."
    )
