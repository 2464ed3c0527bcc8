"""Whether two processes compute the same bits: what they run on, and what the network answers."""

import hashlib
from importlib.metadata import version

import numpy as np

from aniso_jax.runs.compiled import processor
from aniso_jax.runs.engine import Engine
from aniso_jax.runs.on_ray.settings import settings_here
from aniso_jax.runs.sizes import block_logits

Facts = dict[str, str]

_PACKAGES = ("aniso-jax", "jax", "jaxlib", "flax", "numpy", "scipy")
_SAID = 3  # differences at most: one often has others behind it


def facts_of(engine: Engine) -> Facts:
    """What the bits of records may depend on, besides a run's configuration."""
    device = engine.layout.mesh.devices.flat[0]
    settings = settings_here()
    return {
        **{name: version(name) for name in _PACKAGES},
        "device": device.device_kind,
        "driver": device.client.platform_version,
        "processor": processor() if device.platform == "cpu" else "any",
        **settings.environment,
        **{name: str(value) for name, value in settings.options.items()},
        "logits": _logits(engine),
    }


def check_alike(here: Facts, there: Facts, *, host: str) -> None:
    """Refuse an actor whose records could have other bits.

    >>> check_alike({"device": "NVIDIA H100"}, {"device": "cpu"}, host="node-2")
    Traceback (most recent call last):
    ...
    ValueError: An actor on node-2 could compute other bits (device: it has cpu, this process has \
NVIDIA H100): let all machines of the cluster be of one kind, with the same versions.
    """
    odd = [
        f"{name}: it has {there.get(name, 'none')}, this process has {here.get(name, 'none')}"
        for name in {**here, **there}
        if there.get(name) != here.get(name)
    ]
    if odd:
        raise ValueError(
            f"An actor on {host} could compute other bits ({'; '.join(odd[:_SAID])}): let all "
            "machines of the cluster be of one kind, with the same versions."
        )


def _logits(engine: Engine) -> str:
    """Hash of what the network answers to noise."""
    x = engine.inputs.data.x[engine.inputs.indices[0]]
    logits = np.asarray(block_logits(engine.model, x))
    return hashlib.sha256(logits.tobytes()).hexdigest()[:16]
