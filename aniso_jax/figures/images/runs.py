"""The runs over images that figures are drawn from: given, or made in OUT/runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aniso_jax.audit.open import open_run_again
from aniso_jax.audit.stored import Row
from aniso_jax.figures.config import Figures
from aniso_jax.models.checkpoint import Model
from aniso_jax.records.directory import read_experiment
from aniso_jax.records.experiment import SOUGHT, Experiment
from aniso_jax.records.load import load_run
from aniso_jax.runs.certify import certify_run
from aniso_jax.runs.config import Certify
from aniso_jax.runs.inputs import Inputs
from aniso_jax.runs.watch import Watch, silent

_SAME = (
    "data_fingerprint", "model_fingerprint", "dtype", "law", "start", "skip", "seed", "alpha", "n0",
    "n", "looks", "bound",
)  # fmt: skip
_SPARE = 4  # images beyond those shown, for those that abstain


@dataclass(frozen=True, kw_only=True)
class ImageRuns:
    """Runs of several kinds over the same images, and what made them.

    Attributes:
      experiment: of the anisotropic run (or the rotated one).
      rows: kind -> index of the image -> its record.
    """

    experiment: Experiment
    inputs: Inputs
    model: Model
    rows: Mapping[str, Mapping[int, Row]]

    def certified(self) -> list[int]:
        """Images on which every kind certifies the true label, in the runs' order."""
        first, *others = self.rows.values()
        return [
            index
            for index in first
            if all(index in rows and rows[index]["correct"] for rows in (first, *others))
        ]

    def comparable(self) -> list[int]:
        """The certified images on which the isotropic search found about the ball that it should.

        Where the ball is smaller than the largest one inside the region by over a fifth, a gain
        over it says little: such an image only stands in where all are.
        """
        certified = self.certified()
        balls, regions = self.rows["isotropic"], self.rows[self.experiment.scale]
        fair = [i for i in certified if regions[i]["radius"] <= 1.2 * balls[i]["radius"]]
        return fair or certified

    def left_out(self) -> str:
        """What `comparable` leaves out, or lets in for want of better, in words for a caption."""
        balls, regions = self.rows["isotropic"], self.rows[self.experiment.scale]
        bad = [i for i in self.certified() if regions[i]["radius"] > 1.2 * balls[i]["radius"]]
        found = (
            "the isotropic search found a ball smaller by over a fifth than the one inside the "
            f"{self.experiment.scale} region"
        )
        if len(bad) == len(self.certified()):
            return f" On all of them {found}: much of the gain is that search's failing."
        return f" Left out: {len(bad)} certified as well, on which {found}." if bad else ""


def image_runs(config: Figures, watch: Watch = silent) -> ImageRuns:
    """The runs given and those made, opened with their data and network.

    Raises:
      ValueError: a run that is no run, two of a kind, runs of different images or networks, or
        none but an isotropic one.
    """
    paths = _given(config.run)
    for path in paths.values():
        _check_images(path)
    for kind in SOUGHT if not config.run else ("isotropic",):
        if kind not in paths:
            asked = _asked(config, kind, paths)
            certify_run(asked, watch=watch)
            paths[kind] = asked.out
            _check_images(asked.out)
    experiments = {kind: read_experiment(path) for kind, path in paths.items()}
    main = _main(experiments)
    for kind, path in paths.items():
        _check_same(path, experiments[kind], experiments[main])
    opened = open_run_again(paths[main], data=config.data, model=config.model)
    _, _, inputs, model = opened  # of the others the fingerprints are the same: nothing is read
    rows = {
        kind: {row["index"]: row for row in load_run(paths[kind]).to_pylist()}
        for kind in SOUGHT
        if kind in paths
    }
    return ImageRuns(experiment=experiments[main], inputs=inputs, model=model, rows=rows)


def _given(runs: Sequence[Path]) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    for path in runs:
        kind = read_experiment(path).scale
        if kind not in SOUGHT or kind in paths:
            raise ValueError(
                f"--run {path} has the scale {kind}: give one of each of {', '.join(SOUGHT)}."
            )
        paths[kind] = path
    return paths


def _main(experiments: Mapping[str, Experiment]) -> str:
    """The kind that is compared with the isotropic one."""
    for kind in ("anisotropic", "rotated"):
        if kind in experiments:
            return kind
    raise ValueError(
        "--run names an isotropic run only: give one with anisotropic or rotated scales as well."
    )


def _check_images(path: Path) -> None:
    shape = read_experiment(path).shape
    if len(shape) != 3 or shape[-1] not in (1, 3):
        raise ValueError(
            f"The inputs of {path} have the shape {shape}, wanted images (height, width, 1 or 3 "
            "channels): give such --data, or --only landscapes concepts areas."
        )


def _check_same(path: Path, experiment: Experiment, main: Experiment) -> None:
    for name in _SAME:
        there, wanted = getattr(experiment, name), getattr(main, name)
        if there != wanted:
            raise ValueError(
                f"{path} has {name} {there}, the other run has {wanted}: give runs over the same "
                "images, with the same network, law and draws."
            )


def _asked(config: Figures, kind: str, paths: Mapping[str, Path]) -> Certify:
    """The run that is missing: as the given ones are, or as the options say."""
    limit = config.images + _SPARE
    out = config.out / "runs" / kind
    if not paths or not config.run:
        return Certify(
            data=config.data or "mnist5k", model=config.model or "demo", law=config.law, scale=kind,
            sigma=config.sigma, limit=limit, n=config.n, alpha=config.alpha, seed=config.seed,
            out=out,
        )  # fmt: skip
    given = read_experiment(next(iter(paths.values())))
    limit = min(limit, given.limit or limit)
    return replace(_as_given(config, given), scale=kind, out=out, limit=limit)


def _as_given(config: Figures, given: Experiment) -> Certify:
    name, _, split = given.data.rpartition(" (")
    return Certify(
        data=config.data or name,
        split="train" if split.startswith("train") else "test",
        model=config.model or given.model,
        dtype=given.dtype,
        law=given.law,  # type: ignore[arg-type]
        sigma=given.sigma,
        start=given.start,
        stop=given.stop,
        skip=given.skip,
        n0=given.n0,
        n=given.n,
        looks=given.looks,
        bound=given.bound,  # type: ignore[arg-type]
        alpha=given.alpha,
        grid=given.grid,
        seed=given.seed,
        out=config.out,
    )
