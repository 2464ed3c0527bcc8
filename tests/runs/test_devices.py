"""Whatever the mesh of devices: the same bytes."""

import re

import pytest
from cli_samples import aniso_jax, records_of, start
from quick import ENVIRONMENT

from aniso_jax.records.directory import read_experiment
from aniso_jax.records.sidecar import read_timings
from aniso_jax.runs.devices import mesh_of

EIGHT = "--xla_force_host_platform_device_count=8"
LOOKS = ("--looks", 64, 100, 300, "--target", 0.1)


def run_on(meshes, words, root, **environment: str) -> dict[str, dict[str, bytes]]:
    """The records of a run on each mesh, all in one process with eight devices."""
    each = [[*map(str, words), "--devices", mesh, "--out", str(root / mesh)] for mesh in meshes]
    code = "from aniso_jax.cli import main\n" + "".join(f"main({words!r})\n" for words in each[1:])
    flags = f"{environment.get('XLA_FLAGS', '')} {EIGHT}"
    process = start(*each[0], code=code, **{**environment, "XLA_FLAGS": flags})
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    for mesh in meshes:
        devices = {entry["devices"] for entry in read_timings(root / mesh).values()}
        assert devices == {mesh if "x" in mesh else "8x1"}
    return {mesh: records_of(root / mesh) for mesh in meshes}


def test_a_mesh_changes_no_byte(asked, plan, tmp_path):
    words = ("certify", *asked(), *plan, *LOOKS)
    assert aniso_jax(*words, "--out", tmp_path / "one") == 0
    found = run_on(["4x2"], words, tmp_path, **ENVIRONMENT)
    assert found["4x2"] == records_of(tmp_path / "one")
    one = read_experiment(tmp_path / "one")
    assert (one.batch is None) == (one.chunk is None)  # JAX 0.12: logits that depend on sizes


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), LOOKS, ("--shared-draws",)], ids=lambda o: " ".join(o[:1]))
@pytest.mark.parametrize("kind", ["fixed", "isotropic"])
def test_no_mesh_changes_a_byte(asked, plan, tmp_path, kind, options):
    """As it is compiled for users; the searches too, whose bits the record promises."""
    words = ("certify", *asked(scale=kind), *plan, *options)
    meshes = ("1x1", "8x1", "4x2", "1x8", "2x2", "all")
    found = run_on(meshes, words, tmp_path)
    assert len({tuple(sorted(records.items())) for records in found.values()}) == 1


@pytest.mark.slow
def test_a_search_alone_is_shared_out_too(asked, tmp_path):
    words = ("optimize", *asked(scale="isotropic"))
    code = "from aniso_jax.cli import main\n" + "".join(
        f"main({[*map(str, words), '--devices', mesh, '--out', str(tmp_path / mesh) + '.npz']!r})\n"
        for mesh in ("1", "8")
    )
    process = start("check", *map(str, asked()[:4]), code=code, XLA_FLAGS=EIGHT)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "8.npz").read_bytes()


@pytest.mark.parametrize("named", ["0", "2x", "x2", "2x0", "-1", "two", "1.5"])
def test_what_names_no_devices_is_refused(asked, tmp_path, capsys, named):
    words = ("certify", *asked(), "--out", tmp_path / "run", f"--devices={named}")
    assert aniso_jax(*words) == 2
    said = re.sub(r"[\s│]+", " ", capsys.readouterr().err)
    assert f"--devices must be all, a number, or INPUTSxDRAWS such as 4x2, got {named}." in said


def test_more_devices_than_there_are_is_one_sentence(asked, tmp_path, capsys):
    assert aniso_jax("certify", *asked(), "--out", tmp_path / "run", "--devices", "64x2") == 2
    said = capsys.readouterr().err
    assert "--devices 64x2 wants 128 devices, this host has 1 (cpu): give no more." in said
    assert not (tmp_path / "run").exists()


def test_a_mesh_of_the_devices_that_there_are():
    assert mesh_of("all", 5).devices.shape == mesh_of("1", 5).devices.shape == (1, 1)
