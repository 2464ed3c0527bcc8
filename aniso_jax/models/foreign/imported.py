"""`import_checkpoint`: a foreign file as a network of ours, ready to certify."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flax import nnx

from aniso_jax.models import checkpoint
from aniso_jax.models.adapters import split
from aniso_jax.models.checkpoint import CheckpointError, Model
from aniso_jax.models.foreign.importing import Converted, convert
from aniso_jax.models.foreign.normalization import Normalization, of_kind
from aniso_jax.models.foreign.onnx_files import read_onnx
from aniso_jax.models.foreign.read import read
from aniso_jax.models.networks import build
from aniso_jax.models.tensors import fingerprint, like


def import_checkpoint(
    path: str | Path,
    *,
    arch: str,
    normalize: str | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    shape: Sequence[int] | None = None,
    entry: str | None = None,
    without: Sequence[str] = (),
) -> Model:
    """Read a network of torch, safetensors or ONNX; needs no torch and runs nothing in the file.

    Prefixes of the names (DataParallel, a Sequential of normalisation and network) are taken off,
    batch norms are folded, and every tensor is accounted for. Write it by `save_model`.

    Args:
        path: a file of torch.save (zip, or the formats before 2020), .safetensors, or .onnx.
        arch: resnet18, resnet20, resnet110, resnet50, wrn-40-2, efficientnet-lite0 or mlp;
            sequential for .onnx.
        normalize: what the network does to inputs in [0, 1] first, where the file does not say:
            cifar10, imagenet, cifar10-centre, imagenet-centre, plus-minus-one, none, ...
        mean, std: the same by numbers, one for each channel or one for all.
        shape: an input's shape (H, W, C); by default what the network was published for.
        entry: the entry of the checkpoint that holds the weights, where there are several.
        without: tensors to leave out, by the beginning of their names.

    Returns:
        The network; its `provenance` says where it came from, and how it is normalised.

    Raises:
        CheckpointError: no such file, damaged, with code in it, another architecture (the names
            missing and not used are listed), or a normalisation that nobody said.
    """
    file, asked = Path(path), _asked(normalize, mean, std)
    if file.suffix == ".onnx":
        if arch != "sequential":
            raise CheckpointError(f"{file} is imported layer by layer; give --arch sequential.")
        return _model(read_onnx(file, asked=asked), _came_from(file, "onnx", ""))
    if arch == "sequential":
        raise CheckpointError(f"{file} has no list of its layers; --arch sequential wants .onnx.")
    foreign = read(file, entry=entry)
    made = convert(foreign, file, arch=arch, asked=asked, shape=shape, without=without)
    return _model(made, _came_from(file, foreign.format, foreign.entry))


def _asked(
    kind: str | None, mean: Sequence[float] | None, std: Sequence[float] | None
) -> Normalization | None:
    if mean is None and std is None:
        return None if kind is None else of_kind(kind)
    if kind is not None:
        raise CheckpointError(f"--normalize {kind} has its numbers; leave --mean and --std out.")
    return Normalization(
        kind="by numbers",
        mean=tuple(map(float, mean or (0.0,))),
        std=tuple(map(float, std or (1.0,))),
    )


def _came_from(path: Path, kind: str, entry: str) -> dict[str, Any]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"file": path.name, "sha256": digest, "format": kind, "entry": entry}


def _model(made: Converted, origin: Mapping[str, Any]) -> Model:
    """Build the network, and check every weight against it."""
    arch, kwargs = made.arch, made.arch_kwargs
    apply_fn, wanted = split(nnx.eval_shape(lambda: build(arch, **kwargs)))
    checkpoint.check_weights(made.tensors, wanted, Path(origin["file"]))
    how = made.normalization
    provenance = {
        **origin,
        "normalization": {"kind": how.kind, "mean": list(how.mean), "std": list(how.std)},
        "left_out": list(made.left_out),
        "notes": list(made.notes),
    }
    return Model(
        apply_fn=apply_fn,
        params=like(wanted, made.tensors),
        arch=arch,
        arch_kwargs=kwargs,
        shape=tuple(kwargs["shape"]),
        classes=int(kwargs["classes"]),
        provenance={"imported": provenance},
        fingerprint=fingerprint(made.tensors, arch=arch, arch_kwargs=kwargs),
    )
