"""Write the README's tables: `python benchmarks/readme.py [DEMO]`.

From a finished demo's own records, where its directory is given: certified accuracy by radius,
average certified radii, volumes and times. From `benchmarks/results/`: draws to a decision.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from aniso_jax.records.load import load_frame
from aniso_jax.report.compare import with_containment
from aniso_jax.report.printing import to_markdown
from aniso_jax.report.tables import summary

README = Path(__file__).parents[1] / "README.md"
RESULTS = Path(__file__).parent / "results"
SCALES = ("fixed", "isotropic", "anisotropic")
RUNS = [f"{norm}-{scale}" for norm in ("l2", "l1") for scale in SCALES]


def main(*demo: str) -> None:
    """Replace what stands between the marks of each table that there are numbers for."""
    if demo:
        _write("demo", _demo(Path(demo[0])))
    _write("stopping", _stopping(RESULTS / "stopping.json"))


def _demo(demo: Path) -> str:
    frames = with_containment([load_frame(demo / name) for name in RUNS])
    return to_markdown(summary(frames, radii=(0, 0.25, 0.5, 0.75, 1.0)))


def _stopping(path: Path) -> str:
    """One row an input set and plan: draws to decide a target, and decisions that differ."""
    content = json.loads(path.read_text())
    rows = [_decided(result) for result in content["results"] if "target" in result]
    table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    return f"{table}\n\nMade by `{content['command']}` on {content['machine']['device']}.\n"


def _decided(result: dict[str, Any]) -> dict[str, str]:
    return {
        "inputs": f"{result['count']}, {result['inputs']}",
        "radius >=": f"{result['target']:g}",
        "plan": result["plan"],
        "draws an input": f"{result['mean_draws']:,.0f}",
        "times fewer": f"{result['times_fewer']:.1f}",
        "set apart": str(result["near_target"]),
        "others decided otherwise": str(result["decided_otherwise"]),
    }


def _write(name: str, table: str) -> None:
    marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.S)
    text = README.read_text()
    README.write_text(marked.sub(lambda mark: f"{mark[1]}{table.strip()}\n{mark[2]}", text))


if __name__ == "__main__":
    main(*sys.argv[1:])
