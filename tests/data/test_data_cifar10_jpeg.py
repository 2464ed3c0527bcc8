"""CIFAR-10 (JPEG): the archive, its order, and the archives that are refused."""

import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from aniso_jax.data.cifar10 import CLASSES
from aniso_jax.data.errors import DataError
from aniso_jax.data.load import load


def jpeg(seed, size=(8, 8)):
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    raw = io.BytesIO()
    Image.fromarray(pixels).save(raw, "JPEG")
    return raw.getvalue()


FILES = {
    f"test/{name}/{i:04d}.jpg": jpeg(i + 10 * k) for k, name in enumerate(CLASSES) for i in range(4)
}


def write_tar(path, files, *extra, mode="w:xz"):
    with tarfile.open(path, mode) as archive:
        for name, raw in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(raw)
            archive.addfile(member, io.BytesIO(raw))
        for member in extra:
            archive.addfile(member)
    return f"cifar10-jpeg:{path}"


@pytest.fixture
def tar(tmp_path):
    return tmp_path / "a.tar.xz"


def test_jpeg_archive(tar):
    data = load(write_tar(tar, FILES))
    assert (data.name, data.classes) == ("CIFAR-10 (JPEG)", CLASSES)
    assert (data.x.shape, data.levels) == ((40, 8, 8, 3), 255)
    assert np.bincount(data.y).tolist() == [4] * 10
    first = by_content(data)
    for name, raw in FILES.items():
        pixels = np.asarray(Image.open(io.BytesIO(raw)))
        assert first[bytes(pixels)] == name.split("/")[1]


def by_content(data):
    pixels = np.rint(data.x * 255).astype(np.uint8)
    return {bytes(p): data.classes[k] for p, k in zip(pixels, data.y, strict=True)}


def test_order_of_the_archive_does_not_matter_and_prefixes_and_strides_are_mixed(tmp_path):
    one = load(write_tar(tmp_path / "a.tar.xz", FILES))
    folder = tarfile.TarInfo("test/")
    folder.type = tarfile.DIRTYPE
    other = load(write_tar(tmp_path / "b.tar", dict(reversed(FILES.items())), folder, mode="w"))
    dotted = {f"./{name}": raw for name, raw in FILES.items()}
    third = load(write_tar(tmp_path / "c.tar.gz", dotted, mode="w:gz"))
    assert one.fingerprint == other.fingerprint == third.fingerprint
    assert len(set(one.y[:10])) >= 5 and len(set(one.y[::10])) >= 2


def test_the_wrong_archive_is_named(tar):
    with pytest.raises(DataError, match="archive of the split 'test'; give cifar10-jpeg:DIR"):
        load(write_tar(tar, FILES), split="train")
    with pytest.raises(DataError, match=r"holds no images test/class/name.jpg: give cifar10-jpeg"):
        load(write_tar(tar, {"notes.txt": b"a"}))
    with pytest.raises(
        DataError, match=r"holds lynx/0.jpg, not class/name.jpg of a CIFAR-10 class"
    ):
        load(write_tar(tar, {**FILES, "test/lynx/0.jpg": jpeg(0)}))
    with pytest.raises(DataError, match="bring all images to one size"):
        load(write_tar(tar, {**FILES, "test/cat/9.jpg": jpeg(0, (9, 9))}))
    with pytest.raises(DataError, match=r"cat/9.jpg is damaged or not an image"):
        load(write_tar(tar, {**FILES, "test/cat/9.jpg": jpeg(0)[:200]}))


def test_a_folder_holds_an_archive_of_each_split(tmp_path):
    write_tar(tmp_path / "a-test.tar.xz", FILES)
    trained = {name.replace("test/", "train/"): raw for name, raw in FILES.items() if "cat" in name}
    write_tar(tmp_path / "a-train.tar.xz", trained)
    sizes = [len(load(f"cifar10-jpeg:{tmp_path}", split=split)) for split in ("train", "test")]
    assert sizes == [4, 40]
    write_tar(tmp_path / "b-test.tar.gz", FILES, mode="w:gz")
    with pytest.raises(DataError, match=r"holds 2 archives \*-test.tar.\*: give cifar10-jpeg:DIR"):
        load(f"cifar10-jpeg:{tmp_path}")


@pytest.mark.parametrize(
    "name", ["/etc/cat/0.jpg", "../cat/0.jpg", "test/../../a.jpg", "C:\\a", "..\\a"]
)
def test_paths_outside_the_archive_are_refused(tar, name):
    with pytest.raises(DataError, match="outside itself, and is refused"):
        load(write_tar(tar, {**FILES, name: jpeg(0)}))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_refused(tar, kind):
    link = tarfile.TarInfo("test/cat/link.jpg")
    link.type, link.linkname = kind, "/etc/passwd"
    with pytest.raises(DataError, match=r"link.jpg', a link or device, and is refused"):
        load(write_tar(tar, FILES, link))


def test_damaged_archives(tmp_path):
    spec = write_tar(tmp_path / "a.tar.xz", FILES)
    raw = (tmp_path / "a.tar.xz").read_bytes()
    for broken in (raw[: len(raw) // 2], raw[:-10], raw[:5000] + b"\0" * 50 + raw[5050:]):
        (tmp_path / "a.tar.xz").write_bytes(broken)
        with pytest.raises(DataError, match="is damaged or truncated"):
            load(spec)
    (tmp_path / "a.tar.xz").write_bytes(b"no archive at all" * 100)
    with pytest.raises(DataError, match="is damaged or not a tar archive"):
        load(spec)


def test_an_uncompressed_archive_that_ends_early_or_has_a_bad_header(tmp_path):
    spec = write_tar(tmp_path / "a.tar", FILES, mode="w")
    raw = (tmp_path / "a.tar").read_bytes()
    header = raw.index(b"test/cat/0002.jpg")
    for broken in (
        raw[:header],
        raw[: header + 100],
        raw[:header] + b"X" * 512 + raw[header + 512 :],
    ):
        (tmp_path / "a.tar").write_bytes(broken)
        with pytest.raises(DataError, match="is damaged"):
            load(spec)
