"""Networks in safetensors files: weights, architecture and where they came from.

A file holds no code. Its one metadata entry, `aniso-jax`, is JSON: the architecture's name and
arguments, and the provenance. The same weights and provenance give the same bytes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from flax import nnx
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_bytes

from aniso_jax.geometry.shown import table
from aniso_jax.models.adapters import split
from aniso_jax.models.independence import ApplyFn, Params
from aniso_jax.models.networks import build
from aniso_jax.models.precision import Precision, lowered
from aniso_jax.models.tensors import fingerprint, flatten, like, not_finite
from aniso_jax.storage.atomic import write_atomically

Tensors = dict[str, NDArray[Any]]

# safetensors writes metadata entries in random order, so there is only one.
_ENTRY = "aniso-jax"
_VERSION = 1
_SHIPPED = {"demo": "mnist_strided_cnn"}


class CheckpointError(ValueError):
    """A file of weights cannot be read or written; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A network read from a file.

    Attributes:
        apply_fn: maps (params, batch) to logits; equal for equal architectures.
        params: nested dicts of float arrays.
        arch, arch_kwargs: what `build` was called with.
        shape: one input's shape.
        classes: the number of logits.
        provenance: what the writer recorded: command, seed, data, versions, metrics.
        fingerprint: SHA-256 in hex over the architecture and every weight.
    """

    apply_fn: ApplyFn
    params: Params
    arch: str
    arch_kwargs: Mapping[str, Any]
    shape: tuple[int, ...]
    classes: int
    provenance: Mapping[str, Any]
    fingerprint: str

    def _repr_html_(self) -> str:
        """Show a table in a notebook."""
        weights = sum(np.size(value) for value in flatten(self.params).values())
        law, sigma = self.provenance.get("law"), self.provenance.get("sigma")
        rows = {
            "inputs": "x".join(map(str, self.shape)),
            "classes": self.classes,
            "weights": f"{weights:,}",
            "trained under": f"{law} noise, sigma {sigma}" if law else "not said",
            "fingerprint": self.fingerprint[:16],
        }
        return table(rows, caption=self.arch)


def save(
    path: str | Path,
    *,
    arch: str,
    arch_kwargs: Mapping[str, Any],
    params: Params,
    provenance: Mapping[str, Any],
) -> None:
    """Write a network to a safetensors file, whole or not at all.

    Args:
        path: replaced if it exists; its directory must exist.
        arch, arch_kwargs: so that `build(arch, **arch_kwargs)` makes the network.
        params: what `from_nnx` returned for it.
        provenance: anything that JSON can say; the same content gives the same bytes.

    Raises:
        CheckpointError: weights that are not finite or not the architecture's; a disk that is full
            or not writable (nothing is left behind).
    """
    tensors = {name: np.asarray(value) for name, value in flatten(params).items()}
    header = {
        "version": _VERSION,
        "arch": arch,
        "arch_kwargs": dict(arch_kwargs),
        "provenance": dict(provenance),
    }
    check_weights(tensors, _network(header, Path(path))[1], Path(path))
    content = to_bytes(tensors, {_ENTRY: json.dumps(header, sort_keys=True)})
    try:
        write_atomically(Path(path), content)
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be written ({error.strerror or error}), nothing is left of it; free "
            "some space, or give another path."
        ) from error


def load(name_or_path: str | Path, *, dtype: Precision = "float32") -> Model:
    """Read a network that `save` wrote.

    Args:
        name_or_path: a file, or `demo`, the network for MNIST that comes with this package.
        dtype: what its layers compute in. With bfloat16 it is another base classifier, with a
            fingerprint of its own.

    Raises:
        CheckpointError: no such file; not safetensors, or damaged; not written by `save`; weights
            whose names or shapes are not the architecture's, or that are not finite.

    >>> model = load("demo")
    >>> model.arch, model.shape, model.classes
    ('strided-cnn', (28, 28, 1), 10)
    """
    path = _resolve(name_or_path)
    header, tensors = _read(path)
    apply_fn, wanted = _network(header, path)
    check_weights(tensors, wanted, path)
    arch, kwargs = header["arch"], header["arch_kwargs"]
    apply_fn, params = lowered(apply_fn, like(wanted, tensors), dtype)
    computed = {name: np.asarray(value) for name, value in flatten(params).items()}
    return Model(
        apply_fn=apply_fn,
        params=params,
        arch=arch,
        arch_kwargs=kwargs,
        shape=tuple(kwargs["shape"]),
        classes=int(kwargs["classes"]),
        provenance=header["provenance"],
        fingerprint=fingerprint(computed, arch=arch, arch_kwargs=kwargs),
    )


def _resolve(name_or_path: str | Path) -> Path:
    """Find the file of a shipped network's name, or the path itself."""
    if str(name_or_path) in _SHIPPED:
        file = f"{_SHIPPED[str(name_or_path)]}.safetensors"
        return Path(str(resources.files("aniso_jax.models") / "weights" / file))
    path = Path(name_or_path)
    if not path.is_file():
        raise CheckpointError(
            f"There is no file {path}; give a file that aniso-jax train wrote, or the name demo."
        )
    return path


def _read(path: Path) -> tuple[dict[str, Any], Tensors]:
    """Read a file's header and tensors."""
    try:
        with safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, TypeError) as error:
        raise CheckpointError(
            f"{path} is not a safetensors file, or is damaged ({error}); copy it again, or give a "
            "file that aniso-jax train wrote."
        ) from error
    return _header(metadata, path), tensors


def _header(metadata: Mapping[str, str], path: Path) -> dict[str, Any]:
    """Parse our metadata entry."""
    try:
        header = json.loads(metadata[_ENTRY])
        known = isinstance(header, dict) and header["version"] == _VERSION
        known = known and {"arch", "arch_kwargs", "provenance"} <= header.keys()
    except (KeyError, json.JSONDecodeError):
        known = False
    if not known:
        raise CheckpointError(
            f"{path} is a safetensors file, but does not say as aniso-jax does which network it is "
            "for; write it with aniso_jax.models.checkpoint.save."
        )
    return dict(header)


def _network(header: Mapping[str, Any], path: Path) -> tuple[ApplyFn, Params]:
    """Make the apply_fn and the abstract weights that a header describes; nothing is computed."""
    try:
        return split(nnx.eval_shape(lambda: build(header["arch"], **header["arch_kwargs"])))
    except (ValueError, TypeError) as error:
        raise CheckpointError(
            f"{path} names a network that cannot be built: {header['arch']} with "
            f"{header['arch_kwargs']} ({error})"
        ) from error


def check_weights(tensors: Mapping[str, NDArray[Any]], wanted: Params, path: Path) -> None:
    """Check names, shapes and dtypes against the architecture, and that all weights are finite."""
    found = {name: f"{value.dtype}{value.shape}" for name, value in tensors.items()}
    expected = {name: f"{value.dtype}{value.shape}" for name, value in flatten(wanted).items()}
    wrong = [
        f"{name} is {found.get(name, 'missing')}, wanted {expected.get(name, 'none')}"
        for name in sorted(found.keys() | expected.keys())
        if found.get(name) != expected.get(name)
    ]
    if wrong:
        raise CheckpointError(f"The weights for {path} do not fit its network: {'; '.join(wrong)}.")
    if bad := not_finite(tensors):
        raise CheckpointError(
            f"The weights for {path} are NaN or infinite in {', '.join(bad)}; train again, with a "
            "smaller learning rate if that is where they came from."
        )
