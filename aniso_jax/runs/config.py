"""What a user asks for: one frozen dataclass per command, read off the command line."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aniso_jax.certification.tables import Bound
from aniso_jax.models.precision import Precision
from aniso_jax.records.shard import Shard, parsed_shard
from aniso_jax.runs.devices import check_devices
from aniso_jax.runs.limits import check_draws, check_seed
from aniso_jax.runs.named_engine import named_cluster
from aniso_jax.runs.options import Auto, Draws, File, Goal, Looks, Share, Steps
from aniso_jax.runs.selection_config import Selection
from aniso_jax.smoothing.laws import LAWS, Law

LawName = Literal["gaussian", "uniform", "laplace"]


@dataclass(frozen=True, kw_only=True)
class Smoothing(Selection):
    """A network, the law of its noise, and where the scale comes from."""

    model: str
    """A network's safetensors file, or demo: the MNIST network that comes with the package."""

    dtype: Precision = "float32"
    """What the network computes in; with bfloat16 it is another base classifier."""

    law: LawName = "gaussian"
    """Law of the noise: gaussian (l2, ellipsoids), uniform or laplace (l1, cross-polytopes)."""

    scale: str = "fixed"
    """fixed; isotropic: sigma is sought per input; anisotropic: theta is sought per input; rotated:
    theta and directions are sought per input; or FILE: one theta for all inputs (.npy), or one per
    input, as aniso-jax optimize writes (.npz)."""

    sigma: float = 0.25
    """The scale, or the search's start: std (gaussian), half-width (uniform), b (laplace)."""

    settings: Literal["default", "thorough", "published"] = "default"
    """The search's settings: ours; ours at five times the evaluations, for larger volumes; or those
    of the papers (as many as thorough for the anisotropic, 70 times ours for the isotropic)."""

    seed: int = 0
    """Seed of all noise."""

    batch: Auto = None
    """Inputs computed together; auto asks the device."""

    chunk: Auto = None
    """Ceiling of draws of an input held at once; auto asks the device."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sigma) and self.sigma > 0):
            raise ValueError(f"--sigma must be finite and positive, got {self.sigma}.")
        for name in ("batch", "chunk"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"--{name} must be at least 1, got {value}.")
        check_seed(self.seed)

    @property
    def noise(self) -> Law:
        """The law itself."""
        return LAWS[self.law]


@dataclass(frozen=True, kw_only=True)
class Spread(Smoothing):
    """Smoothing of many inputs, spread over the devices of this host."""

    devices: str = "all"
    """Devices of this host: all, a number of them, or INPUTSxDRAWS, such as 4x2, to share out the
    draws of an input too. Never changes a vote."""

    log_json: bool = False
    """Say how far it is as JSON lines on standard error."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_devices(self.devices)

    @property
    def spread(self) -> str:
        """The devices; the first alone for volume searches, whose last bits depend on how many."""
        if self.scale not in ("anisotropic", "rotated"):
            return self.devices
        if self.devices not in ("all", "1", "1x1"):
            raise ValueError(
                f"--devices {self.devices} goes without --scale {self.scale}, whose last bits "
                "depend on it: leave it out, and use --shard for more devices."
            )
        return "1"


@dataclass(frozen=True, kw_only=True)
class Certify(Spread):
    """Certify a data set: votes and regions, part by part; goes on where it stopped."""

    out: Path
    """The run's directory; a run that is there is continued, another one is refused."""

    n0: int = 100
    """Selection draws."""

    n: Draws = None
    """Estimation draws."""

    bound: Bound = "one-sided"
    """one-sided; two-class (bounds every rival too: larger gaps where the rest is spread);
    anytime (holds at every n); curtailed (decides --target with the draws of n)."""

    looks: Looks = None
    """Numbers of draws at which to look, declared in advance; alpha is spent over them."""

    target: Goal = None
    """Decide whether the radius is at least this, and stop."""

    tolerance: Goal = None
    """Stop when all n draws would be expected to gain less than this share of the radius."""

    alpha: float = 0.001
    """Probability of a false certificate, per input."""

    simultaneous: bool = False
    """Let --alpha bound the probability that any certificate of the run is false: each input gets
    its share, alpha over the number of inputs."""

    shared_draws: bool = False
    """Give every input the same draws, made once for a batch: faster where the network is small.
    For one look at a fixed n; nothing that needs independent inputs is then concluded."""

    grid: Steps = None
    """Inputs lie on multiples of 1/GRID (255 for 8-bit images): draw integer noise, so that nothing
    is assumed about floating point. Scales found per input are rounded to a palette."""

    memory: File = None
    """Put the certificates into this memory, one after the other, so that scales found for each
    input make one classifier; made where it is missing. With --simultaneous it is this run's
    alone."""

    shard: Share = None
    """Do only the i-th of k shares of the parts, as one of k jobs, at the same time or not, with
    the same --out or one each for `aniso-jax merge`."""

    engine: str = "local"
    """local: this process; ray: actors that take parts from a queue, on a Ray cluster started here,
    or on the one at ray:HOST:PORT (pip install 'aniso-jax[ray]'). Never changes a vote."""

    actors: Auto = None
    """Actors of --engine ray; auto is one a GPU, or one for as many cores as this process uses."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_draws(self.n)
        check_draws(self.n0, option="--n0")
        named_cluster(self.engine, actors=self.actors, devices=self.devices)
        if self.share is not None and self.memory is not None:
            raise ValueError(
                "--shard goes without --memory, where every answer rests on those before it: leave "
                "one out."
            )
        if self.scale == "rotated" and (self.memory is not None or self.grid is not None):
            raise ValueError(
                "--scale rotated goes without --memory and --grid: regions are stored, and integer "
                "noise is drawn, for isotropic and diagonal scales only; leave one out."
            )
        if self.grid is not None and self.grid < 1:
            raise ValueError(f"--grid must be at least 1, got {self.grid}; 8-bit images have 255.")
        check_draws(*(self.looks or ()), option="--looks")

    @property
    def cluster(self) -> str | None:
        """The address of the Ray cluster, "" to start one; None without Ray."""
        return named_cluster(self.engine, actors=self.actors, devices=self.devices)

    @property
    def share(self) -> Shard | None:
        """The shard itself; None for the whole run."""
        return None if self.shard is None else parsed_shard(self.shard)


@dataclass(frozen=True, kw_only=True)
class Predict(Smoothing):
    """Answer the smoothed class of each input, or ABSTAIN, with the p-value of the sign test."""

    n: int = 1000
    """Draws."""

    alpha: float = 0.001
    """Probability of an answer that is not the smoothed classifier's, per input."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_draws(self.n)


@dataclass(frozen=True, kw_only=True)
class Optimize(Spread):
    """Search a scale for each input, for certify --scale FILE."""

    out: Path
    """The .npz file to write."""

    overwrite: bool = False
    """Replace a file that is there."""


@dataclass(frozen=True, kw_only=True)
class Demo:
    """Certify real MNIST images in l2 and l1, and fold the certificates into a memory."""

    out: Path = Path("aniso-demo")
    """Directory of the runs and of report.html; a demo that is there is continued."""

    limit: int = 50
    """Images."""

    n: int = 10_000
    """Estimation draws."""

    seed: int = 0
    """Seed of all noise."""

    def __post_init__(self) -> None:
        check_seed(self.seed)
        check_draws(self.n)
