"""Executes the notebooks: the numbered .py are their sources, the .ipynb what they show.

Run it from anywhere: `python notebooks/execute.py` does all, `python notebooks/execute.py 3 7`
these two. A notebook that raises is not written. What differs from run to run is left out.
"""

import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

HERE = Path(__file__).parent
SOURCES = sorted(HERE.glob("[0-9]_*.py"))

_METADATA = {
    "jupytext": {"formats": "ipynb,py:percent"},
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def executed(source: Path) -> NotebookNode:
    """The notebook of a source, run from top to bottom in a kernel of its own.

    Raises:
      CellExecutionError: a cell raised.
    """
    notebook = jupytext.read(source)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=None,  # a busy machine may take long over a cell; that says nothing about it
        record_timing=False,
        resources={"metadata": {"path": str(HERE)}},
    )
    client.execute()
    return settled(notebook)


def settled(notebook: NotebookNode) -> NotebookNode:
    """The same cells and results, with nothing else in it that differs from run to run.

    What is written to stderr goes: compilers complain there of a busy machine. So does the plain
    text of what has a table, which may hold addresses.
    """
    notebook.metadata = nbformat.from_dict(_METADATA)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.outputs = [one for one in cell.outputs if one.get("name") != "stderr"]
            for one in cell.outputs:
                if "text/html" in one.get("data", {}):
                    one.data.pop("text/plain", None)
    return notebook


def write(source: Path) -> None:
    """The executed notebook beside its source."""
    nbformat.write(executed(source), source.with_suffix(".ipynb"))


if __name__ == "__main__":
    wanted = tuple(sys.argv[1:]) or ("",)
    for source in (source for source in SOURCES if source.name.startswith(wanted)):
        print(source.name, flush=True)
        write(source)
