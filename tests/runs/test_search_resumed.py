"""A search that was stopped goes on, and writes the file of one that was not."""

import pytest
from cli_samples import aniso_jax

from aniso_jax.runs.found import Kept


@pytest.fixture
def written(monkeypatch):
    """The batches that are written from now on; Ctrl-C after so many."""
    numbers, write = [], Kept.write

    def until(most: int) -> list[int]:
        def wrote(kept, batch, *arrays):
            if len(numbers) == most:
                raise KeyboardInterrupt
            write(kept, batch, *arrays)
            numbers.append(batch)

        monkeypatch.setattr(Kept, "write", wrote)
        return numbers

    return until


def test_a_stopped_search_goes_on(asked, tmp_path, written, capsys):
    words = ("optimize", *asked(scale="isotropic"), "--batch", 4, "--out")
    assert aniso_jax(*words, tmp_path / "whole.npz") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["whole.npz"]
    out, beside = tmp_path / "a.npz", tmp_path / "a.npz.unfinished"
    numbers = written(2)
    capsys.readouterr()
    assert aniso_jax(*words, out) == 130
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"aniso-jax: Stopped: 8 of 20 inputs are done and kept in {beside}; run the same command "
        "again to go on."
    )
    assert not out.exists()
    assert aniso_jax(*words, out, "--seed", 8) == 2
    said = capsys.readouterr().err
    assert f"{beside} holds what another search found (seed: it has 7, you asked for 8): " in said
    (beside / "batch-00000.npz").write_bytes(b"torn")
    (beside / f"batch-00002.npz.{'0' * 32}.tmp").write_bytes(b"half")
    written(1000)
    assert aniso_jax(*words, out) == 0
    assert "batch-00000.npz is torn" in capsys.readouterr().err
    assert numbers == [0, 1, 0, 2, 3, 4]
    assert out.read_bytes() == (tmp_path / "whole.npz").read_bytes()
    assert not beside.exists()
