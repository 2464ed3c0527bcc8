"""A checkpoint of torch or safetensors as one of our networks, everything in it accounted for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aniso_jax.models.checkpoint import CheckpointError
from aniso_jax.models.foreign.families import FAMILIES, Family, fitting, without_prefix
from aniso_jax.models.foreign.normalization import Normalization, chosen, in_file
from aniso_jax.models.foreign.places import Layout, Tensors, converted, joined
from aniso_jax.models.foreign.read import Foreign


@dataclass(frozen=True, kw_only=True)
class Converted:
    """A foreign network in our terms.

    Attributes:
        arch, arch_kwargs: what `build` makes the network with.
        tensors: our weights, flat.
        normalization: what the first layer does.
        notes: what a reader should know, one sentence each.
        left_out: tensors of the file that were left out, as was asked for.
    """

    arch: str
    arch_kwargs: dict[str, Any]
    tensors: dict[str, NDArray[np.float32]]
    normalization: Normalization
    notes: tuple[str, ...]
    left_out: tuple[str, ...] = ()


def convert(
    foreign: Foreign,
    path: Path,
    *,
    arch: str,
    asked: Normalization | None,
    shape: Sequence[int] | None = None,
    without: Sequence[str] = (),
) -> Converted:
    """Turn a file's tensors into the weights of one of our networks.

    Every tensor must be used, be the normalisation, or be left out by `without`.

    Args:
        foreign: what `read` returned.
        path: for the error.
        arch: the network's name.
        asked: the normalisation, where the file has none.
        shape: an input's shape (H, W, C); by default what the network was published for.
        without: tensors to leave out, by name or the beginning of it.

    Raises:
        CheckpointError: an architecture that is not imported, or that the names do not fit (those
            missing and those not used are listed); a normalisation that nobody said.
    """
    family = _family(arch)
    kept = {k: v for k, v in foreign.tensors.items() if not k.startswith(tuple(without))}
    own, prefix = without_prefix(arch, kept)
    layout = family.layout(own, None if shape is None else tuple(shape))
    rest = {name: own[name] for name in own.keys() - layout.names}
    found = in_file(rest)
    _account(path, arch, layout, kept, own, found)
    normalization = chosen(path, found, asked)
    try:
        kwargs = _arguments(family, layout, own, normalization, shape)
        tensors = converted(layout, own)
    except (ValueError, IndexError) as error:
        raise CheckpointError(
            f"{path} has the names of {arch}, but shapes that do not go together ({error}); give "
            "the network's own --arch."
        ) from error
    notes = [f"the names begin with {prefix!r}"] if prefix else []
    return Converted(
        arch=arch,
        arch_kwargs=kwargs,
        tensors=tensors,
        normalization=normalization,
        left_out=tuple(sorted(foreign.tensors.keys() - kept.keys())),
        notes=(*notes, *layout.notes),
    )


def _family(arch: str) -> Family:
    if arch not in FAMILIES:
        raise CheckpointError(
            f"arch {arch!r} is not imported from checkpoints of torch; choose one of "
            f"{', '.join(FAMILIES)}, or write other plain networks as ONNX and give the .onnx file."
        )
    return FAMILIES[arch]


def _account(
    path: Path,
    arch: str,
    layout: Layout,
    kept: Tensors,
    own: Tensors,
    found: Normalization | None,
) -> None:
    """Refuse a network of which something is missing, or that something is left of."""
    missing = layout.names - own.keys()
    known = layout.names | set(found.names if found else ())
    unused = {n for n in own.keys() - known if not n.endswith("num_batches_tracked")}
    if not missing and not unused:
        return
    parts = [f"missing: {joined(missing)}"] if missing else []
    parts += [f"not used: {joined(unused)}"] if unused else []
    others = [other for other in fitting(kept) if other != arch]
    remedy = "give the network's own --arch"
    if others:
        remedy = f"its names are those of {others[0]}, give --arch {others[0]}"
    elif not missing:
        remedy += ", or leave those out by --without"
    raise CheckpointError(f"{path} does not fit {arch} ({'; '.join(parts)}); {remedy}.")


def _arguments(
    family: Family,
    layout: Layout,
    own: Tensors,
    normalization: Normalization,
    shape: Sequence[int] | None,
) -> dict[str, Any]:
    """What `build` makes the network with: read off the tensors, and the shape that was given."""
    if family.side is None:
        default = [int(own[f"{layout.places[0].theirs}.weight"].shape[1])]
    else:
        default = [family.side, family.side, int(own[family.first].shape[1])]
    return {
        "shape": list(shape) if shape is not None else default,
        "classes": len(own[f"{layout.places[-1].theirs}.weight"]),
        **family.arguments(own),
        "mean": list(normalization.mean),
        "std": list(normalization.std),
    }
