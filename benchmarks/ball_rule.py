"""What shrinking in its own shape keeps of a region, beside the published rule that leaves a ball.

Anisotropic regions found for real images and the demo network, by our default ascent and by a long
one without the cap, in both norms. Two of different classes seldom meet as certified, so the gaps
of every pair are raised until both reach `overlap` times as far as where they touch. Then the new
one is shrunk in its own shape, and beside it stands the rule of the published scripts: a ball
around the new input, as large as the old region and the new one's shortest semi-axis allow. Both
are measured by the proxy radius.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import aniso_jax as aj
from aniso_jax.geometry.axes import semi_axes, thetas
from aniso_jax.geometry.separation import Pair, separation

ASCENTS = {
    "default": aj.default_anisotropic,
    "long": aj.VolumeAscent(steps=100, n=100, learning_rate=0.2, kappa=0.0, reach=float("inf")),
}
LAWS = {"l2": (aj.gaussian, 0.25), "l1": (aj.uniform, 0.433013)}
"""Of each norm, and the theta at which searches begin."""


def shrinking(
    norm: str, ascent: str, images: int, overlaps: tuple[float, ...]
) -> Iterator[dict[str, Any]]:
    """Proxy radii that the two rules leave, over all pairs of different classes."""
    found = list(_regions(norm, ASCENTS[ascent], images))
    pairs = [(a, b) for (a, i), (b, j) in combinations(found, 2) if i != j]
    for overlap in overlaps:
        left = [_proxy_radii(*_overlapping(old, new, overlap)) for old, new in pairs]
        ours, ball, own = np.array([radii for radii in left if min(radii) > 0]).T
        told = {
            "norm": norm,
            "ascent": ascent,
            "overlap": overlap,
            "pairs": len(pairs),
            "with_something_left": len(ours),
            "median_ratio": float(np.median(ours / ball)),
            "quartiles_ratio": np.quantile(ours / ball, (0.25, 0.75)).tolist(),
            "least_ratio": float(np.min(ours / ball)),
            "median_share_of_own": float(np.median(ours / own)),
            "median_share_of_own_ball": float(np.median(ball / own)),
        }
        what = f"{norm}, {ascent}, overlap {overlap}, {len(pairs)} pairs"
        print(f"{what}: {told['median_ratio']:.2f} times the ball", flush=True)
        yield told


def _regions(norm: str, ascent: aj.VolumeAscent, images: int) -> Iterator[tuple[aj.Region, int]]:
    """Certified anisotropic regions of MNIST images, and their classes."""
    data, net = aj.load_data("mnist5k"), aj.load_model("demo")
    law, theta = LAWS[norm]
    plan = aj.plan(law, n=1_000)

    @jax.jit
    def one(params: Any, x: jax.Array, key: jax.Array) -> aj.Certification:
        smooth = net.apply_fn, params, x, key
        start = aj.Isotropic(sigma=jnp.float32(theta))
        ball = aj.optimize_isotropic(*smooth, law=law, init=start).scale
        climb = {"law": law, "settings": ascent}
        scale = aj.optimize_anisotropic(*smooth, init=ball, **climb).scale
        return aj.certify(*smooth, law=law, scale=scale, plan=plan)

    for index in range(images):
        found = one(net.params, jnp.asarray(data.x[index]), jax.random.key(index))
        if int(found.label) >= 0:
            yield found.region, int(found.label)


def _overlapping(old: aj.Region, new: aj.Region, factor: float) -> tuple[aj.Region, aj.Region]:
    """Both with gaps `factor` times as large as where they touch."""
    touching = float(_growth(old, new)) * factor
    return replace(old, gap=old.gap * touching), replace(new, gap=new.gap * touching)


def _proxy_radii(old: aj.Region, new: aj.Region) -> tuple[float, float, float]:
    """What is left of `new` in its own shape, as a ball, and what there was."""
    shortest = aj.Isotropic(sigma=jnp.min(thetas(new.scale, new.center)))
    ball = replace(new, scale=shortest)
    left = _avoid(new, old), _avoid(ball, old), new
    ours, as_ball, own = (float(_proxy_radius(region)) for region in left)
    return ours, as_ball, own


_avoid = jax.jit(aj.shrink_to_avoid)
_proxy_radius = jax.jit(lambda region: jnp.where(region.gap > 0, region.proxy_radius(), 0.0))


@jax.jit
def _growth(a: aj.Region, b: aj.Region) -> jax.Array:
    axes = semi_axes(a)
    pair = Pair(offset=(a.center - b.center) / axes, ratio=semi_axes(b) / axes, order=a.order)
    return separation(pair, enough=float("inf"))
