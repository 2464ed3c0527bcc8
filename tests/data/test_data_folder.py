"""The reader of image folders."""

import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from aniso_jax.data.errors import DataError
from aniso_jax.data.load import load


def save_image(path, mode="RGB", size=(3, 2), seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    depth = (3,) if mode == "RGB" else ()
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], *depth), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


def test_folder_reads_every_image_with_the_class_of_its_subfolder(tmp_path):
    saved = {
        (name, i): save_image(tmp_path / "set" / name / f"{i}.png", seed=seed)
        for seed, (name, i) in enumerate((n, i) for n in ("dog", "cat") for i in range(4))
    }
    (tmp_path / "set" / "README.txt").write_text("not an image")
    (tmp_path / "set" / "cat" / "notes.txt").write_text("not an image")
    data = load(f"folder:{tmp_path / 'set'}")
    assert (data.name, data.classes, data.x.shape) == ("folder:set", ("cat", "dog"), (8, 2, 3, 3))
    assert data.levels == 255
    read = {
        (data.classes[k], bytes(np.rint(x * 255).astype(np.uint8)))
        for x, k in zip(data.x, data.y, strict=True)
    }
    assert read == {(name, bytes(pixels)) for (name, _), pixels in saved.items()}
    assert data.fingerprint == load(f"folder:{tmp_path / 'set'}").fingerprint


def test_folder_of_grey_images_has_one_channel(tmp_path):
    pixels = save_image(tmp_path / "a" / "0.png", mode="L")
    data = load(f"folder:{tmp_path}")
    np.testing.assert_array_equal(np.rint(data.x[0, ..., 0] * 255), pixels)


def test_folders_that_are_refused(tmp_path):
    with pytest.raises(DataError, match="holds no images in subfolders: give folder:DIR"):
        load(f"folder:{tmp_path}")
    save_image(tmp_path / "a" / "0.png")
    save_image(tmp_path / "b" / "1.png", size=(4, 4))
    with pytest.raises(DataError, match=r"is (4x4x3|2x3x3) and .* is (4x4x3|2x3x3): bring all"):
        load(f"folder:{tmp_path}")
    save_image(tmp_path / "b" / "1.png", mode="L")
    with pytest.raises(DataError, match="one size and one kind"):
        load(f"folder:{tmp_path}")
    Image.new("RGBA", (3, 2)).save(tmp_path / "b" / "1.png")
    with pytest.raises(DataError, match=r"1.png has the colour mode RGBA: save it as 8-bit"):
        load(f"folder:{tmp_path}")
    (tmp_path / "b" / "1.png").write_bytes((tmp_path / "a" / "0.png").read_bytes()[:40])
    with pytest.raises(DataError, match=r"1.png is damaged or not an image"):
        load(f"folder:{tmp_path}")


def test_images_without_pillow_say_how_to_install_it(tmp_path, monkeypatch):
    save_image(tmp_path / "a" / "0.png")
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(DataError, match=r"needs pillow: run pip install 'aniso-jax\[cli\]'"):
        load(f"folder:{tmp_path}")


def test_readers_leave_no_warning_and_no_file(tmp_path):
    save_image(tmp_path / "a" / "0.png")
    before = sorted(tmp_path.rglob("*"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(f"folder:{tmp_path}")
        load("toy2d")
    assert sorted(tmp_path.rglob("*")) == before
