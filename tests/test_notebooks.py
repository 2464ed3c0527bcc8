"""The notebooks run from top to bottom; what is stored of them is theirs, small and portable."""

import json
import re
import runpy
from pathlib import Path

import jupytext
import nbformat
import pytest
from quick import OLDER_LOOPS

ROOT = Path(__file__).parents[1]
TOOLS = runpy.run_path(str(ROOT / "notebooks" / "execute.py"))
SOURCES = TOOLS["SOURCES"]
CELLS, BYTES = 12, 400_000
MACHINE = re.compile(r"/(home|root|tmp|work|usr|Users|var)/|site-packages|\b0x[0-9a-f]{6,}")

each = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)


def stored(source: Path) -> nbformat.NotebookNode:
    return nbformat.read(source.with_suffix(".ipynb"), as_version=4)


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def check_outputs(notebook: nbformat.NotebookNode) -> None:
    """No error and no warning, pictures inline, nothing that names the machine."""
    found = outputs(notebook)
    kinds = {output.get("name", output.output_type) for output in found}
    assert kinds <= {"display_data", "execute_result", "stdout"}, kinds
    shown = [output.data for output in found if "data" in output]
    assert any("image/png" in data for data in shown)
    texts = [{kind: text for kind, text in data.items() if "image" not in kind} for data in shown]
    printed = [output.text for output in found if output.output_type == "stream"]
    assert not MACHINE.search(json.dumps([texts, printed]))


def test_there_are_seven_in_order():
    assert [source.name.partition("_")[0] for source in SOURCES] == list("1234567")


@each
def test_it_runs_from_top_to_bottom(source, monkeypatch):
    for name, value in OLDER_LOOPS.items():  # they compute too long for quick compiles
        monkeypatch.setenv(name, value)
    check_outputs(TOOLS["executed"](source))


@each
def test_the_notebook_is_its_source_executed(source):
    notebook, written = stored(source), jupytext.read(source)
    nbformat.validate(notebook)
    pairs = [[(cell.cell_type, cell.source) for cell in one.cells] for one in (notebook, written)]
    assert pairs[0] == pairs[1]
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    check_outputs(notebook)


@each
def test_it_is_small(source):
    assert len(stored(source).cells) <= CELLS
    assert source.with_suffix(".ipynb").stat().st_size < BYTES


@each
def test_nothing_of_the_run_but_its_outputs_is_stored(source):
    notebook = stored(source)
    assert notebook == TOOLS["settled"](stored(source))
    assert not any(output.get("metadata") for output in outputs(notebook))


@each
def test_what_it_links_to_is_there_and_the_readme_links_to_it(source):
    targets = re.findall(r"\]\(([^)#:]+)\)", source.read_text())
    assert all((source.parent / target).is_file() for target in targets)
    assert f"(notebooks/{source.stem}.ipynb)" in (ROOT / "README.md").read_text()
