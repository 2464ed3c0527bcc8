"""`import-checkpoint` and `check` on the command line; what was imported is certified."""

import json
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from foreign_samples import Arrays, Call, Global, write_legacy, write_zip

import aniso_jax as aj
from aniso_jax import cli

SHAPE = (4, 4, 1)
COMMON = ("--arch", "mlp", "--normalize", "mnist", "--shape", "4", "4", "1")


def state(prefix: str = "1.module.") -> Arrays:
    rng = np.random.default_rng(2)
    sizes = {"0": (8, 16), "2": (3, 8)}
    made = {f"{prefix}{i}.weight": 2 * rng.standard_normal(s) for i, s in sizes.items()}
    made |= {f"{prefix}{i}.bias": np.zeros(s[0]) for i, s in sizes.items()}
    return {name: value.astype("<f4") for name, value in made.items()}


def run(*words: object) -> int:
    try:
        cli.main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def data(path: Path, model: Any) -> Path:
    """Images labelled by the network itself, all but the last of ten."""
    x = np.random.default_rng(1).random((10, *SHAPE), np.float32)
    y = np.asarray(model.apply_fn(model.params, jnp.asarray(x))).argmax(-1)
    y[-1] = (y[-1] + 1) % 3
    np.savez(path, x=x, y=y)
    return path


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A checkpoint, data, and where the network goes."""
    checkpoint = write_legacy(tmp_path / "net.pth.tar", {"arch": "mlp", "state_dict": state()})
    model = aj.import_checkpoint(checkpoint, arch="mlp", normalize="mnist", shape=SHAPE)
    return checkpoint, data(tmp_path / "data.npz", model), tmp_path / "m.safetensors"


def test_import_check_certify(files, tmp_path, capsys):
    checkpoint, images, out = files
    words = ("import-checkpoint", checkpoint, *COMMON, "--out", out, "--check", f"npz:{images}")
    assert run(*words) == 0
    said = capsys.readouterr().out
    assert "net.pth.tar (torch legacy, entry state_dict) is a mlp for 4x4x1 inputs" in said
    assert "Normalisation: mnist, mean [0.1307], std [0.3081]." in said
    assert "Check: 9 of 10 answers are right (90.0 %)." in said
    model = aj.load_model(out)
    assert model.provenance["check"]["right"] == 9
    assert json.loads(json.dumps(dict(model.provenance))) == model.provenance
    assert run("check", "--model", out, "--data", f"npz:{images}") == 0
    assert "9 of 10 answers are right (90.0 %)." in capsys.readouterr().out
    certified = ("certify", "--model", out, "--data", f"npz:{images}", "--out", tmp_path / "run")
    assert run(*certified, "--n", 64, "--limit", 3) == 0
    assert len(aj.load_run(tmp_path / "run")) == 3


def test_an_accuracy_that_guessing_reaches_is_said(files, capsys):
    checkpoint, images, out = files
    wrong = write_zip(images.parent / "wrong", {k: -v for k, v in state().items()})
    words = ("import-checkpoint", wrong, *COMMON, "--out", out, "--check", f"npz:{images}")
    assert run(*words) == 0
    assert "no more than guessing reaches: look at the normalisation" in capsys.readouterr().out
    assert checkpoint.exists()


def test_noise_in_the_check(files, capsys):
    checkpoint, images, out = files
    assert run("import-checkpoint", checkpoint, *COMMON, "--out", out) == 0
    for sigma in (0.01, 0.01, 50):
        assert run("check", "--model", out, "--data", f"npz:{images}", "--sigma", sigma) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "answers" in line]
    assert lines[0] == lines[1] != lines[2]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--arch", "mlp"), "does not hold the normalisation"),
        (("--arch", "resnet20", "--normalize", "none"), "does not fit resnet20"),
        ((*COMMON, "--check", "digits"), "the network wants (4, 4, 1)"),
        ((*COMMON, "--check", "npz:none"), "there is no none"),
        ((*COMMON, "--entry", "weights"), "'weights' is not one of them"),
    ],
)
def test_refused_and_nothing_written(words, says, files, capsys):
    checkpoint, _, out = files
    assert run("import-checkpoint", checkpoint, *words, "--out", out) == 2
    said = capsys.readouterr().err
    assert says in said and said.startswith("aniso-jax: ") and said.count("\n") == 1
    assert not out.exists()


def test_code_and_truncation_are_one_sentence(files, capsys):
    checkpoint, images, out = files
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[: len(whole) // 2])
    assert run("import-checkpoint", checkpoint, *COMMON, "--out", out) == 2
    assert "damaged or truncated" in capsys.readouterr().err
    witness = images.parent / "ran"
    bad = {"state_dict": state(), "x": Call(Global("os", "mkdir"), (str(witness),))}
    write_zip(checkpoint, bad)
    assert run("import-checkpoint", checkpoint, *COMMON, "--out", out) == 2
    assert "asks for os.mkdir, and running what a file names is refused" in capsys.readouterr().err
    assert not witness.exists() and not out.exists()


def test_a_file_that_is_there_stays(files, capsys):
    checkpoint, _, out = files
    out.write_text("mine")
    assert run("import-checkpoint", checkpoint, *COMMON, "--out", out) == 2
    assert "or --overwrite" in capsys.readouterr().err and out.read_text() == "mine"
    assert run("import-checkpoint", checkpoint, *COMMON, "--out", out, "--overwrite") == 0
    assert aj.load_model(out).classes == 3
