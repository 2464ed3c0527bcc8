"""`aniso-jax figures`: what it writes, what it says, what it refuses."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))

from cli_samples import aniso_jax, records_of, write_data, write_network

# the README's tests run the command in every suite; each of its parts takes longer
pytestmark = pytest.mark.slow

PARTS = {
    "concepts": ["2-concepts"],
    "sections": ["3-sections"],
    "changes": ["4-changes"],
    "maps": ["5-maps"],
}
NAMES = [name for names in PARTS.values() for name in names]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A small network and its images, and the figures of them: options and directory."""
    root = tmp_path_factory.mktemp("figures")
    network = write_network(root / "small.safetensors")
    data = write_data(root / "small.npz", network)
    options = ("figures", "--data", f"npz:{data}", "--model", network, "--quick", "--sigma", 0.1)
    options += ("--only", *PARTS, "--out", root / "out")
    assert aniso_jax(*options) == 0
    return options, root / "out"


def captions(out: Path) -> dict:
    return json.loads((out / "captions.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_is_there_with_its_caption(drawn, name) -> None:
    _, out = drawn
    assert (out / f"{name}.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert (out / f"{name}.svg").stat().st_size > 1000
    said = captions(out)[name]
    for fact in ("alpha = 0.001", "n = 200", "seed", "probability at least 0.999"):
        assert fact in said["caption"]
    assert said["alt"].endswith(".") or name == "5-maps"
    page = (out / "figures.html").read_text()
    assert f'src="{name}.png"' in page
    assert said["title"] in page


def test_changes_leave_the_ball_and_stay_in_the_region(drawn) -> None:
    for change in captions(drawn[1])["4-changes"]["numbers"]["changes"]:
        assert change["gauge in the isotropic region"] > 1
        assert change["gauge in the larger region"] < 1
        assert change["SSIM"] < 1


def test_sections_say_where_they_are(drawn) -> None:
    said = captions(drawn[1])["3-sections"]
    assert "14 dimensions by seed 0" in said["caption"]
    bent, flat = said["numbers"]["eigenvalues"], said["numbers"]["curvature along the picks"]
    assert abs(flat[0]) < 1e-6 * abs(bent[0])  # its logits are piecewise linear
    assert list(said["numbers"]["reach"]) == ["ν₁", "ν₂", "ν_d, pick 1"]


def test_a_second_call_keeps_the_runs_and_replaces_the_pictures(drawn) -> None:
    options, out = drawn
    kinds = ("isotropic", "anisotropic", "rotated")
    before = {kind: records_of(out / "runs" / kind) for kind in kinds}
    picture = (out / "5-maps.png").read_bytes()
    (out / "5-maps.png").unlink()
    given = [word for kind in kinds for word in (out / "runs" / kind,)]
    named = [words for words in options if words not in ("concepts", "sections", "changes")]
    assert aniso_jax(*named, "--run", *given) == 0
    assert {kind: records_of(out / "runs" / kind) for kind in kinds} == before
    assert (out / "5-maps.png").read_bytes() == picture


def test_a_ball_that_is_missing_is_sought_beside_a_run_that_is_given(drawn, tmp_path) -> None:
    options, out = drawn
    given = ("--run", out / "runs" / "anisotropic", *options[1:5])
    assert aniso_jax("figures", *given, "--only", "maps", "--quick", "--out", tmp_path) == 0
    assert list(captions(tmp_path)) == ["5-maps"]
    assert records_of(tmp_path / "runs" / "isotropic")


def refused(capsys, *words: object) -> str:
    capsys.readouterr()
    assert aniso_jax("figures", *words) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1, said
    return said


def test_what_is_refused(drawn, tmp_path, capsys) -> None:
    options, out = drawn
    (tmp_path / "file").write_text("")
    assert "is a file: give a directory" in refused(capsys, "--out", tmp_path / "file")
    assert "no directory" in refused(capsys, "--out", tmp_path / "no" / "where")
    run = out / "runs" / "isotropic"
    only = ("--only", "maps", "--model", options[4], "--data", options[2])
    said = refused(capsys, "--out", tmp_path, *only, "--run", run, run)
    assert "give one of each of isotropic" in said
    assert "isotropic run only" in refused(capsys, "--out", tmp_path, *only, "--run", run)
