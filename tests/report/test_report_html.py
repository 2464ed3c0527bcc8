import re

import numpy as np
import pytest
from matplotlib.figure import Figure

from aniso_jax.report.html import write_html
from aniso_jax.report.maps import gallery
from aniso_jax.report.pictures import to_svg
from aniso_jax.report.statement import statement


@pytest.fixture
def page(runs, tmp_path):
    figure = gallery(
        images=np.random.default_rng(0).random((2, 8, 8, 1)),
        sigma_iso=[0.3, 0.4], theta=np.full((2, 8, 8, 1), 0.5), labels=[1, 2],
        predictions=[1, -1], radii=[0.5, 0], proxy_radii=[1.0, 0], unit="std",
    )  # fmt: skip
    galleries = {"Digits <b>& more</b>": figure}
    path = write_html(tmp_path / "r.html", runs, galleries=galleries, title="T <i>&</i>")
    return path.read_text()


def test_the_page_needs_nothing_but_itself(page):
    links = re.findall(r'(?:src|href|action|data)\s*=\s*"([^"]*)"', page)
    assert all(link.startswith(("#", "data:")) for link in links)
    assert not re.findall(r"@import|<script|url\((?!#)", page)
    assert "default-src 'none'" in page


def test_names_are_text_and_pictures_have_alternatives(page):
    assert "T &lt;i&gt;&amp;&lt;/i&gt;" in page
    assert "<b>& more" not in page
    pictures = re.findall(r"<svg[^>]*>", page)
    assert len(pictures) == 5
    assert all('role="img"' in svg and 'aria-label="' in svg for svg in pictures)
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    targets = re.findall(r'(?:href="#|url\(#)([^")]+)', page)
    assert set(targets) <= set(ids)


def test_equal_runs_give_equal_bytes(runs, tmp_path):
    pages = [
        write_html(tmp_path / name, runs, galleries={}, title="T").read_bytes() for name in "ab"
    ]
    assert pages[0] == pages[1]


def test_the_page_says_what_is_certified(page):
    claim = re.search(r'class="claim">(.*?)</p>', page, re.DOTALL)[1]
    for words in ("1 − α = 0.999", "each input by itself", "real arithmetic", "frozen", "nothing"):
        assert words in claim
    assert claim.count(".") - claim.count("0.") == 1  # one sentence
    assert "as large as the box" in page
    for value in ("mnist5k (test)", "10,000", "half-width", "small-cnn"):
        assert value in page


def test_the_claim_fits_the_runs(run):
    fixed, other = run(), run()
    assert "frozen" not in statement([fixed])
    other.attrs |= {"alpha": 0.01, "mode": "grid"}
    assert "real arithmetic assumed" not in statement([other])
    assert "first rounds to the input grid" in statement([other])
    assert "real arithmetic" in statement([fixed, other])
    assert "1 − α (its run's α" in statement([fixed, other])
    other.attrs = {"name": "theirs"}
    assert statement([other]) == ""


def test_files_are_not_overwritten_unasked(runs, tmp_path):
    path = tmp_path / "r.html"
    write_html(path, runs[:1], galleries={}, title="first")
    with pytest.raises(FileExistsError, match="exists"):
        write_html(path, runs[:1], galleries={}, title="second")
    assert "<title>first" in path.read_text()
    write_html(path, runs[:1], galleries={}, title="second", overwrite=True)
    assert "<title>second" in path.read_text()


def test_bad_input_writes_nothing(run, tmp_path):
    for runs, said in (([], "at least one run"), ([run().iloc[:0]], "no inputs")):
        with pytest.raises(ValueError, match=said):
            write_html(tmp_path / "r.html", runs, galleries={}, title="T")
    assert not list(tmp_path.iterdir())


def test_a_picture_s_name_is_checked():
    with pytest.raises(ValueError, match="letters, digits and hyphens"):
        to_svg(Figure(), name="a b", alt="nothing")


def test_columns_end_with_the_first_that_no_run_reaches(run, tmp_path):
    path = write_html(tmp_path / "r.html", [run("uniform")], galleries={}, title="T")
    heads = re.findall(r'<th scope="col">r ≥ ([^<]*)</th>', path.read_text())
    assert heads == ["0", "0.25", "0.5"] * 2  # of the inputs, and of the population
