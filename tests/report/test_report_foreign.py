import pytest

from aniso_jax.report.foreign import read_tsv

HEAD = "idx\tlabel\tpredict\tradius\tcorrect\ttime"


def write(tmp_path, *lines):
    path = tmp_path / "theirs.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_ancer_columns_and_clock_times(tmp_path):
    head = "idx\tlabel\tpredict\tradius\tradius_proxy\tmin_sigma\tcorrect\ttime"
    df = read_tsv(write(tmp_path, head, "5\t1\t1\t0.5\t0.9\t0.2\t1\t0:01:02.500000"), law="uniform")
    assert df.loc[0, "proxy_radius"] == 0.9
    assert df.loc[0, "time"] == df.attrs["certify_seconds"] == 62.5
    assert df.attrs["law"] == "uniform"


def test_unknown_columns_stay_as_text(tmp_path):
    df = read_tsv(write(tmp_path, HEAD + "\tnote", "0\t1\t1\t0.5\t1\t2\t007"))
    assert df.loc[0, "note"] == "007"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["idx\tlabel\tpredict\tradius\tcorrect", "0\t1\t1\t0.5\t1"], "no column 'time'"),
        ([""], "no column 'idx'"),
        ([HEAD], "no inputs"),
        ([HEAD + "\tidx", "0\t1\t1\t0.5\t1\t2\t0"], "named twice"),
        ([HEAD, "0\t1\t1\t0.5\t1"], "line 2: 5 fields, wanted 6"),
        ([HEAD, "0\t1\t1\t0.5\t1\t2", ""], "line 3: 0 fields"),
        ([HEAD, "0\t1\t1\tfar\t1\t2"], "line 2: radius is 'far', wanted a finite number >= 0"),
        ([HEAD, "0\t1\t1\tnan\t1\t2"], "radius is 'nan'"),
        ([HEAD, "0\t1\t1\t-0.5\t1\t2"], "radius is '-0.5'"),
        ([HEAD, "0.5\t1\t1\t0.5\t1\t2"], "idx is '0.5', wanted a whole number"),
        ([HEAD, "0\t1\t1\t0.5\tyes\t2"], "correct is 'yes', wanted 0 or 1"),
        ([HEAD, "0\t1\t1\t0.5\t1\tsoon"], "time is 'soon'"),
        ([HEAD, "0\t1\t1\t0.5\t1\t1:nope"], "time is '1:nope'"),
        ([HEAD, "0\t1\t2\t0.5\t1\t2"], "correct must be 1 exactly"),
        ([HEAD, "0\t1\t1\t0.5\t0\t2"], "correct must be 1 exactly"),
        ([HEAD, "0\t1\t-1\t0.5\t0\t2"], "abstention, which has radius 0"),
        ([HEAD, "0\t1\t-2\t0.5\t0\t2"], "must be -1 or a class"),
        ([HEAD, "0\t1\t1\t0.5\t1\t2", "0\t1\t1\t0.5\t1\t2"], "line 3: the index comes twice"),
        ([HEAD + "\tlaw", "0\t1\t1\t0.5\t1\t2\tcauchy"], "law is 'cauchy', wanted one of gaussian"),
        (
            [HEAD + "\tlaw", "0\t1\t1\t1\t1\t2\tuniform", "1\t1\t1\t1\t1\t2\tlaplace"],
            "line 3: the law changes; keep one run per file",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path, lines, said):
    with pytest.raises(ValueError, match=r"theirs\.tsv") as error:
        read_tsv(write(tmp_path, *lines))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_norm_is_never_guessed(tmp_path):
    path = write(tmp_path, HEAD, "0\t1\t1\t0.5\t1\t2")
    assert "law" not in read_tsv(path).attrs
    with pytest.raises(ValueError, match="law must be one of gaussian"):
        read_tsv(path, law="cauchy")
