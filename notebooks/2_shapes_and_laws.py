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
# # 2 · Shapes and laws
#
# A certificate is a *law* times a *scale*. The law gives standard noise $z$, a norm $\|\cdot\|_p$
# and a gap; the scale is an invertible map $S = A^{-1}$. The noise is $S z$, and what is certified
# is
#
# $$\{\, x + S u : \|u\|_p \le \text{gap} \,\} = \{\, y : \|A\,(y - x)\|_p \le \text{gap} \,\}.$$
#
# | law | noise | norm | region | gap, from $p_A$ |
# |---|---|---|---|---|
# | `aj.gaussian` | $N(0, I)$ | l2 | ellipsoid | $\Phi^{-1}(p_A)$ |
# | `aj.uniform` | $U[-1, 1]^d$ | l1 | cross-polytope | $2 p_A - 1$ |
# | `aj.laplace` | density $\propto e^{-\|z\|_1}$ | l1 | cross-polytope | $-\log 2(1 - p_A)$ |
#
# Why any $S$ will do: in the coordinates $A y$ the noise is standard again, so the theorem for
# balls holds there, and maps back to an ellipsoid or a cross-polytope here.

# %%
# %matplotlib inline
import math

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import aniso_jax as aj
from aniso_jax.figures.plane.panels import star_panel
from aniso_jax.figures.plane.stars import star_logits, toy_star, turned
from aniso_jax.report.figures.panel import plot_panel
from aniso_jax.report.palette import LINE
from aniso_jax.report.rounding import round_down

jax.config.update("jax_disable_most_optimizations", True)  # the plane: compiles outlast runs

failure = np.geomspace(0.5, 1e-6, 300)  # 1 - p_A
figure = Figure(figsize=(7, 3.2), layout="constrained")
ax = figure.subplots()
for law in (aj.laplace, aj.gaussian, aj.uniform):
    ax.plot(failure, law.host_gap(failure), LINE[law.name], color="black", label=law.name)
ax.set(xscale="log", xlim=(0.5, 1e-6), xlabel="$1 - p_A$, the share of other answers", ylabel="gap")
ax.legend(frameon=False)
figure

# %% [markdown]
# The gap is in whitened units, and grows as the other classes' share falls: without end under the
# Laplace and Gaussian laws, and never above 1 under the uniform one. The three are not to be read
# against each other: an l1 ball of radius 1 and an l2 ball of radius 1 are different promises.
#
# ## Three scales, one point
#
# The classifier below has two classes in the plane; class 0 reaches out in a narrow channel that no
# axis follows. At a point in it we take three scales by hand: a ball's; one with longer horizontal
# noise; and one longer along the channel. Dots are draws $x + S z$, the outline is the certified
# region.

# %%
TURN = math.radians(35)
star = toy_star(TURN)
x = jnp.asarray(turned(np.array([0.88, 0.0]), TURN))
along = np.array([[math.cos(TURN), math.sin(TURN)]], np.float32)


def shapes(size: float) -> dict[str, aj.Scale]:
    """Three scales, none with an axis below a size."""
    t = np.float32(size)
    return {
        "isotropic": aj.Isotropic(sigma=size),
        "anisotropic": aj.Diagonal(theta=np.array([1.75 * t, t])),
        "rotated": aj.Rotated(theta=np.full(2, t), basis=along, stretch=np.float32([4.0])),
    }


certify = jax.jit(aj.certify, static_argnums=0, static_argnames="law")


def certified(law: aj.Law, scale: aj.Scale) -> aj.Certification:
    """The certificate of x; each scale as a rotated one, if unstretched: compiled once a law."""
    if not isinstance(scale, aj.Rotated):
        theta = np.asarray(scale.push(np.ones(2, np.float32)))
        scale = aj.Rotated(theta=theta, basis=along, stretch=np.float32([1.0]))
    plan = aj.plan(law, n=10_000, alpha=0.001)
    ask = star_logits, star.params, x, jax.random.key(0)
    return certify(*ask, law=law, scale=scale, plan=plan)


scales = {aj.gaussian: shapes(0.04), aj.uniform: shapes(0.1)}
found = {
    (law, kind): certified(law, scale)
    for law, three in scales.items()
    for kind, scale in three.items()
}
found[aj.gaussian, "rotated"]

# %%
draws = {
    aj.gaussian: jax.random.normal(jax.random.key(1), (150, 2)),
    aj.uniform: jax.random.uniform(jax.random.key(1), (150, 2), minval=-1, maxval=1),
}
figure = Figure(figsize=(8, 5.6), layout="constrained")
for ax, ((law, kind), one) in zip(figure.subplots(2, 3).flat, found.items(), strict=True):
    title = f"{kind}, l{law.order} ({law.name} noise)"
    panel = star_panel(
        star, np.asarray(x, np.float64), {kind: one.region}, law=law.name, title=title,
        half_width=0.45,
    )  # fmt: skip
    plot_panel(panel, ax)
    noise = x + jax.vmap(scales[law][kind].push)(draws[law])
    ax.plot(*noise.T, ".", color="black", markersize=1.5, alpha=0.6, zorder=1.5)
figure

# %%
rows = {
    f"l{law.order}, {kind}": {
        "p lower": float(one.p_lower),
        "gap": float(one.region.gap),
        "radius": float(one.region.radius()),
        "proxy radius": float(one.region.proxy_radius()),
    }
    for (law, kind), one in found.items()
}
pd.DataFrame(rows).T.map(lambda value: round_down(value, 3))

# %% [markdown]
# Two numbers sum up a region. The **radius** is that of the largest ball inside, comparable with
# work on balls. The **proxy radius** $\text{gap}\cdot|\det S|^{1/d}$ is that of the ball of equal
# volume. Longer noise where the class ends soon costs votes, so `p lower` and the gap fall, and the
# region with them; along the channel it costs hardly any. That trade is what the
# [next notebook](3_landscape.ipynb) looks at.
#
# A region is a value: it can be asked what it holds, and how far in a point lies (`gauge`, 1 on the
# outline).

# %%
region = found[aj.gaussian, "rotated"].region
steps = np.array([0.05, 0.15, 0.3])
points = jnp.asarray(x + steps[:, None] * along, jnp.float32)
pd.DataFrame(
    {
        "steps along the channel": steps,
        "gauge": np.asarray(jax.vmap(region.gauge)(points)).round(3),
        "certified there": jax.vmap(region.contains)(points),
    }
)

# %% [markdown]
# ## Units
#
# `sigma` and `theta` are in the law's own unit and never converted: the standard deviation of
# Gaussian noise, the half-width of uniform noise, and $b$ of Laplace noise. Published l1 work mixes
# them; noise of equal standard deviation needs the three numbers below, and gives radii in two
# norms.

# %%
STD = 0.04
same = {law: aj.Isotropic(sigma=STD / law.std) for law in (aj.gaussian, aj.uniform, aj.laplace)}
rows = {}
for law, scale in same.items():
    radius = round_down(float(certified(law, scale).region.radius()), 3)
    rows[law.name] = {
        "unit": law.unit, "sigma": round(scale.sigma, 4), "norm": f"l{law.order}", "radius": radius
    }  # fmt: skip
pd.DataFrame(rows).T
