"""A foreign checkpoint into a file of ours, checked on data before it is written."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import jax
from tyro.conf import Positional, arg

from aniso_jax.models import checkpoint
from aniso_jax.models.checkpoint import Model
from aniso_jax.models.foreign.imported import import_checkpoint
from aniso_jax.runs.check import Answers, count_right
from aniso_jax.runs.inputs import read_inputs
from aniso_jax.runs.selection_config import Selection

_Numbers = Annotated[
    tuple[float, ...] | None,
    arg(metavar="FLOAT [FLOAT ...]", help_behavior_hint="(default: as --normalize says)"),
]
_Shape = Annotated[
    tuple[int, ...] | None,
    arg(metavar="INT [INT ...]", help_behavior_hint="(default: as the network was published)"),
]
_Kind = Annotated[str | None, arg(metavar="KIND", help_behavior_hint="(default: as the file says)")]
_Entry = Annotated[str | None, arg(metavar="NAME", help_behavior_hint="(default: the usual one)")]
_Data = Annotated[str | None, arg(metavar="DATA", help_behavior_hint="(default: no check)")]


@dataclass(frozen=True, kw_only=True)
class ImportCheckpoint:
    """Read a network of torch (zip, or older), safetensors or ONNX; runs nothing that is in it."""

    file: Positional[Path]
    """The checkpoint: .pth, .pth.tar, .pt, .ckpt, .safetensors, .onnx."""

    arch: str
    """resnet18, resnet20, resnet110, resnet50, wrn-40-2, efficientnet-lite0 or mlp; sequential for
    .onnx."""

    out: Path
    """The safetensors file to write, for --model."""

    normalize: _Kind = None
    """What the network does to inputs in [0, 1] first, where the file does not say: cifar10,
    imagenet, cifar10-centre, imagenet-centre, mnist, plus-minus-one, efficientnet-lite, bytes,
    none."""

    mean: _Numbers = None
    """The same by numbers: what is subtracted, one for each channel or one for all."""

    std: _Numbers = None
    """And what is divided by."""

    shape: _Shape = None
    """An input's shape: rows, columns, channels."""

    entry: _Entry = None
    """The entry of the checkpoint that holds the weights, where there are several."""

    without: tuple[str, ...] = ()
    """Tensors to leave out, by the beginning of their names."""

    check: _Data = None
    """Count the right answers on these data first, by name or path as for certify --data."""

    split: Literal["train", "test"] = "test"
    """Which split of them."""

    limit: int = 1000
    """At most so many of them."""

    overwrite: bool = False
    """Replace a file that is there."""

    def __post_init__(self) -> None:
        if self.limit < 1:
            raise ValueError(f"--limit must be at least 1, got {self.limit}.")


def import_run(config: ImportCheckpoint) -> tuple[Model, Answers | None]:
    """Import, check, and write; nothing is written where something is wrong.

    Raises:
        ValueError: what `import_checkpoint` refuses (a CheckpointError); data that are not there or
            not of the network's shape; a file that is there already, or cannot be written.
    """
    if config.out.exists() and not config.overwrite:
        raise ValueError(f"{config.out} exists; give another --out, or --overwrite.")
    model = import_checkpoint(
        config.file,
        arch=config.arch,
        normalize=config.normalize,
        mean=config.mean,
        std=config.std,
        shape=config.shape,
        entry=config.entry,
        without=config.without,
    )
    found = None
    if config.check is not None:
        model, found = _checked(model, config.check, config)
    checkpoint.save(
        config.out,
        arch=model.arch,
        arch_kwargs=model.arch_kwargs,
        params=model.params,
        provenance=model.provenance,
    )
    return model, found


def _checked(model: Model, data: str, config: ImportCheckpoint) -> tuple[Model, Answers]:
    """The network with its right answers in its provenance, and these."""
    inputs = read_inputs(Selection(data=data, split=config.split, limit=config.limit))
    found = count_right(model, inputs)
    record: dict[str, Any] = {
        "data": inputs.data.name,
        "fingerprint": inputs.data.fingerprint,
        "inputs": found.inputs,
        "right": found.right,
    }
    return replace(model, provenance={**model.provenance, "check": record}), found


def lines(model: Model, found: Answers | None) -> Iterator[str]:
    """What was imported, one sentence a line."""
    told = model.provenance["imported"]
    weights = sum(leaf.size for leaf in jax.tree.leaves(model.params))
    side = "x".join(map(str, model.shape))
    where = f", entry {told['entry']}" if told["entry"] else ""
    yield (
        f"{told['file']} ({told['format']}{where}) is a {model.arch} for {side} inputs and "
        f"{model.classes} classes, with {weights:,} weights."
    )
    how = told["normalization"]
    yield f"Normalisation: {how['kind']}, mean {how['mean']}, std {how['std']}."
    if told["left_out"]:
        yield f"Left out: {', '.join(told['left_out'])}."
    yield from (f"Note: {note}." for note in told["notes"])
    if found is not None:
        yield f"Check: {found.line()}"
