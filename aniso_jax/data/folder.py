"""A folder of images, one subfolder for each class."""

from pathlib import Path

import numpy as np

from aniso_jax.data.arrays import from_arrays
from aniso_jax.data.dataset import Dataset
from aniso_jax.data.errors import DataError
from aniso_jax.data.files import existing, read_file
from aniso_jax.data.images import decode, is_image, stack
from aniso_jax.data.order import by_hash

REMEDY = "give folder:DIR with images as DIR/class/name.png"


def read(folder: Path) -> Dataset:
    """The images DIR/class/name.png (or .jpg, .bmp, .webp), (N, H, W, C); it has no split.

    Classes are the subfolders that hold images, sorted by name. Images come in the order of the
    SHA-256 of `class/name`, which mixes the classes and does not depend on the file system.

    Raises:
        DataError: no such folder, no images in it, an unreadable one, or images of different
            sizes.
    """
    files = existing(folder, remedy=REMEDY).glob("*/*")
    names = [path.relative_to(folder).as_posix() for path in files if path.is_file()]
    names = by_hash([name for name in names if is_image(name)])
    if not names:
        raise DataError(f"{folder} holds no images in subfolders: {REMEDY}")
    pixels = stack(
        (name, decode(read_file(folder / name, remedy=REMEDY), str(folder / name)))
        for name in names
    )
    of = [name.split("/")[0] for name in names]
    classes = tuple(sorted(set(of)))
    labels = np.array([classes.index(name) for name in of])
    return from_arrays(pixels, labels, name=f"folder:{folder.resolve().name}", classes=classes)
