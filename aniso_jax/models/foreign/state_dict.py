"""Finds the tensors of a network in what a checkpoint holds."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aniso_jax.models.checkpoint import CheckpointError
from aniso_jax.models.foreign.plans import TensorPlan

# What training scripts call the entry with the weights, most explicit first.
USUAL = (
    "state_dict",
    "model_state_dict",
    "model_state",
    "model_param",
    "model",
    "net",
    "network",
    "weights",
    "params",
)


def find(content: Any, path: Path, entry: str | None = None) -> tuple[dict[str, TensorPlan], str]:
    """The tensors by name, and the entry that they were in ("" for the whole file).

    Args:
        content: what the pickle held.
        path: for the error.
        entry: which one to take where there are several.

    Raises:
        CheckpointError: there is none, or several and none has a usual name; they are listed.
    """
    found = dict(_dicts(content))
    if entry is not None:
        usual: tuple[str, ...] = (entry,)
    else:
        usual = (*USUAL, *(found if len(found) == 1 else ("",)))
    for name in usual:
        if name in found:
            return _tensors(found[name]), name
    entries = ", ".join(repr(name) for name in found) or "none"
    wanted = f"{entry!r} is not one of them" if entry else "give one by --entry"
    raise CheckpointError(
        f"{path} holds tensors by name in these entries: {entries}; "
        + (wanted if found else "give a file with model.state_dict().")
    )


def _dicts(content: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every dict with names and tensors, to three levels."""
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        return
    if any(isinstance(value, TensorPlan) for value in content.values()):
        yield name, content
    if depth < 2:
        for key, value in content.items():
            yield from _dicts(value, f"{name}.{key}" if name else key, depth + 1)


def _tensors(entries: Mapping[str, Any]) -> dict[str, TensorPlan]:
    return {name: plan for name, plan in entries.items() if isinstance(plan, TensorPlan)}
