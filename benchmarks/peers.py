"""The published pipeline and ours in one run: times, evaluations, radii, volumes, stage by stage.

`python benchmarks/peers.py --peer-python ENV/bin/python --out FILE.json` optimises an isotropic
scale, an anisotropic one from it, and certifies, with `ddsmoothing` and `ancer` (in an environment
of their own) and with this package: the same weights (logits agree to 1e-4, or the run is refused),
inputs, alpha, n0, n and cores, in turn, group of inputs by group. Both sides' scales are then
certified by this package, so that radii differ by nothing but the scale. A forward row counts as
one evaluation, a backward row as two. `--steps-isotropic` and `--steps-anisotropic` shorten the
published searches; their times are then extrapolated, and said to be.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro
from machine import keep
from pipelines.peer_process import Peer
from pipelines.published import STEPS
from pipelines.side_by_side import Match, compare
from pipelines.subjects import logits_difference, network_of, setup_peer, subjects_of
from pipelines.summary import print_summary

import aniso_jax as aj
from aniso_jax.runs.sizes import sizes

LOGITS_AGREE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Config:
    """Published packages against this one."""

    out: Path
    """The JSON file to write."""

    peer_python: Path
    """The interpreter that has torch, ddsmoothing-python and ancer-python."""

    network: str = "small-cnn"
    """small-cnn, strided-cnn, resnet20, resnet110, resnet18, or resnet18-7x7 as ANCER publishes."""

    weights: Path | None = None
    """Its weights, trained into this file on --data if it is not there; random if not given."""

    data: str = "mnist5k"
    """A data set by name or path, or random for uniform pixels of CIFAR's shape."""

    law: Literal["gaussian", "uniform"] = "gaussian"
    """gaussian certifies in l2, uniform in l1."""

    sigma: float = 0.25
    """Where the isotropic searches start: standard deviation, or half-width."""

    inputs: int = 50
    """Test inputs."""

    group: int = 10
    """Inputs after which the sides take turns."""

    n: int = 10_000
    """Estimation draws."""

    n0: int = 100
    """Selection draws."""

    alpha: float = 0.001
    """Probability of a false certificate."""

    steps_isotropic: int = STEPS["isotropic"]
    """Steps of the published isotropic search; fewer are timed and extrapolated."""

    steps_anisotropic: int = STEPS["anisotropic"]
    """Steps of the published anisotropic search; fewer are timed and extrapolated."""

    peer_batches: tuple[int, ...] = (200, 1000)
    """Rows in a batch of the published code; each stage runs at the one that is faster."""

    peer_folded: bool = False
    """Fold the batch norms of the published side's networks too."""

    same_start: bool = False
    """Start both anisotropic searches from the published sigma."""

    epochs: int = 30
    """Of the training, where there is one."""

    threads: int = len(os.sched_getaffinity(0))
    """Cores that either side may use."""

    device: str = "cpu"
    """Torch's name of the published side's device."""


def main(config: Config) -> None:
    """Measure, print and keep."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: config.threads])
    model = network_of(config.network, config.weights, config.data, config.law, config)
    x, y = subjects_of(config.data, config.inputs, model)
    with Peer(config.peer_python) as peer:
        versions = setup_peer(peer, model, config)
        difference = logits_difference(peer, model, x)
        if not difference <= LOGITS_AGREE:
            raise SystemExit(
                f"The logits differ by {difference:.2g}, at most {LOGITS_AGREE:g} is allowed: the "
                "sides would not run the same network; mend benchmarks/convert.py."
            )
        match = _match(config, peer, model)
        results = compare(match, x, y, group=min(config.group, len(x)))
    said = {name: str(value) for name, value in vars(config).items()}
    weights = {"fingerprint": model.fingerprint, "provenance": dict(model.provenance)}
    content = {
        "config": said,
        "weights": weights,
        "peer": versions,
        "logits_differ_by": difference,
        **results,
    }
    print_summary(content)
    keep(config.out, "python " + " ".join(sys.argv), content)


def _match(config: Config, peer: Peer, model: Any) -> Match:
    law = aj.gaussian if config.law == "gaussian" else aj.uniform
    batch, _ = sizes(model.shape, config.n, batch=None, chunk=None, inputs=config.inputs)
    return Match(
        peer=peer,
        apply_fn=model.apply_fn,
        params=model.params,
        plan=aj.plan(law, n0=config.n0, n=config.n, alpha=config.alpha),
        sigma=float(np.float32(config.sigma)),
        batch=batch,
        steps={"isotropic": config.steps_isotropic, "anisotropic": config.steps_anisotropic},
        peer_batches=config.peer_batches,
        same_start=config.same_start,
    )


if __name__ == "__main__":
    main(tyro.cli(Config))
