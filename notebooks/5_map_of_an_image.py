# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 5 · What the A⁻¹ map says about an image
#
# The anisotropic scale of an image is one number per pixel, $S = A^{-1} = \mathrm{diag}(\theta)$:
# how much noise the network bears there. The region reaches $\text{gap}\cdot\theta_i$ along pixel
# $i$. Drawn as an image, $\theta$ shows which pixels the answer does not hang on. The maps below
# are searched for and certified on four digits.

# %%
# %matplotlib inline
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

import aniso_jax as aj
from aniso_jax.figures.images.changes import Regions, least_visible
from aniso_jax.figures.images.similarity import ssim
from aniso_jax.geometry.balls import box_radius
from aniso_jax.report.figures.changes import Change, changes_figure
from aniso_jax.report.maps import gallery
from aniso_jax.report.rounding import round_down, text_up

data, net = aj.load_data("mnist5k"), aj.load_model("demo")
PICKED = [0, 2, 6, 7]
x, labels = data.x[PICKED], data.y[PICKED]
law, plan = aj.gaussian, aj.plan(aj.gaussian, n=10_000, alpha=0.001)
compiled = {"static_argnums": 0, "static_argnames": "law"}
find_ball = jax.jit(aj.optimize_isotropic, **compiled)
widen = jax.jit(aj.optimize_anisotropic, **compiled)
certify = jax.jit(aj.certify, **compiled)

searched, sigmas, balls, ellipsoids = [], [], [], []
for image, key in zip(x, jax.random.split(jax.random.key(0), len(PICKED)), strict=True):
    ask = net.apply_fn, net.params, jnp.asarray(image), key
    ball = find_ball(*ask, law=law, init=aj.Isotropic(sigma=0.25)).scale
    searched.append(widen(*ask, law=law, init=ball))
    sigmas.append(float(ball.sigma))
    as_diagonal = aj.Diagonal(theta=jnp.full_like(image, ball.sigma))  # one type, compiled once
    balls.append(certify(*ask, law=law, scale=as_diagonal, plan=plan))
    ellipsoids.append(certify(*ask, law=law, scale=searched[-1].scale, plan=plan))


# %%
@jax.jit
def measures(region: aj.Region) -> dict[str, jax.Array]:
    """Its sizes, as bounds that no rounding enlarges."""
    return {
        "radius": region.radius(),
        "proxy": region.proxy_radius(),
        "log volume": region.log_volume(),
        "in the box": aj.log_volume_in_box(region),
    }


sizes = [{k: float(v) for k, v in measures(one.region).items()} for one in ellipsoids]
gallery(
    images=x,
    sigma_iso=sigmas,
    theta=np.stack([one.region.scale.theta for one in ellipsoids]),
    labels=labels.tolist(),
    predictions=[int(one.label) for one in ellipsoids],
    radii=[one["radius"] for one in sizes],
    proxy_radii=[one["proxy"] for one in sizes],
    unit=law.unit,
)

# %% [markdown]
# Each certificate holds with probability $1 - \alpha = 0.999$ over its own draws, for the network
# smoothed with the map shown, in real arithmetic.
#
# On the 1 the search found nothing larger than the ball and fell back to it, so both of its maps
# are one value: a search never returns less than its start, by its own check.
#
# The noise may be wide at the margin, where no stroke ever is, and must be narrow on the strokes
# and where a stroke would make another digit: the narrow zone is ink and *missing* ink. The table
# asks how much wider the map is where there is no ink; the ratio understates it, since that
# includes the gaps.

# %%
ink = [image > 0.1 for image in x]
thetas = [np.asarray(one.region.scale.theta) for one in ellipsoids]


def mean_theta(where: list[np.ndarray]) -> list[float]:
    """The geometric mean of theta over a mask, image by image."""
    pairs = zip(thetas, where, strict=True)
    return [round(float(np.exp(np.log(theta[mask]).mean())), 3) for theta, mask in pairs]


pd.DataFrame(
    {
        "label": labels,
        "θ on ink": mean_theta(ink),
        "θ elsewhere": mean_theta([~mask for mask in ink]),
        "longest over shortest": [round(float(t.max() / t.min()), 1) for t in thetas],
        "radius, ball": [round_down(float(one.region.radius()), 3) for one in balls],
        "radius": [round_down(one["radius"], 3) for one in sizes],
        "proxy radius": [round_down(one["proxy"], 3) for one in sizes],
    }
)

# %% [markdown]
# ## What the map promises
#
# Changes that follow the wide pixels may be larger than any that the ball allows. For each digit we
# look for a change $\delta$ that moves no pixel by much and lies outside the ball and inside the
# ellipsoid: the *gauge* of a region is 1 on its outline and below 1 inside. There the network
# smoothed with the map is certified to answer the same; the ball says nothing. On the 1 the two are
# the same and there is none. (SSIM is low here although the eye sees little: on exact black any
# grey counts as another luminance.)

# %%
gauge = jax.jit(aj.Region.gauge)
changes = []
for index, (ball, ellipsoid) in enumerate(zip(balls, ellipsoids, strict=True)):
    origin = jnp.zeros_like(ball.region.center)
    pair = Regions(
        ball=replace(ball.region, center=origin), region=replace(ellipsoid.region, center=origin)
    )
    delta = least_visible(x[index], pair, seed=index)
    if delta is not None:
        changes.append(
            Change(
                index=PICKED[index],
                label=int(labels[index]),
                x=x[index].astype(np.float64),
                delta=delta.astype(np.float64),
                gauge_ball=float(gauge(pair.ball, delta)),
                gauge_region=float(gauge(pair.region, delta)),
                similarity=ssim(x[index], x[index] + delta),
                length=float(np.linalg.norm(delta)),
                norm="l2",
            )
        )
changes_figure(changes, kind="anisotropic", norm="l2")

# %% [markdown]
# ## What it does not promise
#
# A pixel that the network ignores would let $\theta_i$ grow without end, and the volume with it,
# mostly outside $[0, 1]^{784}$, where there are no images. So axes are capped where a region fills
# the pixel's range, the share of capped axes is reported, and the volume *inside the box* (an upper
# bound) stands beside the classical one. A proxy radius above that of the box itself says no more
# than "the box".

# %%
whole = box_radius(784, 2)
pd.DataFrame(
    {
        "label": labels,
        "axes capped": [f"{float(found.capped_share):.1%}" for found in searched],
        "proxy radius": [round_down(one["proxy"], 3) for one in sizes],
        "of the box": round(whole, 3),
        "log volume": [round_down(one["log volume"], 0) for one in sizes],
        "inside the box, at most": [text_up(one["in the box"], 0) for one in sizes],
    }
)

# %% [markdown]
# Inside the box the region is a vanishing share of all images (the log volume of the box is 0), and
# so is every region of every method: volumes compare shapes, they do not count images. Own network,
# own images: the [next notebook](6_your_own_network.ipynb).
