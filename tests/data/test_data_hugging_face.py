"""`hf:NAME`: data sets of Hugging Face from a directory or the cache, never from the network."""

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aniso_jax.data.errors import DataError
from aniso_jax.data.load import load

PIXELS = np.random.default_rng(0).integers(0, 256, (6, 5, 4, 3), np.uint8)
LABELS = [0, 1, 2, 2, 1, 0]


@pytest.fixture
def datasets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    return pytest.importorskip("datasets", reason="datasets is an extra: aniso-jax[hf]")


def table(datasets: Any, pixels: Any = PIXELS, **columns: Any) -> Any:
    from PIL import Image

    features = {
        "number": datasets.Value("int64"),
        "img": datasets.Image(),
        "label": datasets.ClassLabel(names=["cat", "dog", "eel"]),
    }
    content = {
        "number": list(range(len(pixels))),
        "img": [Image.fromarray(one) for one in pixels],
        "label": LABELS[: len(pixels)],
    }
    kept = columns.get("keep", tuple(features))
    return datasets.Dataset.from_dict(
        {name: content[name] for name in kept},
        features=datasets.Features({name: features[name] for name in kept}),
    )


def test_a_directory_with_splits(datasets: Any, tmp_path: Path) -> None:
    both = datasets.DatasetDict(train=table(datasets), test=table(datasets, PIXELS[:2]))
    both.save_to_disk(str(tmp_path / "pets"))
    test, train = (load(f"hf:{tmp_path}/pets", split=split) for split in ("test", "train"))
    np.testing.assert_array_equal(train.x, (PIXELS / 255).astype(np.float32))
    assert (train.y.tolist(), train.classes, train.levels) == (LABELS, ("cat", "dog", "eel"), 255)
    assert (len(test), test.fingerprint == train.fingerprint) == (2, False)
    with pytest.raises(DataError, match=r"has no split test here"):
        datasets.DatasetDict(train=table(datasets)).save_to_disk(str(tmp_path / "one"))
        load(f"hf:{tmp_path}/one", split="test")


def test_a_directory_without_splits_and_grey_images(datasets: Any, tmp_path: Path) -> None:
    table(datasets, PIXELS[..., 0]).save_to_disk(str(tmp_path / "grey"))
    found = load(f"hf:{tmp_path}/grey")
    np.testing.assert_array_equal(found.x[..., 0], (PIXELS[..., 0] / 255).astype(np.float32))


def test_what_is_not_here_is_refused(
    datasets: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *where, **_: asked.append(where))
    before = datasets.config.HF_HUB_OFFLINE
    with pytest.raises(DataError, match=r"hf:somebody/pets has no split test here \(.*local cache"):
        load("hf:somebody/pets")
    for kept, missing in ((("number", "label"), "Image"), (("img", "number"), "ClassLabel")):
        path = tmp_path / missing
        table(datasets, keep=kept).save_to_disk(str(path))
        with pytest.raises(DataError, match=f"has no column of {missing} among"):
            load(f"hf:{path}")
    assert not asked and before == datasets.config.HF_HUB_OFFLINE


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(DataError, match=r"pip install 'aniso-jax\[hf\]'"):
        load("hf:cifar10")
