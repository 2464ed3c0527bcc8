"""Write the README's table from a finished demo: `python benchmarks/readme.py aniso-demo`.

The table is what `aniso-jax demo` measured and nothing else: certified accuracy by radius, average
certified radii, volumes and times, from the runs' own records.
"""

import re
import sys
from pathlib import Path

from aniso_jax.records.load import load_frame
from aniso_jax.report.compare import with_containment
from aniso_jax.report.printing import to_markdown
from aniso_jax.report.tables import summary

README = Path(__file__).parents[1] / "README.md"
SCALES = ("fixed", "isotropic", "anisotropic")
RUNS = [f"{norm}-{scale}" for norm in ("l2", "l1") for scale in SCALES]
MARKED = re.compile(r"(<!-- demo -->\n).*?(<!-- /demo -->)", re.S)


def main(demo: Path) -> None:
    frames = with_containment([load_frame(demo / name) for name in RUNS])
    table = to_markdown(summary(frames, radii=(0, 0.25, 0.5, 0.75, 1.0))).strip()
    README.write_text(MARKED.sub(lambda mark: f"{mark[1]}{table}\n{mark[2]}", README.read_text()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
