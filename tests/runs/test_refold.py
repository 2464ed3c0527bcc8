"""A finished run put through a memory is the run that certify writes with it."""

import numpy as np
import pytest
from cli_samples import SIGMAS, aniso_jax, records_of

from aniso_jax.records.sidecar import read_timings
from aniso_jax.runs.config import Certify
from aniso_jax.runs.refold import refold_run
from aniso_jax.runs.runner import Interrupted
from aniso_jax.runs.watch import Watch


class Stopped(Watch):
    """Ctrl-C once the first part is there."""

    def part(self, done) -> None:
        raise KeyboardInterrupt


@pytest.fixture
def config(data, network, tmp_path):
    """As the fixtures `asked` and `plan` say it on the command line."""
    return Certify(
        data=f"npz:{data}",
        model=str(network),
        seed=7,
        sigma=float(SIGMAS["gaussian"]),
        n0=20,
        n=300,
        alpha=0.01,
        out=tmp_path / "again",
        memory=tmp_path / "m.sqlite",
    )


def test_the_bytes_are_those_of_certify_and_a_stopped_one_goes_on(
    certified, asked, plan, config, tmp_path, monkeypatch
):
    alone = certified("gaussian", "fixed")
    monkeypatch.setattr("aniso_jax.runs.named_memory.new_number", lambda: "0123456789ab")
    (tmp_path / "whole").mkdir()
    memory = tmp_path / "whole" / "m.sqlite"
    whole = ("certify", *asked(), *plan, "--out", tmp_path / "whole" / "run", "--memory", memory)
    assert aniso_jax(*whole) == 0
    with pytest.raises(Interrupted, match="16 of 20 inputs are done and kept"):
        refold_run(config, alone, watch=Stopped())
    refold_run(config, alone)
    assert records_of(config.out) == records_of(tmp_path / "whole" / "run")
    assert "optimise_seconds" not in read_timings(config.out)[0]
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    refold_run(config, alone)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_other_data_than_the_runs_are_refused(certified, config, tmp_path):
    with np.load(config.data.removeprefix("npz:")) as content:
        np.savez(tmp_path / "other.npz", x=content["x"][::-1], y=content["y"])
    other = Certify(**{**vars(config), "data": f"npz:{tmp_path / 'other.npz'}"})
    with pytest.raises(ValueError, match="give the run's data"):
        refold_run(other, certified("gaussian", "fixed"))
    assert not other.memory.exists()
