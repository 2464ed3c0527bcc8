"""The README's tables: one row a measurement, from what the benchmarks wrote."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from cost import costs, rates

Content = dict[str, Any]
Row = dict[str, str]


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
        own, shared, noise = (
            found[kind]["median"]
            for kind in ("counting_to_forward", "shared_to_forward", "noise_to_counting")
        )
        yield {
            "network": network,
            "computes in": dtype,
            "inputs x draws": f"{found['batch']} x {found['chunk']}",
            "draws/s": f"{_rate(found):,.0f}",
            "time against the forward pass": f"{own:.2f}",
            "by shared draws": f"{shared:.2f}",
            "share of the noise": f"{noise:.0%}",
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


def _rotated(content: Content) -> Iterator[Row]:
    """One row a search, with the evaluations of all that it rests on."""
    config = content["results"]["config"]
    for found in content["results"]["scales"]:
        yield {
            "inputs": f"{config['inputs']}, {config['data']}, gaussian",
            "scale": found["scale"],
            "evaluations": f"{found['evaluations']:,}",
            "mean radius": f"{found['radius']:.3f}",
            "mean proxy radius": f"{found['proxy_radius']:.3f}",
            "mean log volume in the box": f"<= {found['log_volume_in_box']:.0f}",
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
    """One row a norm, kind of search and overlap: what shrinking keeps against the ball rule."""
    for kept in content["results"]["shrinking"]:
        low, high = kept["quartiles_ratio"]
        yield {
            "norm": kept["norm"],
            "search": kept["ascent"],
            "times too far": f"{kept['overlap']:g}",
            "proxy radius, times the ball's": f"{kept['median_ratio']:.2f}",
            "quartiles": f"{low:.2f} to {high:.2f}",
            "least": f"{kept['least_ratio']:.2f}",
            "pairs that keep something": f"{kept['with_something_left']:,} of {kept['pairs']:,}",
        }


def _insertion(content: Content) -> Iterator[Row]:
    """One row a store: ms by what one pass leaves to the search, and what becomes of the new."""
    found = content["results"]
    places = (("insertion", "RAM"), ("file", "file, flushed"), ("dimension", "RAM"))
    for name, place in places:
        costs = pd.DataFrame(found[name])
        for (norm, regions, d), rows in costs.groupby(["norm", "regions", "dimension"], sort=False):
            where = {"norm": norm, "in": place, "regions": f"{regions:,}", "d": f"{d:,}"}
            yield where | {
                _searched(cost): f"{cost['seconds'] * 1e3:.1f}" for cost in rows.to_dict("records")
            }


def _searched(cost: Content) -> str:
    """How many regions were left to the search, and whether the new one was shrunk."""
    undecided, verdicts = np.median(cost["undecided"]), set(cost["verdicts"])
    many = "none" if undecided == 0 else "10" if undecided == 10 else "200 or 1,000"
    return f"{many} undecided, {'shrunk' if verdicts == {'SHRINK'} else 'kept'}"


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


def _scaling(content: Content) -> Iterator[Row]:
    """One row a number of processes, then the memory of more and more inputs."""
    found = content["results"]
    names = {"shards": "process(es), a shard each", "ray": "actor(s) of Ray"}
    for row in found["scaling"]:
        rate, share = row["draws_per_s"]["median"], row["efficiency"]["median"]
        what = f"{row['processes']} {names[row['engine']]}"
        yield _measured(what, f"{rate:,.0f} draws/s, efficiency {share:.2f}")
    for row in found["memory"]:
        yield _measured(f"peak memory, {row['inputs']:,} inputs", f"{row['peak_mib']:.0f} MiB")


def _cost(content: Content) -> Iterator[Row]:
    """What data sets cost at each rate that was measured."""
    for measured, rate in rates(content).items():
        for row in costs(rate):
            yield {"one device": f"{rate:,.3g} draws/s ({measured})", **row}


def _measured(what: str, found: str) -> Row:
    return {"what": what, "measured": found}


TABLES: dict[str, tuple[str, Callable[[Content], Iterator[Row]]]] = {
    "stopping": ("stopping", _stopping),
    "votes": ("votes", _votes),
    "steps": ("steps", _steps),
    "scales": ("scales", _scales),
    "rotated": ("rotated", _rotated),
    "peers": ("peers", _peers),
    "memory": ("memory", _memory),
    "insertion": ("memory", _insertion),
    "training": ("training", _training),
    "scaling": ("scaling", _scaling),
    "cost": ("resnet50", _cost),
}
"""For each table how the names of its results begin, and what reads them."""
