"""The demo: six runs over real MNIST images, fixed, isotropic and anisotropic, in l2 and l1."""

from pathlib import Path

from aniso_jax.runs.config import Certify, Demo, LawName

_STD = 0.25
_SIGMAS: tuple[tuple[LawName, float], ...] = (("gaussian", _STD), ("uniform", _STD * 3**0.5))
"""The same standard deviation for both laws; the uniform law's unit is the half-width."""

_SCALES = ("fixed", "isotropic", "anisotropic")


def demo_runs(config: Demo) -> list[Certify]:
    """The six runs, each in its own directory below `out`.

    >>> [run.out.name for run in demo_runs(Demo())][:3]
    ['l2-fixed', 'l2-isotropic', 'l2-anisotropic']
    """
    return [
        Certify(
            data="mnist5k",
            model="demo",
            law=law,
            sigma=sigma,
            scale=scale,
            limit=config.limit,
            n=config.n,
            seed=config.seed,
            out=_directory(config.out, law, scale),
        )
        for law, sigma in _SIGMAS
        for scale in _SCALES
    ]


def _directory(out: Path, law: LawName, scale: str) -> Path:
    return out / f"{'l2' if law == 'gaussian' else 'l1'}-{scale}"
