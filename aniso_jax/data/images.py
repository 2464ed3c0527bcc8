"""Encoded images (PNG, JPEG and the like) as arrays."""

import io
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from aniso_jax.data.errors import DataError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
# Pillow's modes that are 8-bit without loss; others would be clipped or lose their alpha.
MODES = {"L": "L", "1": "L", "RGB": "RGB", "P": "RGB"}


def is_image(name: str) -> bool:
    """Whether the file name is one of an image that the readers take."""
    return name.lower().endswith(SUFFIXES) and not name.rpartition("/")[2].startswith(".")


def decode(raw: bytes, name: str) -> NDArray[np.uint8]:
    """The image in `raw`, (H, W, C) with C = 1 for grey and 3 for colour.

    Raises:
        DataError: Pillow is missing or cannot read the image, or it is not 8-bit grey or RGB.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise DataError(
            f"{name} is an image, and reading it needs pillow: run pip install 'aniso-jax[cli]'"
        ) from error
    try:
        with Image.open(io.BytesIO(raw)) as image:
            mode = image.mode
            pixels = np.asarray(image.convert(MODES[mode])) if mode in MODES else None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{name} is damaged or not an image: get it again") from error
    if pixels is None:
        raise DataError(f"{name} has the colour mode {mode}: save it as 8-bit grey or RGB")
    return pixels[..., None] if pixels.ndim == 2 else pixels


def stack(images: Iterable[tuple[str, NDArray[np.uint8]]]) -> NDArray[np.uint8]:
    """(name, image) pairs as one array (N, H, W, C).

    Raises:
        DataError: two images of different shapes; both are named.
    """
    named = list(images)
    first_name, first = named[0]
    for name, image in named:
        if image.shape != first.shape:
            raise DataError(
                f"{name} is {_size(image)} and {first_name} is {_size(first)}: "
                "bring all images to one size and one kind (grey or RGB)"
            )
    return np.stack([image for _, image in named])


def _size(image: NDArray[np.uint8]) -> str:
    return "x".join(str(length) for length in image.shape)
