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
# # 3 · The landscape in two dimensions
#
# Any scale gives a valid certificate; which one gives the largest region? In the plane the whole
# question can be drawn. With $S = \mathrm{diag}(\theta_1, \theta_2)$ and Gaussian noise the area is
#
# $$\pi\,\theta_1\theta_2\;\text{gap}(\theta)^2, \qquad
# \text{gap}(\theta) = \Phi^{-1}(p_A(\theta)).$$
#
# Longer noise enlarges $\theta_1\theta_2$ and, where it reaches another class, lowers $p_A$. For
# the classifier used here $p_A(\theta)$ is an integral that quadrature gives exactly, so the first
# picture has no chance in it: the gap is what 10,000 draws prove when exactly their expected share
# hits. It is the ground that a search climbs.

# %%
# %matplotlib inline
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

import aniso_jax as aj
from aniso_jax.figures.plane.agreement import PLACES
from aniso_jax.figures.plane.panels import area, star_panel
from aniso_jax.figures.plane.quadrature import failure
from aniso_jax.figures.plane.stars import star_logits
from aniso_jax.report.figures.sheets import sheet
from aniso_jax.report.palette import METHOD
from aniso_jax.report.rounding import round_down, text_down

jax.config.update("jax_disable_most_optimizations", True)  # the plane: compiles outlast runs

THETAS = np.geomspace(0.015, 0.6, 40)
law, plan = aj.gaussian, aj.plan(aj.gaussian, n=10_000, alpha=0.001)
gaps = np.asarray(plan.gaps)


def expected_area(place, theta_1, theta_2):
    """The area that 10,000 draws certify when exactly their expected share hits."""
    x, scale = place.x.astype(np.float64), np.diag([theta_1, theta_2])
    p = 1 - failure(place.star, x, scale, law, rays=2048)
    return np.pi * theta_1 * theta_2 * np.interp(10_000 * p, np.arange(10_001), gaps) ** 2


curved, channel = PLACES[:2]
grounds = {
    place.name: np.array([[expected_area(place, one, two) for one in THETAS] for two in THETAS])
    for place in (curved, channel)
}

# %% [markdown]
# ## What a search climbs
#
# Below: the area over $(\theta_1, \theta_2)$ at two points. Balls live on the line
# $\theta_1 = \theta_2$, blue; the best of them is the dot. The best diagonal scale is the other
# dot.

# %%
figure = Figure(figsize=(8, 4.3), layout="constrained")
for ax, (name, ground) in zip(figure.subplots(1, 2), grounds.items(), strict=True):
    shades = ax.contourf(THETAS, THETAS, ground, levels=14, cmap="Greys")
    ticks = MaxNLocator(5)
    figure.colorbar(shades, ax=ax, label="area", location="bottom", ticks=ticks, format="%g")
    ax.plot(THETAS, THETAS, color=METHOD["isotropic"], linewidth=1)
    ball = THETAS[np.argmax(np.diag(ground))]
    two, one = np.unravel_index(np.argmax(ground), ground.shape)
    best = np.diag(ground).max(), ground.max()
    for kind, at, size, most in (
        ("isotropic", (ball, ball), 9, best[0]),
        ("anisotropic", (THETAS[one], THETAS[two]), 5, best[1]),
    ):
        label = f"{kind}, area {text_down(most, 3)}"
        ax.plot(*at, "o", color=METHOD[kind], markersize=size, label=label)
    ax.set(xscale="log", yscale="log", title=name, xlabel="θ₁ [std]", ylabel="θ₂ [std]")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks([0.02, 0.05, 0.1, 0.2, 0.5], labels=["0.02", "0.05", "0.1", "0.2", "0.5"])
        axis.set_ticks([], minor=True)
    ax.legend(fontsize="small", loc="upper left")
figure

# %% [markdown]
# In the curved part the two summits lie together: the boundary is equally near on all sides, and a
# ball is what fits. In the channel the ridge runs away from the blue line: the noise may be many
# times longer along the channel than across, and the area grows with it.
#
# ## The same from draws
#
# A user has no quadrature. `aj.optimize_isotropic`, `aj.optimize_anisotropic` and
# `aj.optimize_rotated` climb this ground on softmax votes of a few hundred draws, which are
# differentiable and certify nothing. Then the scale is frozen and `aj.certify` counts fresh draws.
# Each region holds with probability $1 - \alpha = 0.999$ over its own draws, by itself (in real
# arithmetic). The third point lies in a channel that no axis follows, where only a rotated scale
# can be long.

# %%
climb = replace(aj.thorough_anisotropic, kappa=0.0, steps=60, n=256, check=4096)  # area alone
turn = aj.RotatedAscent(ascent=climb, directions=2)
KINDS = ("isotropic", "anisotropic", "rotated")


def certified_regions(star, x):
    """The certified region of each kind around a point, each scale from the one before."""
    ask = star_logits, star, x, jax.random.key(0)
    ball = aj.optimize_isotropic(*ask, law=law, init=aj.Isotropic(sigma=0.05)).scale
    wide = aj.optimize_anisotropic(*ask, law=law, init=ball, settings=climb).scale
    turned = aj.optimize_rotated(*ask, law=law, init=wide, settings=turn).scale

    def as_rotated(scale):
        """Nothing stretched: all three are of one type, and compiled once."""
        theta = scale.push(jnp.ones_like(x))
        return replace(turned, theta=theta, stretch=jnp.ones_like(turned.stretch))

    scales = [as_rotated(ball), as_rotated(wide), turned]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *scales)
    return jax.lax.map(lambda s: aj.certify(*ask, law=law, scale=s, plan=plan).region, stacked)


stars = jnp.stack([place.star.params for place in PLACES])
every = jax.jit(jax.vmap(certified_regions))(stars, np.stack([place.x for place in PLACES]))
found = {
    place.name: {
        kind: jax.tree.map(lambda leaf, at=(row, number): leaf[at], every)
        for number, kind in enumerate(KINDS)
    }
    for row, place in enumerate(PLACES)
}
panels = [
    star_panel(
        place.star,
        place.x.astype(np.float64),
        found[place.name],
        law=law.name,
        title=place.name,
        half_width=place.half_width,
    )
    for place in PLACES
]
sheet([panels], grey="$f^y$, the network's probability of the class at x", alt="")

# %%
pd.DataFrame(
    {
        at: {kind: round_down(area(region), 4) for kind, region in regions.items()}
        for at, regions in found.items()
    }
).T

# %% [markdown]
# Outlines may cross the dark line, where the classifier's own answer changes: a certificate speaks
# of the smoothed classifier, which does not see a narrow part of the other class.
#
# The searches fall short of the summits above: by little for the ball in the channel, with 0.089 of
# 0.113 for the diagonal scale. Their steps are few, and no axis may fall below that of the ball
# they start from, so that the region tends to contain it.
#
# In the plane the gain comes from one direction that is free. Images have hundreds:
# [curvature planes](4_curvature_planes.ipynb).
