"""The line that says how far a command is."""

from aniso_jax.runs.progress import line


def test_one_run_after_another_is_never_more_than_all(capsys) -> None:
    with line() as progress:
        for inputs in (2, 3):
            progress.start(inputs)
            progress.inputs(inputs)
    said = capsys.readouterr().err.splitlines()
    assert [words.split()[0] for words in said] == ["2/2", "5/5"]
    assert all(words.endswith(" 0 s left") for words in said)
