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
from typing import Any

import numpy as np
import pandas as pd

from aniso_jax.records.load import load_frame
from aniso_jax.report.compare import with_containment
from aniso_jax.report.memory import memory_statement, memory_summary
from aniso_jax.report.printing import to_markdown
from aniso_jax.report.tables import summary

README = Path(__file__).parents[1] / "README.md"
RESULTS = Path(__file__).parent / "results"
SCALES = ("fixed", "isotropic", "anisotropic")
Content = dict[str, Any]
Row = dict[str, str]
RUNS = [f"{norm}-{scale}" for norm in ("l2", "l1") for scale in (*SCALES, "memory")]


def main(*demo: str) -> None:
    """Replace what stands between the marks of each table that there are numbers for."""
    if demo:
        frames = with_containment([load_frame(Path(demo[0]) / name) for name in RUNS])
        _write("demo", to_markdown(summary(frames, radii=(0, 0.25, 0.5, 0.75, 1.0))))
        changed = to_markdown(memory_summary(frames))
        _write("demo-memory", f"{changed}\n{memory_statement(frames)}\n")
    for name, row in TABLES.items():
        if paths := sorted(RESULTS.glob(f"{name}*.json")):
            _write(name, _table(paths, row))


def _table(paths: Sequence[Path], row: Callable[[Content], Iterator[Row]]) -> str:
    """The rows of all these results, and the commands that made them."""
    contents = [json.loads(path.read_text()) for path in paths]
    rows = [each for content in contents for each in row(content)]
    made = "; ".join(f"`{content['command']}`" for content in contents)
    device = " and ".join(sorted({content["machine"]["device"] for content in contents}))
    table = pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True)
    return f"{table}\n\nMade by {made} on {device}{_company(contents)}.\n"


def _company(contents: Sequence[Content]) -> str:
    """What else ran, where a benchmark watched it and it was more than a tenth of a core."""
    watched = [content["results"] for content in contents if isinstance(content["results"], dict)]
    others = max((results.get("cores_of_others") or 0 for results in watched), default=0)
    if others < 0.1:
        return ""
    cores = contents[0]["machine"]["cores"]
    return f", while other work kept {others:.1f} of its {cores} cores busy"


def _stopping(content: Content) -> Iterator[Row]:
    """One row an input set and plan: draws to decide a target, and decisions that differ."""
    return (_decided(result) for result in content["results"] if "target" in result)


def _decided(result: Content) -> Row:
    return {
        "inputs": f"{result['count']}, {result['inputs']}",
        "radius >=": f"{result['target']:g}",
        "plan": result["plan"],
        "draws an input": f"{result['mean_draws']:,.0f}",
        "times fewer": f"{result['times_fewer']:.1f}",
        "set apart": str(result["near_target"]),
        "others decided otherwise": str(result["decided_otherwise"]),
    }


def _votes(content: Content) -> Iterator[Row]:
    """One row a network and type, at its quickest chunk."""
    best: dict[tuple[str, str], Content] = {}
    for found in content["results"]["speed"]:
        kind = (found["network"], found["dtype"])
        best[kind] = max(found, best.get(kind, found), key=_rate)
    for (network, dtype), found in best.items():
        times, noise = found["counting_to_forward"], found["noise_to_counting"]
        yield {
            "network": network,
            "computes in": dtype,
            "inputs x draws": f"{found['batch']} x {found['chunk']}",
            "draws/s": f"{_rate(found):,.0f}",
            "time against the forward pass": f"{times['median']:.2f}",
            "share of the noise": f"{noise['median']:.0%}",
        }


def _rate(found: Content) -> float:
    return float(found["draws_per_s"]["counting"]["median"])


def _steps(content: Content) -> Iterator[Row]:
    """One row a network, search and batch."""
    for found in content["results"]:
        times = found["step_to_bare"]
        yield {
            "network": found["network"],
            "search": found["search"],
            "rows of a step": f"{found['rows']:,}",
            "time against the bare passes": f"{times['median']:.2f}",
        }


def _scales(content: Content) -> Iterator[Row]:
    """One row a stage and search, at the end of its steps."""
    config = content["results"]["config"]
    for stage, points in content["results"]["stages"].items():
        for found in {point["search"]: point for point in points}.values():
            volume = found["log_volume_in_box"]
            yield {
                "inputs": f"{config['inputs']}, {config['data']}, {config['law']}",
                "scale": stage,
                "search": found["search"],
                "evaluations": f"{found['evaluations']:,}",
                "mean radius": f"{found['radius']:.3f}",
                "mean proxy radius": f"{found['proxy_radius_in_box']:.3f}",
                "mean log volume in the box": "-" if volume is None else f"<= {volume:.0f}",
            }


def _peers(content: Content) -> Iterator[Row]:
    """One row a stage; after the searches, the mean radii of their scales by the same draws."""
    results = content["results"]
    config = results["config"]
    for stage, found in results["stages"].items():
        sides = found["ours"], found["published"]
        scales = [results["scales"].get(f"{side} {stage}") for side in ("ours", "published")]
        yield {
            "inputs": f"{config['inputs']}, {config['network']}, {config['law']}",
            "stage": stage,
            "s/input, ours": _seconds(sides[0]),
            "published": _seconds(sides[1]),
            "times faster": f"{found['times_faster']['median']:.1f}",
            "evaluations": " / ".join(f"{side['evaluations']:,.0f}" for side in sides),
            "ACR": _against(scales, "acr"),
            "ACR-proxy": _against(scales, "acr_proxy_in_box"),
        }


def _seconds(side: Content) -> str:
    return f"{side['seconds']['median']:.3g}" + (" (extrapolated)" if side["extrapolated"] else "")


def _against(scales: Sequence[Content | None], name: str) -> str:
    return " / ".join(f"{scale[name]:.3f}" for scale in scales if scale) or "-"


def _memory(content: Content) -> Iterator[Row]:
    """One row a measurement: what shrinking keeps against the ball rule, then the insertions."""
    found = content["results"]
    for kept in found["shrinking"]:
        low, high = kept["quartiles_ratio"]
        left = f"{kept['with_something_left']:,} of {kept['pairs']:,} pairs"
        yield _measured(
            f"shrinking in {kept['norm']}, {kept['ascent']} search, both {kept['overlap']:g} times "
            "too far",
            f"{kept['median_ratio']:.2f} times the ball's proxy radius (quartiles {low:.2f} and "
            f"{high:.2f}, least {kept['least_ratio']:.2f}); {left} keep something",
        )
    for name, place in (("insertion", "in RAM"), ("file", "in a file, flushed"), ("dimension", "")):
        costs = pd.DataFrame(found[name])
        for (norm, regions, d), rows in costs.groupby(["norm", "regions", "dimension"], sort=False):
            where = f"{regions:,} regions of {d:,} dimensions {place}".strip()
            yield _measured(f"insertion in {norm}, {where}", _insertions(rows))


def _insertions(costs: pd.DataFrame) -> str:
    """Times by how many regions one glance leaves to the search, and what becomes of the new."""
    said = []
    for cost in costs.to_dict("records"):
        verdict = " and ".join(sorted(set(cost["verdicts"])))
        count = f"{round(np.median(cost['undecided'])):,} undecided, {verdict}"
        said.append(f"{count}: {cost['seconds'] * 1e3:.1f} ms")
    return "; ".join(said)


def _training(content: Content) -> Iterator[Row]:
    """One row a method: means over its networks."""
    config = content["results"]["config"]
    for found in content["results"]["methods"]:
        spread = "" if found["acr_std"] is None else f" ± {found['acr_std']:.3f}"
        yield {
            "method": f"{found['method']}, sigma {config['sigma']}",
            "ACR": f"{found['acr']:.3f}{spread}",
            **{f">= {at}": f"{share:.3f}" for at, share in found["certified_accuracy"].items()},
            "clean": f"{found['clean_accuracy']:.3f}",
            "s an epoch": f"{found['seconds_an_epoch']:.1f}",
        }


def _measured(what: str, found: str) -> Row:
    return {"what": what, "measured": found}


TABLES: dict[str, Callable[[Content], Iterator[Row]]] = {
    "stopping": _stopping,
    "votes": _votes,
    "steps": _steps,
    "scales": _scales,
    "peers": _peers,
    "memory": _memory,
    "training": _training,
}
"""What each table reads: the results whose names begin like it."""


def _write(name: str, table: str) -> None:
    marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.S)
    text = README.read_text()
    README.write_text(marked.sub(lambda mark: f"{mark[1]}{table.strip()}\n{mark[2]}", text))


if __name__ == "__main__":
    main(*sys.argv[1:])
