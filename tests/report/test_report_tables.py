import math

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from aniso_jax.report.printing import MISSING, printed, to_latex, to_markdown, to_rich
from aniso_jax.report.tables import proxy_summary, summary


def test_a_row_holds_what_its_run_holds(run):
    df = run("gaussian", "anisotropic")
    row = summary([df], [0, 0.5]).loc["l2 anisotropic"]
    certified = df[df["prediction"] != -1]
    assert row["inputs"] == row["certified"] + row["abstentions"] == len(df)
    assert row["accuracy@0"] == df["correct"].mean()
    assert row["accuracy@0.5"] == (df["correct"] & (df["radius"] >= 0.5)).mean()
    assert row["acr_proxy"] == pytest.approx((df["proxy_radius"] * df["correct"]).mean())
    assert row["mean_log_volume"] == pytest.approx(certified["log_volume"].mean())
    assert row["contains_isotropic"] == df["contains_isotropic"].mean()
    assert (row["optimise_seconds"], row["certify_seconds"]) == (2.345, 0.4123)


def test_the_unknown_is_missing_and_not_counted(run):
    df = run("gaussian", "anisotropic")
    df.loc[df.index[:30], "contains_isotropic"] = pd.NA
    known = df["contains_isotropic"].iloc[30:]
    assert summary([df]).iloc[0]["contains_isotropic"] == known.sum() / len(known)
    df["contains_isotropic"] = pd.array([pd.NA] * len(df), "boolean")
    assert math.isnan(summary([df]).iloc[0]["contains_isotropic"])
    fixed = run().assign(domain_log_volume=np.nan)
    fixed.attrs["certify_seconds"] = None
    row = summary([fixed]).iloc[0]
    missing = ["contains_isotropic", "capped_share", "mean_domain_log_volume", "certify_seconds"]
    assert all(math.isnan(row[name]) for name in [*missing, "optimise_seconds"])


def test_a_mean_volume_leaves_out_no_certified_input(run):
    df = run()
    df.loc[df.index[df["prediction"] != -1][0], "domain_log_volume"] = np.nan
    assert math.isnan(summary([df]).iloc[0]["mean_domain_log_volume"])


def test_proxy_radii_have_a_table_of_their_own(runs):
    table = proxy_summary(runs[:3])
    heads = [name for name in table.columns if name.startswith("proxy_accuracy@")]
    last = float(heads[-1].split("@")[1])
    assert 4 <= len(heads) <= 9
    assert last >= max(df["proxy_radius"].max() for df in runs[:3])
    assert proxy_summary(runs[:1], [0.3]).columns[-2] == "proxy_accuracy@0.3"


def test_printed_numbers_lean_to_the_safe_side():
    table = pd.DataFrame(
        {
            "sigma": [0.25], "unit": ["half-width"], "accuracy@0.5": [2 / 3], "acr": [0.4289],
            "mean_log_volume": [-3.01], "mean_domain_log_volume": [-3.09], "capped_share": [0.0001],
            "optimise_seconds": [math.nan],
        },
        index=pd.Index(["r"], name="run"),
    )  # fmt: skip
    cells = printed(table).iloc[0].tolist()
    assert cells == ["0.25 half-width", "66.6", "0.428", "−3.1", "≤ −3.0", "0.1 %", MISSING]


def test_terminal_markdown_and_latex(runs):
    table = summary(runs, [0, 0.25])
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(to_rich(table, "results"))
    for text in (console.export_text(), to_markdown(table), to_latex(table)):
        assert "l2 anisotropic" in text or "anisotropic" in text
        assert "94.0" in text or "93.3" in text or "%" in text
    assert to_latex(table).isascii()
    assert r"\toprule" in to_latex(table)
    assert len({line.count("|") for line in to_markdown(table).splitlines()}) == 1


def test_no_runs_and_no_inputs_are_refused(run):
    for table in (summary, proxy_summary):
        with pytest.raises(ValueError, match="at least one run"):
            table([])
        with pytest.raises(ValueError, match="no inputs"):
            table([run().iloc[:0]])
