"""What an actor has to be told, so that it computes the bits that this process would."""

import os
from dataclasses import dataclass
from typing import Any

import jax

_BITS = ("XLA_", "NVIDIA_TF32", "CUBLAS_", "CUDNN_", "TF_", "DNNL_", "ONEDNN_", "LIBTPU_")
_PLAIN = (bool, int, float, str, type(None))


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Of one process, to be had by another.

    Attributes:
      environment: variables that must be there when it starts.
      options: JAX's options, however they were set.
    """

    environment: dict[str, str]
    options: dict[str, Any]

    def apply(self) -> None:
        """Set JAX's options, but for those unknown to its version, before any device is used."""
        there = jax.config.values
        for name, value in self.options.items():
            if there.get(name, value) != value:
                jax.config.update(name, value)


def settings_here() -> Settings:
    """Those of this process.

    The order of a sum may depend on how many threads share it out, so that an actor has as many,
    on whatever machine it is: XLA reads NPROC for that, the host's linear algebra the other.
    """
    own = {name: value for name, value in os.environ.items() if name.startswith(_BITS)}
    threads = {
        "NPROC": str(threads_here()),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", str(_cores_here())),
    }
    values = jax.config.values.items()
    options = {name: value for name, value in values if isinstance(value, _PLAIN)}
    return Settings(environment={**own, **threads}, options=options)


def threads_here() -> int:
    """How many threads XLA shares its work out to on the CPU."""
    return int(os.environ.get("NPROC") or _cores_here())


def _cores_here() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
