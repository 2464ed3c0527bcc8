"""Fashion-MNIST from its idx files, as the Debian package `dataset-fashion-mnist` installs them."""

from pathlib import Path

from aniso_jax.data.arrays import from_arrays
from aniso_jax.data.dataset import Dataset, Split
from aniso_jax.data.idx import read_idx, with_channel

FOLDER = Path("/usr/share/datasets/fashion-mnist")
STEMS: dict[Split, str] = {"train": "train", "test": "t10k"}
CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
REMEDY = (
    "install the Debian package dataset-fashion-mnist (apt-get install dataset-fashion-mnist), "
    "or give fashion-mnist:DIR with the folder of the four idx files"
)


def read(folder: Path, split: Split) -> Dataset:
    """60,000 training or 10,000 test images, (N, 28, 28, 1), in the order of the files.

    Raises:
        DataError: a file is missing (the sentence says how to get it), damaged or not idx.
    """
    images = read_idx(_file(folder, f"{STEMS[split]}-images-idx3-ubyte"), remedy=REMEDY)
    labels = read_idx(_file(folder, f"{STEMS[split]}-labels-idx1-ubyte"), remedy=REMEDY)
    return from_arrays(with_channel(images), labels, name="fashion-mnist", classes=CLASSES)


def _file(folder: Path, stem: str) -> Path:
    packed = folder / f"{stem}.gz"
    return packed if packed.exists() else folder / stem
