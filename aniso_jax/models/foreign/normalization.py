"""What was done to the inputs before the first layer, which many checkpoints do not say."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aniso_jax.models.checkpoint import CheckpointError

_CIFAR, _IMAGENET = (0.4914, 0.4822, 0.4465), (0.485, 0.456, 0.406)

# (x - mean) / std of inputs in [0, 1], by the name that `--normalize` takes.
KINDS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "none": ((0.0,), (1.0,)),
    "cifar10": (_CIFAR, (0.2023, 0.1994, 0.2010)),
    "cifar10-centre": (_CIFAR, (1.0,)),
    "imagenet": (_IMAGENET, (0.229, 0.224, 0.225)),
    "imagenet-centre": (_IMAGENET, (1.0,)),
    "mnist": ((0.1307,), (0.3081,)),
    "plus-minus-one": ((0.5,), (0.5,)),
    "efficientnet-lite": ((127 / 255,), (128 / 255,)),
    "bytes": ((0.0,), (1 / 255,)),
}

# The last word of a tensor's name that says what it is.
_MEANS = ("mean", "means", "mu")
_STDS = ("std", "stds", "sd", "sds", "sigma", "sigmas")
_LOG_STDS = ("log_sig", "log_sigma", "log_std")


@dataclass(frozen=True, kw_only=True)
class Normalization:
    """Mean and std of each channel, what kind that is, and which tensors said so."""

    kind: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    names: tuple[str, ...] = ()


def of_kind(kind: str) -> Normalization:
    """The normalisation of that name.

    >>> of_kind("plus-minus-one").mean
    (0.5,)
    """
    if kind not in KINDS:
        raise CheckpointError(
            f"There is no normalisation {kind!r}; choose one of {', '.join(KINDS)}, or give the "
            "numbers by --mean and --std."
        )
    mean, std = KINDS[kind]
    return Normalization(kind=kind, mean=mean, std=std)


def in_file(tensors: Mapping[str, NDArray[Any]]) -> Normalization | None:
    """The normalisation among tensors that no layer is made of; None if there is none."""
    by_word = {name.rpartition(".")[2]: name for name in tensors}
    mean = next((by_word[word] for word in _MEANS if word in by_word), None)
    if mean is None:
        return None
    std = next((by_word[word] for word in (*_STDS, *_LOG_STDS) if word in by_word), None)
    values = np.ones(1) if std is None else tensors[std].astype(np.float64)
    if std is not None and std.rpartition(".")[2] in _LOG_STDS:
        values = np.exp(values)
    names = (mean,) if std is None else (mean, std)
    kind = "in the file, centred only" if std is None else "in the file"
    return Normalization(kind=kind, mean=_numbers(tensors[mean]), std=_numbers(values), names=names)


def chosen(path: Path, found: Normalization | None, asked: Normalization | None) -> Normalization:
    """The file's normalisation, or what was asked for where the file has none.

    Raises:
        CheckpointError: neither says it, or the two differ.
    """
    if found is None and asked is None:
        raise CheckpointError(
            f"{path} does not hold the normalisation of its inputs, and without it the network is "
            f"another one; give --normalize with one of {', '.join(KINDS)} (cifar10 and imagenet "
            "for the checkpoints of Cohen et al. and SmoothAdv, -centre for input centring), or "
            "--mean and --std."
        )
    if found is None or asked is None:
        return found or asked  # type: ignore[return-value]  # one of the two is there
    if not _same(found, asked):
        raise CheckpointError(
            f"{path} holds mean {found.mean} and std {found.std} in {', '.join(found.names)}, but "
            f"mean {asked.mean} and std {asked.std} were asked for; leave these out."
        )
    return found


def _same(one: Normalization, other: Normalization) -> bool:
    pairs = (one.mean, other.mean), (one.std, other.std)
    fit = all(len(a) == len(b) or 1 in (len(a), len(b)) for a, b in pairs)
    return fit and all(np.allclose(a, b, atol=1e-4) for a, b in pairs)


def _numbers(values: NDArray[Any]) -> tuple[float, ...]:
    """One number a channel, as short as float32 allows."""
    return tuple(float(str(value)) for value in values.ravel().astype(np.float32))
