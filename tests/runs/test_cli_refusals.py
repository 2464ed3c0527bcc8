"""Bad input: one clear sentence on standard error, exit status 2, and nothing written."""

import io
import re
import tarfile

import jax
import numpy as np
import pytest
from cli_samples import INPUTS, SHAPE, aniso_jax, records_of, tree
from safetensors import safe_open
from safetensors.numpy import save_file

import aniso_jax as aj
from aniso_jax.data.ids import input_id


@pytest.fixture
def refused(tmp_path, capsys):
    """Runs a command that must be refused; returns its one sentence."""

    def run(*words: object) -> str:
        before = tree(tmp_path)
        capsys.readouterr()
        status = aniso_jax(*words)
        said = capsys.readouterr()
        assert status == 2
        assert said.err.startswith("aniso-jax: ")
        assert said.err.count("\n") == 1, said.err
        for noise in ("Traceback", "[Errno", "Error(", "None cannot"):
            assert noise not in said.err
        assert tree(tmp_path) == before
        return said.err

    return run


@pytest.fixture
def certify(refused, asked, plan, tmp_path):
    """Like `refused`, for `certify` with some options changed."""

    def run(*changes: object) -> str:
        return refused("certify", *asked(), *plan, "--out", tmp_path / "run", *changes)

    return run


def images(**changes) -> dict[str, np.ndarray]:
    x = np.full((INPUTS, *SHAPE), 0.5, np.float32)
    return {"x": x, "y": np.zeros(INPUTS, np.int64)} | changes


def spoilt(value: float) -> dict[str, np.ndarray]:
    arrays = images()
    arrays["x"][2, 1, 0, 0] = value
    return arrays


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        (spoilt(1.5), r"x\[2, 1, 0, 0\] is 1.5: values must lie in \[0, 1\]"),
        (spoilt(-0.1), r"x\[2, 1, 0, 0\] is -0.1.*: values must lie in \[0, 1\]"),
        (spoilt(np.nan), r"x\[2, 1, 0, 0\] is nan: every value must be finite"),
        (spoilt(np.inf), r"is inf: every value must be finite"),
        (images(y=np.full(INPUTS, -1)), r"y\[0\] is -1: labels of 1 classes"),
        (images(y=np.full(INPUTS, 10**9)), r"y holds the label 1000000000: labels are the numbers"),
        (images(y=np.full(INPUTS, 7)), r"has 8 classes, the network only 3"),
        (images(y=np.zeros(3, int)), r"y has shape \(3,\): give y with one label for each"),
        (images(y=np.full(INPUTS, 0.5)), r"labels are integers"),
        (images(x=np.zeros((0, *SHAPE))), r"the data set is empty"),
        (images(x=np.zeros((INPUTS, 5, 4, 1))), r"have shape \(5, 4, 1\), the network wants \(4,"),
        (images(x=np.zeros((INPUTS, 16))), r"have shape \(16,\), the network wants \(4, 4, 1\)"),
        (images(x=np.zeros((INPUTS, *SHAPE), int)), r"x has dtype int64: give uint8"),
        (images(x=np.array([{}, {}])), r"holds pickled objects, .* and is refused"),
        ({"images": np.zeros(3)}, r"holds no array 'x'"),
    ],
)
def test_data_in_a_file(certify, tmp_path, arrays, said):
    np.savez(tmp_path / "d.npz", **arrays)
    assert re.search(said, certify("--data", f"npz:{tmp_path / 'd.npz'}"))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("imagenet", "there is no data set 'imagenet': give one of mnist5k, digits,"),
        ("npz:", "needs a path"),
        ("npz:nowhere.npz", "there is no nowhere.npz"),
        ("mnist5k:here", "takes no path"),
        ("idx:one", "names 1 files"),
    ],
)
def test_data_by_name(certify, spec, said):
    assert said in certify("--data", spec)


def test_an_archive_with_a_path_outside_itself(certify, tmp_path):
    with tarfile.open(tmp_path / "images.tar.xz", "w:xz") as archive:
        member = tarfile.TarInfo("../../outside.jpg")
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
    said = certify("--data", f"cifar10-jpeg:{tmp_path / 'images.tar.xz'}")
    assert "'../../outside.jpg', outside itself, and is refused" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--n", 3), "n = 3 draws can never certify at alpha = 0.01.*; take n >= 7"),
        (("--n", 0), r"n .*at least 1|n .*0"),
        (("--n0", 0), "n0"),
        (("--alpha", 0), "alpha"),
        (("--alpha", 1.5), "alpha"),
        (("--alpha", 0.9, "--simultaneous"), "alpha must be at most 1/2"),
        (("--alpha", "nan"), "alpha"),
        (("--start", 20), "select none of the 20 inputs"),
        (("--limit", 0), "select none of the 20 inputs"),
        (("--skip", 0), "skip is 0: give at least 1"),
        (("--start", -1), "start is -1: give at least 0"),
        (("--model", "nowhere.safetensors"), "There is no file nowhere.safetensors; give a file"),
        (("--scale", "ellipse"), "neither fixed, isotropic, anisotropic nor a file that is there"),
    ],
)
def test_options(certify, options, said):
    assert re.search(said, certify(*options))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--sigma", 0), "--sigma must be finite and positive, got 0.0"),
        (("--sigma", -1), "--sigma must be finite and positive, got -1.0"),
        (("--sigma", "nan"), "--sigma must be finite and positive, got nan"),
        (("--sigma", "inf"), "--sigma must be finite and positive, got inf"),
        (("--batch", 0), "--batch must be at least 1, got 0"),
        (("--chunk", -5), "--chunk must be at least 1, got -5"),
        (("--seed", -1), "--seed must be at least 0 and below 2**32, got -1"),
        (("--seed", 2**32), "below 2**32, got 4294967296"),
        (("--n", 2**24 + 1), "--n must be at most 2**24 = 16777216 draws, got 16777217"),
        (("--n0", 10**9), "--n0 must be at most 2**24 = 16777216 draws, got 1000000000"),
        (("--looks", 100, 2**25), "--looks must be at most 2**24 = 16777216 draws"),
        (("--law", "cauchy"), "invalid choice 'cauchy'"),
        (("--scael", "fixed"), "Unrecognized options"),
    ],
)
def test_options_that_no_run_can_have(asked, plan, tmp_path, capsys, options, said):
    words = ("certify", *asked(), *plan, "--out", tmp_path / "run", *options)
    assert aniso_jax(*words) == 2
    printed = capsys.readouterr().err
    assert said in re.sub(r"[\s│]+", " ", printed)
    assert "Traceback" not in printed
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("command", ["demo", "predict"])
@pytest.mark.parametrize(("option", "value"), [("--seed", 2**32), ("--n", 2**24 + 1)])
def test_seeds_and_draws_of_the_other_commands(asked, tmp_path, capsys, command, option, value):
    words = asked() if command == "predict" else ("--out", tmp_path / "demo")
    assert aniso_jax(command, *words, option, value) == 2
    assert f"{option} must be at" in capsys.readouterr().err
    assert tree(tmp_path) == {}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            MemoryError("Unable to allocate 9 TiB"),
            "Memory ran out (Unable to allocate 9 TiB)",
        ),
        (MemoryError(), "Memory ran out (MemoryError); give a smaller --batch"),
        (OverflowError("int too large"), "A number is too large to compute with (int too large)"),
    ],
)
def test_what_is_too_much_for_the_machine(refused, asked, monkeypatch, error, said):
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("aniso_jax.commands.work.predict_run", fail)
    assert said in refused("predict", *asked())


def rewritten(network, path, **changes):
    """The file of a network with other tensors or other metadata."""
    with safe_open(network, framework="np") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(tensors | changes.get("tensors", {}), path, changes.get("metadata", metadata))
    return path


def test_checkpoints(certify, network, tmp_path):
    whole = network.read_bytes()
    path = tmp_path / "n.safetensors"
    path.write_bytes(whole[: len(whole) // 2])
    assert "n.safetensors is not a safetensors file, or is damaged" in certify("--model", path)
    path.write_bytes(b"")
    assert "is damaged" in certify("--model", path)
    rewritten(network, path, metadata={"format": "pt"})
    assert "does not say as aniso-jax does which network" in certify("--model", path)
    rewritten(network, path, tensors={"logits.bias": np.full(3, np.nan, np.float32)})
    assert "are NaN or infinite in logits.bias" in certify("--model", path)
    rewritten(network, path, tensors={"logits.bias": np.zeros(4, np.float32)})
    assert "do not fit its network: logits.bias is float32(4,)" in certify("--model", path)
    assert "There is no file" in certify("--model", tmp_path)


@pytest.mark.parametrize(
    ("theta", "said"),
    [
        (np.ones((4, 4)), r"theta of .* has shape \(4, 4\), the inputs want \(4, 4, 1\)"),
        (np.full(SHAPE, np.nan), "must be floating, finite and positive everywhere"),
        (np.zeros(SHAPE), "must be floating, finite and positive everywhere"),
        (np.full(SHAPE, 1e-60), "must be floating, finite and positive everywhere"),
        (np.full(SHAPE, 1e60), "must be floating, finite and positive everywhere"),
        (np.ones(SHAPE, int), "must be floating, finite and positive everywhere"),
        (np.array([{}]), r"is not a scale file \(it is no array of numbers\): give one theta as"),
    ],
)
def test_one_theta(certify, tmp_path, theta, said):
    np.save(tmp_path / "t.npy", theta)
    assert re.search(said, certify("--scale", tmp_path / "t.npy"))


@pytest.fixture
def thetas(tmp_path, data):
    """Writes a scale file of one theta per input, with some arrays changed."""

    def write(**changes):
        x = np.load(data)["x"]
        ids = np.array([input_id(row) for row in x])
        whole = {"ids": ids, "theta": np.ones(x.shape), "sigma": np.ones(len(x)), "law": "gaussian"}
        np.savez(tmp_path / "t.npz", **whole | changes)
        return tmp_path / "t.npz"

    return write


def test_thetas_for_each_input(certify, thetas, tmp_path):
    assert "was optimised for the uniform law, you asked for gaussian" in certify(
        "--scale", thetas(law="uniform")
    )
    few = {"ids": np.array(["0" * 16]), "theta": np.ones((1, *SHAPE)), "sigma": np.ones(1)}
    assert "has no scale for 20 of the 20 inputs (the first is input 0)" in certify(
        "--scale", thetas(**few)
    )
    wrong = np.ones((3, *SHAPE))
    assert "has shape (3, 4, 4, 1), the inputs want (20, 4, 4, 1)" in certify(
        "--scale", thetas(theta=wrong)
    )
    assert "The sigma of" in certify("--scale", thetas(sigma=np.full(INPUTS, np.nan)))
    (tmp_path / "t.npz").write_bytes(b"PK not really")
    assert "is not a scale file" in certify("--scale", tmp_path / "t.npz")
    np.savez(tmp_path / "t.npz", theta=np.ones(3))
    assert "is not a scale file" in certify("--scale", tmp_path / "t.npz")


def test_a_directory_that_holds_other_things(certify, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("x")
    assert "is not empty and no run (it holds thesis.tex" in certify()


def test_an_out_that_is_a_file(certify, tmp_path):
    (tmp_path / "run").write_text("x")
    assert "run is a file; a run needs a directory: choose another --out" in certify()


def test_an_out_below_a_file(certify, refused, tmp_path, asked):
    (tmp_path / "file").write_text("x")
    out = tmp_path / "file" / "run"
    assert f"{out} cannot be used (not a directory)" in certify("--out", out)
    assert "file/l2-fixed cannot be used" in refused("demo", "--out", tmp_path / "file")
    words = ("optimize", *asked("gaussian", "isotropic"), "--out", out.with_suffix(".npz"))
    assert "has no directory" in refused(*words)


def test_optimize(refused, asked, tmp_path):
    out = tmp_path / "t.npz"
    assert "needs no search: give --scale isotropic" in refused("optimize", *asked(), "--out", out)
    sought = asked("gaussian", "isotropic")
    assert "must end in .npz" in refused("optimize", *sought, "--out", tmp_path / "t.npy")
    out.write_text("mine")
    assert "t.npz is there: choose another name, or give --overwrite" in refused(
        "optimize", *sought, "--out", out
    )


def test_predict_and_train(refused, asked, data, tmp_path):
    assert "n" in refused("predict", *asked(), "--n", 3, "--alpha", 0.001)
    out = tmp_path / "n.safetensors"
    train = ("train", "--data", f"npz:{data}", "--out", out)
    assert "is not a network that we have" in refused(*train, "--arch", "resnet")
    assert "give a smaller batch" in refused(*train, "--arch", "mlp", "--batch", 100)
    assert "there is no data set" in refused("train", "--data", "imagenet", "--out", out)


def test_a_demo_never_replaces_a_report_of_others(refused, tmp_path):
    (tmp_path / "report.html").write_text("mine")
    assert "report.html exists and is no demo's" in refused("demo", "--out", tmp_path)


def test_report_and_export(refused, certified, tmp_path):
    run, page = certified("gaussian", "fixed"), tmp_path / "r.html"
    assert "nowhere cannot be used (no such file" in refused("report", tmp_path / "nowhere")
    assert "at least one run, got none" in refused("report", "--out", page)
    (tmp_path / "x.tsv").write_bytes(b"\xff\xfe\x00")
    assert "is no tab-separated text" in refused("report", tmp_path / "x.tsv", "--out", page)
    (tmp_path / "x.tsv").write_text("a\tb\n1\t2\n")
    assert "no column 'idx'" in refused("report", tmp_path / "x.tsv", "--out", page)
    page.write_text("mine")
    assert "r.html exists; choose another name" in refused("report", run, "--out", page)
    assert "exists; choose another name" in refused("export", run, "--out", page)
    assert "is not a folder" in refused("export", run, "--out", tmp_path / "no" / "t.tsv")
    assert "is no run: it has no run.json" in refused("export", tmp_path, "--out", tmp_path / "t")


def test_an_unfinished_run_is_named(refused, certified, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    for name in ("run.json", "part-00000.parquet"):
        (run / name).write_bytes((certified("gaussian", "fixed") / name).read_bytes())
    said = refused("export", run, "--out", tmp_path / "t.tsv")
    assert "holds 16 of its 20 inputs; run the same command again to finish it" in said
    assert aniso_jax("export", run, "--out", tmp_path / "t.tsv", "--partial") == 0


def fill(path):
    with path.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(4096))


def test_a_full_disk(refused, certified, asked, plan, small_disk, capsys):
    (small_disk / "ballast").write_bytes(bytes(240_000))
    words = ("certify", *asked(), *plan, "--out", small_disk / "run")
    assert aniso_jax(*words) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert re.search("disk is full: 0 of 20 inputs are done and kept .* after freeing some", said)
    assert sorted(path.name for path in (small_disk / "run").glob("*.parquet")) == []
    assert not list(small_disk.rglob("*.tmp"))
    fill(small_disk / "more")
    run = certified("gaussian", "fixed")
    assert "disk is full: no room for" in refused("export", run, "--out", small_disk / "t.tsv")
    for ballast in ("ballast", "more"):
        (small_disk / ballast).unlink()
    assert aniso_jax(*words) == 0
    assert records_of(small_disk / "run") == records_of(run)


def test_integers_are_refused_by_the_pure_functions():
    plan = aj.plan(aj.gaussian, n=100)
    with pytest.raises(ValueError, match=r"uint8.*(float|/ ?255)"):
        aj.certify(
            lambda w, batch: batch @ w,
            np.eye(2, dtype=np.float32),
            np.array([0, 255], np.uint8),
            jax.random.key(0),
            law=aj.gaussian,
            scale=aj.Isotropic(sigma=0.5),
            plan=plan,
        )
