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
# # 4 · Curvature planes
#
# In which directions can the region of an image be long? Near $x$ the probability of the label is
#
# $$f^y(x + \delta) \approx f^y(x) + \nabla f^y \cdot \delta + \tfrac12\,\delta^\top H\,\delta .$$
#
# The logits of a ReLU network are piecewise linear, so $H$ comes from the softmax alone and has
# rank at most $K - 1$: with ten classes, 9 of the 784 directions bend, and the other 775 are flat.
# We find the nine without ever forming $H$ (products $Hv$ and Lanczos), and cut the certified
# regions by planes through the image.

# %%
# %matplotlib inline
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure

import aniso_jax as aj
from aniso_jax.figures.images.planes import curvature_at, plane_landscape
from aniso_jax.geometry.sections import section
from aniso_jax.optimize.curvature import label_probability
from aniso_jax.report.figures.changes import plot_image
from aniso_jax.report.figures.panel import Panel
from aniso_jax.report.figures.sheets import sheet
from aniso_jax.report.rounding import round_down, text_down

data, net = aj.load_data("mnist5k"), aj.load_model("demo")
INDEX = 0
x, label, key = jnp.asarray(data.x[INDEX]), int(data.y[INDEX]), jax.random.key(0)
f = label_probability(net.apply_fn, net.params, label)
print(f"image {INDEX}, label {label}, f^y(x) = {float(f(x)):.6f}")

# %%
bent = curvature_at(net, np.asarray(x), label, picks=2, seed=0)  # in float64
directions = {"ν₁": bent.basis[0], "ν₂": bent.basis[1], "$ν_d$": bent.flat[0]}

figure = Figure(figsize=(8, 2.4), layout="constrained")
spectrum, *axes = figure.subplots(1, 5, width_ratios=(2.2, 1, 1, 1, 1))
spectrum.bar(np.arange(1, len(bent.values) + 1), np.abs(bent.values), color="#444444")
spectrum.set(yscale="log", xlabel="direction", ylabel="size of the eigenvalue of H")
spectrum.set_xticks(range(1, 10))
plot_image(np.asarray(x), axes[0]).set_title("x", fontsize="medium")
for ax, (name, direction) in zip(axes[1:], directions.items(), strict=True):
    most = float(jnp.abs(direction).max())
    ax.imshow(direction[..., 0], cmap="BrBG", vmin=-most, vmax=most)
    ax.set(title=name, xticks=[], yticks=[])
figure

# %% [markdown]
# The nine eigenvalues span orders of magnitude: along $\nu_1$ the network bends by far the most,
# and the picture of $\nu_1$ is a pattern over the strokes (green where a pixel grows, brown where
# it falls; the sign of the whole is arbitrary). A flat direction $\nu_d$ is any of the
# 775-dimensional rest; a random one is drawn by seed.
#
# ## Two certificates of the same image
#
# The isotropic search finds the best ball, the anisotropic one starts there and stretches each
# pixel's axis. Both are then frozen and certified by fresh draws. Each region holds with
# probability $1 - \alpha = 0.999$ over its own draws, for the network smoothed with its own scale,
# in real arithmetic.

# %%
law, plan = aj.gaussian, aj.plan(aj.gaussian, n=10_000, alpha=0.001)
ask = net.apply_fn, net.params, x, key
ball = jax.jit(aj.optimize_isotropic, static_argnums=0, static_argnames="law")(
    *ask, law=law, init=aj.Isotropic(sigma=0.25)
)
stretched = jax.jit(aj.optimize_anisotropic, static_argnums=0, static_argnames="law")(
    *ask, law=law, init=ball.scale
)
certify = jax.jit(aj.certify, static_argnums=0, static_argnames="law")
as_diagonal = aj.Diagonal(theta=jnp.full_like(x, ball.scale.sigma))  # one type, compiled once
certified = {
    kind: certify(*ask, law=law, scale=scale, plan=plan)
    for kind, scale in (("isotropic", as_diagonal), ("anisotropic", stretched.scale))
}
display(stretched, certified["isotropic"], certified["anisotropic"])

# %% [markdown]
# ## Where planes cut the regions
#
# In the plane $\{x + a\,u + b\,v\}$ a region shows its *section*, its own points:
# $\|A(a u + b v)\| \le$ gap. Grey is $f^y$, and the dark line is where the bare network changes its
# answer.

# %%
regions = {kind: one.region for kind, one in certified.items()}
reach = {
    name: {kind: float(1 / r.gauge(r.center + v)) for kind, r in regions.items()}
    for name, v in directions.items()
}
width = 2 * max(max(along.values()) for along in reach.values())
panels = []
for name in ("ν₂", "$ν_d$"):
    plane = jnp.stack([directions["ν₁"], directions[name]])
    panels.append(
        Panel(
            title=f"plane of ν₁ and {name}",
            law=law.name,
            landscape=plane_landscape(net, np.asarray(x), label, plane, width),
            outlines={kind: section(region, plane) for kind, region in regions.items()},
            labels={kind: f"{kind} ±{text_down(reach[name][kind], 2)}" for kind in regions},
            measure=f"section along {name}",
            axes=("along ν₁ [pixel range]", f"along {name} [pixel range]"),
        )
    )
sheet([panels], grey="$f^y$, the network's probability of the label", alt="")

# %%
table = pd.DataFrame(reach).T.map(lambda value: round_down(value, 3))
table["times as far"] = (table["anisotropic"] / table["isotropic"]).round(2)
table

# %% [markdown]
# On the right the boundary runs along $\nu_d$: the network hardly changes that way, however far one
# goes, and that is where a region can gain. Read the numbers, not only the outlines. The
# anisotropic region is an ellipsoid aligned with pixels, so it cannot be narrow along $\nu_1$
# alone: a pixel that $\nu_1$ leans on keeps its axis short, one that no curved direction touches
# may be long. A random flat direction spreads over all pixels, and its reach is dominated by the
# shortest axes; it says that the region is longer in the bulk, not how long its longest axes are.
# Those are single pixels, which the [next notebook](5_map_of_an_image.ipynb) maps.
