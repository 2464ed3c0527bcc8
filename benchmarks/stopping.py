"""How many draws a decision takes: fixed n, looks, anytime and curtailed plans side by side.

`python benchmarks/stopping.py --out benchmarks/results/stopping.json` measures, on the demo network
and 200 MNIST test images how many draws decide "is the radius at least 1/2?" at alpha = .001, and
whether the answers are those of n = 100,000 (20 million draws: a quarter of an hour on two cores).
Then the same for inputs with the radii published for CIFAR-10 and ResNet-110, each replayed by a
half-space at that distance.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from machine import keep

import aniso_jax as aj
from aniso_jax.report.foreign import read_tsv
from aniso_jax.runs.sizes import sizes, slots_for
from aniso_jax.runs.slots import Network
from aniso_jax.runs.tasks import finish, rows
from aniso_jax.smoothing.noise import BLOCK
from aniso_jax.smoothing.votes import ApplyFn

PUBLISHED = Path(__file__).parents[1] / "tests/report/published"
LOOKS = (100, 1_000, 10_000, 100_000)
NEAR = 0.02  # of the target: such inputs are set apart, since chance may decide them either way
PLANS: dict[str, dict[str, Any]] = {
    "fixed": {"n": 100_000},
    "looks": {"looks": LOOKS},
    "anytime": {"bound": "anytime", "n": 100_000},
    "curtailed": {"bound": "curtailed", "n": 100_000},
}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Draws to a decision."""

    out: Path
    """The JSON file to write."""

    images: int = 200
    """MNIST test images."""

    target: float = 0.5
    """The radius to decide on the demo network."""

    tolerance: float = 0.01
    """The other stopping rule: all n draws would be expected to gain less than this share."""

    sigma: float = 0.25
    """Standard deviation of the noise."""


Row = tuple[int, float, int, int]
"""Label, radius, draws, and the rows that the network evaluated for them."""


def main(config: Config) -> None:
    """Measure, print and keep."""
    results = [*_on_demo(config), *_on_published(config)]
    for result in results:
        print(_line(result))
    command = f"python benchmarks/stopping.py --images {config.images} --out {config.out}"
    keep(config.out, command, results)


def _on_demo(config: Config) -> Iterator[dict[str, Any]]:
    """The target alone, by the plans that decide it early: every other pair takes all the draws."""
    data, net = aj.load_data("mnist5k"), aj.load_model("demo")
    x = jnp.asarray(data.x[: config.images])
    ask = partial(_certified, net.apply_fn, net.params, x, config.sigma)
    plans = {kind: PLANS[kind] for kind in ("fixed", "looks", "anytime")}
    yield from _compared("mnist5k, demo network", ask, [{"target": config.target}], plans)


def _on_published(config: Config) -> Iterator[dict[str, Any]]:
    """A half-space at distance r has the smoothed probability Phi(r / sigma) of an input."""
    for path in sorted(PUBLISHED.glob("*.tsv")):
        sigma = float(path.stem.rsplit("sigma", 1)[1])
        frame = read_tsv(path, law="gaussian")
        x = jnp.asarray(frame["radius"].to_numpy(np.float32))[:, None]
        goals = [{"target": sigma}, {"tolerance": config.tolerance}]
        ask = partial(_certified, _half_space, (), x, sigma)
        yield from _compared(path.stem, ask, goals, PLANS)


def _half_space(params: Any, batch: jax.Array) -> jax.Array:
    return jnp.concatenate([batch, -batch], axis=-1)


def _certified(
    apply_fn: ApplyFn, params: Any, x: jax.Array, sigma: float, plan: aj.Plan
) -> list[Row]:
    """Every input under a plan, by the slots of a run; an input's row keys its draws."""
    keys = jax.random.split(jax.random.key(0), len(x))
    batch, chunk = sizes(x.shape[1:], plan.n, batch=None, chunk=None, inputs=len(x))
    slots, window = slots_for(batch, chunk, plan.looks, inputs=len(x))
    network = Network(apply_fn=apply_fn, params=params, chunk=window)

    def tasks() -> Iterator[Any]:
        for at in range(0, len(x), 4):
            take = jnp.minimum(jnp.arange(at, at + 4), len(x) - 1)
            scale = aj.Isotropic(sigma=jnp.full(4, sigma, jnp.float32))
            selected = rows(network.select(x[take], keys[take], scale, plan))
            yield from (task for task, _ in zip(selected, range(len(x) - at), strict=False))

    done: list[Row] = [(0, 0.0, 0, 0)] * len(x)
    for number, task in network.estimate(tasks(), slots, plan):
        c = finish(task, plan)
        looks = plan.looks[: int(c.reached)]
        draws, evaluated = (
            looks[-1] + plan.n0,
            _evaluated(looks, window) + _evaluated([plan.n0], window),
        )
        done[number] = int(c.label), float(c.region.radius()), draws, evaluated
    return done


def _evaluated(looks: Sequence[int], window: int) -> int:
    """Rows of whole windows: a look ends one, and the next begins with the block of its draw."""
    starts = (0, *looks[:-1])
    return sum(
        -(-(stop - start // BLOCK * BLOCK) // window) * window
        for start, stop in zip(starts, looks, strict=True)
    )


def _compared(
    name: str,
    ask: Callable[[aj.Plan], list[Row]],
    goals: Sequence[dict[str, float]],
    plans: dict[str, dict[str, Any]],
) -> Iterator[dict[str, Any]]:
    """Every plan against the fixed one, for each goal."""
    fixed = ask(aj.plan(aj.gaussian, **PLANS["fixed"]))
    for goal in goals:
        for kind, options in plans.items():
            if kind == "curtailed" and "target" not in goal:
                continue  # it can decide a target alone
            is_fixed = kind == "fixed"
            told = fixed if is_fixed else ask(aj.plan(aj.gaussian, **options, **goal))
            yield {"inputs": name, **goal, "plan": kind, **_measured(told, fixed, goal)}


def _measured(told: list[Row], fixed: list[Row], goal: dict[str, float]) -> dict[str, Any]:
    draws = sum(row[2] for row in told)
    radius, full = (np.array([row[1] for row in rows]) for rows in (told, fixed))
    counts = {
        "count": len(told),
        "draws": draws,
        "mean_draws": draws / len(told),
        "times_fewer": sum(row[2] for row in fixed) / draws,
        "times_fewer_rows": sum(row[3] for row in fixed) / sum(row[3] for row in told),
    }
    if "tolerance" in goal:
        certified = full > 0
        kept = radius[certified] / full[certified]
        return counts | {"radius_kept": float(kept.mean()), "least_kept": float(kept.min())}
    target = goal["target"]
    near = np.abs(full - target) <= NEAR * target
    differ = (radius >= target) != (full >= target)
    return counts | {
        "reach_target": int((radius >= target).sum()),
        "near_target": int(near.sum()),
        "decided_otherwise": int((differ & ~near).sum()),
        "decided_otherwise_near": int((differ & near).sum()),
    }


def _line(result: dict[str, Any]) -> str:
    goal = "target" if "target" in result else "tolerance"
    said = (
        f"{result['inputs']}, {goal} {result[goal]:g}, {result['plan']}: "
        f"{result['mean_draws']:,.0f} draws an input, {result['times_fewer']:.1f}x fewer "
        f"({result['times_fewer_rows']:.1f}x fewer rows evaluated)"
    )
    if goal == "tolerance":
        return f"{said}; {result['radius_kept']:.1%} of the radius kept"
    return (
        f"{said}; {result['near_target']} of {result['count']} set apart within {NEAR:.0%}, "
        f"{result['decided_otherwise']} others decided otherwise"
    )


if __name__ == "__main__":
    main(tyro.cli(Config))
