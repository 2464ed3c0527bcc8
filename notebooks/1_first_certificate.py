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
# # 1 · A first certificate
#
# A network $f$ names the digit in an image $x$. Add noise, ask again, many times, and take the
# class that is answered most often. That vote is a classifier of its own, the *smoothed* one:
#
# $$g(x) = \arg\max_c \; P\,[\, f(x + \sigma z) = c \,], \qquad z \sim N(0, I).$$
#
# If its class wins with probability $p_A > 1/2$, then no change of $x$ of Euclidean length below
# $\sigma\,\Phi^{-1}(p_A)$ alters what $g$ answers, whatever the network is (Cohen, Rosenfeld and
# Kolter 2019). This notebook makes that statement about one image, then about eight.

# %%
# %matplotlib inline
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure

import aniso_jax as aj
from aniso_jax.report.figures.changes import plot_image
from aniso_jax.report.palette import METHOD
from aniso_jax.report.rounding import round_down

data, net = aj.load_data("mnist5k"), aj.load_model("demo")
display(data, net)

# %% [markdown]
# The network was trained under noise of $\sigma = 0.25$, a quarter of a pixel's range, so it can be
# asked under such noise. Five draws of the vote are pictured below. Pixels may leave $[0, 1]$; they
# are cut off in the picture only, the network sees them as they are.

# %%
SIGMA = 0.25
x, key = jnp.asarray(data.x[0]), jax.random.key(0)

noisy = x + SIGMA * jax.random.normal(key, (5, *x.shape))
answers = jnp.argmax(net.apply_fn(net.params, noisy), axis=-1)

figure = Figure(figsize=(8, 1.7), layout="constrained")
axes = figure.subplots(1, 6)
plot_image(x, axes[0]).set_title("x", fontsize="medium")
for ax, image, answer in zip(axes[1:], noisy, answers, strict=True):
    plot_image(image, ax).set_title(f"answer {answer}", fontsize="medium")
figure

# %% [markdown]
# ## From votes to a radius
#
# $p_A$ is unknown, but $k$ hits of $n$ draws bound it from below (Clopper and Pearson 1934):
# $p_A \ge \underline{p}(k)$ except with probability $\alpha$. A *plan* fixes $n$ and $\alpha$
# before anything is drawn and tabulates the *gap* $\Phi^{-1}(\underline{p}(k))$ for every $k$,
# rounded so that the claim shrinks. A few separate draws choose the class.

# %%
plan = aj.plan(aj.gaussian, n=10_000, alpha=0.001)
certify = jax.jit(aj.certify, static_argnums=0, static_argnames="law")
scale = aj.Isotropic(sigma=SIGMA)

certificate = certify(net.apply_fn, net.params, x, key, law=aj.gaussian, scale=scale, plan=plan)
display(plan, certificate)

# %% [markdown]
# Read it so: *with probability at least $1 - \alpha = 0.999$ over the draws, the network smoothed
# with this $\sigma$ answers this label at every image within the radius.* Two assumptions come with
# it: the theorem is about real numbers, while the noise here is float32 (`grid=` removes that one,
# by integer noise), and it speaks of the vote $g$, not of the bare network.
#
# The radius is $\sigma$ times the gap. Since $k$ cannot exceed $n$, $n$ draws prove at most
# $\sigma\, \Phi^{-1}(\alpha^{1/n})$, however sure the network is. The curves below show what the
# draws buy. First the same call for eight images, each with a key of its own, at three times the
# noise.

# %%
loud, count = aj.Isotropic(sigma=3 * SIGMA), 8
keys = jax.random.split(key, count)
many = [
    certify(net.apply_fn, net.params, jnp.asarray(x), key, law=aj.gaussian, scale=loud, plan=plan)
    for x, key in zip(data.x[:count], keys, strict=True)
]
radii = [float(one.region.radius()) for one in many]
votes = np.array([int(one.votes.max()) for one in many])
pd.DataFrame(
    {
        "label": data.y[:count],
        "certified": ["abstains" if one.label == aj.ABSTAIN else int(one.label) for one in many],
        "votes of 10,000": votes,
        "radius": [round_down(radius, 3) for radius in radii],
    }
)

# %%
figure = Figure(figsize=(7, 3.6), layout="constrained")
ax = figure.subplots()
for n, width in ((100, 0.8), (1_000, 1.6), (10_000, 2.6)):
    gaps = np.asarray(aj.plan(aj.gaussian, n=n, alpha=0.001).gaps)
    share = np.arange(n + 1) / n
    ax.plot(share, 3 * SIGMA * gaps, color=METHOD["fixed"], linewidth=width, label=f"n = {n:,}")
ax.plot(votes / plan.n, radii, "o", color="black", label="the eight images")
ax.set(xlim=(0.42, 1.01), xlabel="share of the votes, k / n", ylabel="certified radius (l2)")
ax.legend(frameon=False, loc="upper left")
figure

# %% [markdown]
# Where the lower bound is not above 1/2 the answer is *abstain*: no claim, rather than a wrong one.
# The curves climb steeply at the right end: the last hundredth of the hits is worth two fifths more
# radius, and it is there that more draws pay most.
#
# One radius for all directions is decided by the worst of them. The
# [next notebook](2_shapes_and_laws.ipynb) changes the shape.
