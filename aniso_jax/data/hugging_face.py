"""Data sets of Hugging Face that are on this machine already; nothing is downloaded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from aniso_jax.data.arrays import from_arrays
from aniso_jax.data.dataset import Dataset, Split
from aniso_jax.data.errors import DataError
from aniso_jax.data.images import MODES, stack

REMEDY = (
    "give hf:NAME of a data set in the local cache (datasets.load_dataset(NAME) puts it there), or "
    "hf:DIR written by its save_to_disk"
)


def read(name: str, split: Split) -> Dataset:
    """The images and labels of a split, (N, H, W, C), in the order that the data set has.

    The image column is the first of images, the labels that of class labels, as the data set
    itself says.

    Args:
        name: what `datasets.load_dataset` takes, a comma before the configuration if it has
            several; or a directory that `save_to_disk` wrote.
        split: "train" or "test".

    Raises:
        DataError: the package is missing; the data set is not on this machine, or has no such
            split, no images or no labels; images of different sizes.
    """
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise DataError(
            f"hf:{name} needs the package datasets: run pip install 'aniso-jax[hf]'"
        ) from error
    table = _table(datasets, name, split)
    picture, label = (_column(table, kind, name) for kind in (datasets.Image, datasets.ClassLabel))
    classes = tuple(table.features[label].names)
    images = stack((f"hf:{name}[{i}]", image) for i, image in enumerate(_pixels(table, picture)))
    labels = np.asarray(table[label], np.int64)
    return from_arrays(images, labels, name=f"hf:{name}", classes=classes)


def _table(datasets: Any, name: str, split: Split) -> Any:
    """One split, from a directory or the cache."""
    path, _, configuration = name.partition(",")
    try:
        if Path(path).is_dir():
            found = datasets.load_from_disk(path)
            return found if isinstance(found, datasets.Dataset) else found[split]
        with _offline(datasets):
            return datasets.load_dataset(path, configuration or None, split=split)
    except Exception as error:  # the package raises whatever its many parts raise
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"hf:{name} has no split {split} here ({cause}): {REMEDY}") from error


@contextmanager
def _offline(datasets: Any) -> Iterator[None]:
    """Keep both packages off the network, on which they would otherwise wait and try again."""
    from huggingface_hub import constants

    switches = (constants, datasets.config)
    before = [switch.HF_HUB_OFFLINE for switch in switches]
    try:
        for switch in switches:
            switch.HF_HUB_OFFLINE = True
        yield
    finally:
        for switch, was in zip(switches, before, strict=True):
            switch.HF_HUB_OFFLINE = was


def _column(table: Any, kind: type, name: str) -> str:
    for column, feature in table.features.items():
        if isinstance(feature, kind):
            return str(column)
    raise DataError(
        f"hf:{name} has no column of {kind.__name__} among {', '.join(table.features)}: {REMEDY}"
    )


def _pixels(table: Any, column: str) -> Iterator[np.ndarray[Any, np.dtype[np.uint8]]]:
    for image in table[column]:
        if image.mode not in MODES:
            raise DataError(f"an image has the colour mode {image.mode}: save it as grey or RGB")
        pixels = np.asarray(image.convert(MODES[image.mode]))
        yield pixels[..., None] if pixels.ndim == 2 else pixels
