"""Golden numbers, recomputed from the 500 inputs of each published result file."""

import pytest

from aniso_jax.report.curves import average_certified_radius, certified_accuracy
from aniso_jax.report.foreign import read_tsv
from aniso_jax.report.tables import summary

GOLDEN = {
    "0.25": ([74.8, 60.0, 42.8, 26.6, 0.0], 0.429),
    "0.50": ([65.2, 54.6, 41.4, 32.0, 23.4], 0.538),
    "1.00": ([47.2, 39.2, 34.0, 27.8, 21.6], 0.542),
}


@pytest.mark.parametrize("sigma", GOLDEN)
def test_published_numbers_come_out(published, sigma):
    df = read_tsv(published / f"cifar10-resnet110-noise{sigma}-sigma{sigma}.tsv", law="gaussian")
    percent, acr = GOLDEN[sigma]
    assert len(df) == 500
    shares = certified_accuracy(df, [0, 0.25, 0.5, 0.75, 1])
    assert shares.tolist() == [value * 5 / 500 for value in percent]
    assert round(average_certified_radius(df), 3) == acr  # the golden ACR is to nearest
    row = summary([df], [0.25]).iloc[0]
    assert row["accuracy@0.25"] == percent[1] / 100
    assert row["acr"] == average_certified_radius(df)


def test_the_whole_file_is_read(published):
    df = read_tsv(published / "cifar10-resnet110-noise0.25-sigma0.25.tsv")
    assert list(df.columns) == ["index", "label", "prediction", "radius", "correct", "time"]
    assert df["correct"].dtype == bool
    assert df.loc[1].tolist() == [20, 7, -1, 0.0, False, 15.6]
    assert df.attrs["name"] == "cifar10-resnet110-noise0.25-sigma0.25"
