"""What a comparison is about: a network with its weights on both sides, and the inputs."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from numpy.typing import NDArray
from pipelines.convert import to_torch
from pipelines.peer_process import Peer

import aniso_jax as aj
from aniso_jax.models.adapters import from_nnx
from aniso_jax.models.checkpoint import Model
from aniso_jax.models.networks import build
from aniso_jax.models.tensors import fingerprint, flatten
from aniso_jax.training.config import TrainConfig
from aniso_jax.training.train import train

RANDOM_SHAPE, RANDOM_CLASSES = (32, 32, 3), 10


def network_of(name: str, weights: Path | None, data: str, law: Any, config: Any) -> Model:
    """The network, read from a file, trained into it, or with random weights.

    Raises:
      ValueError: the file holds another network.
    """
    arch = name.removesuffix("-7x7")
    if weights is None:
        return _random(arch, data, {"stem": "7x7"} if arch != name else {})
    if not weights.is_file():
        print(f"Training {arch} on {data} into {weights}.")
        options = {"law": law, "sigma": config.sigma, "epochs": config.epochs}
        train(TrainConfig(data=data, out=weights, arch=arch, **options), on_epoch=_say)
    model = aj.load_model(weights)
    if model.arch != arch:
        raise ValueError(f"{weights} holds a {model.arch}, not a {arch}: give another file.")
    return model


def subjects_of(
    data: str, count: int, model: Model
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The first test inputs and their labels; random images have the label 0."""
    if data == "random":
        rng = np.random.default_rng(0)
        return rng.random((count, *model.shape), np.float32), np.zeros(count, np.int64)
    test = aj.load_data(data)
    if len(test) < count:
        raise ValueError(f"{data} has {len(test)} test inputs, {count} were asked for.")
    return test.x[:count], test.y[:count]


def setup_peer(peer: Peer, model: Model, config: Any) -> dict[str, Any]:
    """Give the peer the same weights; returns its versions."""
    network, state = to_torch(model, folded=config.peer_folded)
    options = {"threads": config.threads, "device": config.device, "seed": 0}
    norm = "l2" if config.law == "gaussian" else "l1"
    versions, _ = peer.ask("setup", state, network=network, norm=norm, **options)
    return versions


def logits_difference(peer: Peer, model: Model, x: NDArray[np.float32]) -> float:
    """The largest difference of the two sides' logits, on inputs with and without noise."""
    noise = np.random.default_rng(1).standard_normal((4, *x.shape[1:])).astype(np.float32)
    rows = np.concatenate([x[:4], x[:1] + 0.5 * noise])
    _, theirs = peer.ask("logits", {"x": rows})
    ours = jax.jit(model.apply_fn)(model.params, jnp.asarray(rows))
    return float(np.max(np.abs(np.asarray(ours) - theirs["logits"])))


def _random(arch: str, data: str, kwargs: dict[str, Any]) -> Model:
    shape, classes = RANDOM_SHAPE, RANDOM_CLASSES
    if data != "random":
        test = aj.load_data(data)
        shape, classes = test.shape, len(test.classes)
    kwargs = {"shape": list(shape), "classes": classes, **kwargs}
    net = build(arch, **kwargs, rngs=nnx.Rngs(0))
    apply_fn, params = from_nnx(net, example=jnp.zeros(shape))
    tensors = {name: np.asarray(value) for name, value in flatten(params).items()}
    return Model(
        apply_fn=apply_fn,
        params=params,
        arch=arch,
        arch_kwargs=kwargs,
        shape=tuple(shape),
        classes=classes,
        provenance={"weights": "random, seed 0"},
        fingerprint=fingerprint(tensors, arch=arch, arch_kwargs=kwargs),
    )


def _say(metrics: Any) -> None:
    print(f"epoch {metrics.epoch}/{metrics.epochs}: noisy accuracy {metrics.noisy_accuracy:.3f}")
