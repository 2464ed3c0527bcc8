"""Write the README's tables: `python benchmarks/readme.py [DEMO]`.

From a finished demo's own records, where its directory is given: certified accuracy by radius,
average certified radii, volumes and times, and what its memories changed. From
`benchmarks/results/`: draws to a decision, the rate of counting, the price of a step, what searches
are worth, the published pipeline beside ours, what a memory keeps and costs, what ways of training
certify.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd
from tables import TABLES, Content, Row

from aniso_jax.records.load import load_frame
from aniso_jax.report.compare import with_containment
from aniso_jax.report.memory import memory_statement, memory_summary
from aniso_jax.report.printing import to_markdown
from aniso_jax.report.tables import summary

README = Path(__file__).parents[1] / "README.md"
RESULTS = Path(__file__).parent / "results"
SCALES = ("fixed", "isotropic", "anisotropic")
RUNS = [f"{norm}-{scale}" for norm in ("l2", "l1") for scale in (*SCALES, "memory")]


def main(*demo: str) -> None:
    """Replace what stands between the marks of each table that there are numbers for."""
    if demo:
        frames = with_containment([load_frame(Path(demo[0]) / name) for name in RUNS])
        _write("demo", to_markdown(summary(frames, radii=(0, 0.25, 0.5, 0.75, 1.0))))
        changed = to_markdown(memory_summary(frames))
        _write("demo-memory", f"{changed}\n{memory_statement(frames)}\n")
    for name, (results, row) in TABLES.items():
        if paths := sorted(RESULTS.glob(f"{results}*.json")):
            _write(name, _table(paths, row))


def _table(paths: Sequence[Path], row: Callable[[Content], Iterator[Row]]) -> str:
    """The rows of all these results, and the commands that made them."""
    contents = [json.loads(path.read_text()) for path in paths]
    rows = [each for content in contents for each in row(content)]
    made = "; ".join(f"`{content['command']}`" for content in contents)
    device = " and ".join(sorted({content["machine"]["device"] for content in contents}))
    table = pd.DataFrame(rows).fillna("-").to_markdown(index=False, disable_numparse=True)
    return f"{table}\n\nMade by {made} on {device}{_company(contents)}.\n"


def _company(contents: Sequence[Content]) -> str:
    """What else ran, where a benchmark watched it and it was more than a tenth of a core."""
    watched = [content["results"] for content in contents if isinstance(content["results"], dict)]
    others = max((results.get("cores_of_others") or 0 for results in watched), default=0)
    if others < 0.1:
        return ""
    cores = contents[0]["machine"]["cores"]
    return f", while other work kept {others:.1f} of its {cores} cores busy"


def _write(name: str, table: str) -> None:
    marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.S)
    text = README.read_text()
    README.write_text(marked.sub(lambda mark: f"{mark[1]}{table.strip()}\n{mark[2]}", text))


if __name__ == "__main__":
    main(*sys.argv[1:])
