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
# # 7 · Memory
#
# A scale found for each input has a price: a certificate speaks of the network smoothed with *that*
# scale. Two inputs may be certified as different classes on regions that overlap, and then no one
# classifier agrees with both. A **memory** keeps certified regions and makes one classifier of
# them. Asked about an input with its own certificate, it answers one of four things:
#
# * **keep**: the region meets no stored region of another class, and is stored;
# * **shrink**: it does; it is shrunk in its own shape until it is proved disjoint, then stored;
# * **adopt**: the input lies in a stored region, and answers that region's class;
# * **abstain**: there is no certificate, and no stored region holds the input.
#
# Stored regions never change. Two of different classes are proved disjoint by one number $s$ in
# $[0, 1]$ with $\sum_i \delta_i^2\, s(1-s) / ((1-s)\lambda_i^2 + s\mu_i^2) > 1$, where $\delta$
# joins their centers and $\lambda, \mu$ are their semi-axes (l2).

# %%
# %matplotlib inline
import tempfile
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

import aniso_jax as aj
from aniso_jax.figures.plane.panels import star_landscape
from aniso_jax.figures.plane.stars import Star, star_logits
from aniso_jax.report.figures.changes import plot_image
from aniso_jax.report.figures.panel import plot_landscape
from aniso_jax.report.landscape import outline
from aniso_jax.report.rounding import round_down

star = Star(core=0.5, arm=-0.36, sharpness=40.0, turn=0.0)  # a disc with a narrow peak cut into it
law, plan = aj.gaussian, aj.plan(aj.gaussian, n=2_000, alpha=0.001)

# %% [markdown]
# ## Five inputs in the plane
#
# Class 0 is a disc into which a narrow peak of class 1 reaches. The center, under wide noise, is
# certified across the tip of the peak. A point in the peak, under narrow noise, is class 1 for
# itself. Without a memory both would be claimed, on top of each other.

# %%
inputs = {
    "A": ((0.0, 0.0), (0.17, 0.17)),
    "B": ((0.25, 0.0), (0.02, 0.012)),
    "C": ((0.46, 0.0), (0.1, 0.025)),
    "D": ((0.68, 0.3), (0.12, 0.12)),
    "E": ((-0.35, -0.345), (0.08, 0.08)),
}
certify = jax.jit(aj.certify, static_argnums=0, static_argnames="law")
insert = jax.jit(aj.memory_insert)


def said(label: jax.Array) -> str:
    """A label in words."""
    return "abstains" if int(label) == aj.ABSTAIN else str(int(label))


memory = aj.memory_empty(8, (2,), order=law.order)
own, answers, rows = {}, {}, {}
for number, (name, (at, theta)) in enumerate(inputs.items()):
    scale, key = aj.Diagonal(theta=np.array(theta, np.float32)), jax.random.key(number)
    own[name] = certify(
        star_logits, star.params, jnp.array(at), key, law=law, scale=scale, plan=plan
    )
    memory, answers[name] = insert(memory, own[name].region, own[name].label)
    rows[name] = {
        "own certificate": said(own[name].label),
        "own radius": round_down(float(own[name].region.radius()), 3),
        "verdict": aj.MemoryVerdict(int(answers[name].verdict)).name,
        "answer": said(answers[name].label),
        "radius": round_down(float(answers[name].region.radius()), 3),
    }
display(memory, pd.DataFrame(rows).T)

# %%
CLASSES = ListedColormap(["#009E73", "#E69F00"])
window = star_landscape(star, np.array([0.2, 0.0]), 0.8)


def plot_regions(shown: dict, ax, line: str) -> None:
    """Outlines of what is claimed, in the colour of its class."""
    for one in shown.values():
        if int(one.label) != aj.ABSTAIN:
            ax.plot(*outline(one.region).T, line, color=CLASSES(int(one.label)), linewidth=1.8)


figure = Figure(figsize=(8, 3.4), layout="constrained")
left, right = figure.subplots(1, 2, sharey=True)
for ax, title in ((left, "certified, each alone"), (right, "after the memory (dotted: alone)")):
    plot_landscape(window, ax)
    for name, (at, _) in inputs.items():
        ax.plot(*at, "o", color="black", markersize=3)
        ax.annotate(name, at, (0, 7), textcoords="offset points", ha="center")
    ax.set(title=title, xlabel="$x_1$", ylabel="$x_2$", xlim=(-0.6, 0.95), ylim=(-0.55, 0.55))
plot_regions(own, left, "-")
plot_regions({"C": own["C"]}, right, ":")
plot_regions(answers, right, "-")
for label in (0, 1):
    left.plot([], [], color=CLASSES(label), label=f"claims {label}")
left.legend(fontsize="small", loc="upper left")
figure

# %% [markdown]
# A is kept. B lies in it and adopts class 0, on the part of A's region around it, although its own
# certificate said 1. C's region met A's and is shrunk, with its long shape, until the two are
# disjoint. D is far from both and kept. E sits on the boundary: no certificate, no claim.
#
# Now the memory answers any point by itself, without a draw, or says that it does not know.
# `memory_query` over a grid:

# %%
across, up = jnp.linspace(-0.6, 1, 241), jnp.linspace(-0.6, 0.6, 181)
grid = jnp.stack(jnp.meshgrid(across, up), axis=-1).reshape(-1, 2)
labels = jax.jit(jax.vmap(lambda x: aj.memory_query(memory, x).label))(grid)
known = np.ma.masked_less(np.asarray(labels).reshape(181, 241), 0)  # ABSTAIN is -1

figure = Figure(figsize=(5.4, 3.4), layout="constrained")
ax = plot_landscape(replace(window, confidence=np.ones_like(window.confidence)), figure.subplots())
ax.imshow(known, CLASSES, extent=(-0.6, 1, -0.6, 0.6), origin="lower", vmin=0, vmax=1)
for label in (0, 1):
    ax.plot([], [], "s", color=CLASSES(label), label=f"answers {label}")
ax.legend(fontsize="small", loc="lower left")
ax.set(title="what the memory knows", xlabel="$x_1$", ylabel="$x_2$")
ax.set(xlim=(-0.6, 0.95), ylim=(-0.55, 0.55))
figure

# %% [markdown]
# ## Images, and a file
#
# A memory on disk serves many processes: looking and storing are one transaction, flushed before
# the answer is given. It belongs to one network, law, input shape and $\alpha$. `aj.memory_certify`
# draws only where the stored regions do not answer. For each input asked, with probability
# $1 - \alpha = 0.999$ over its own draws, no false region is stored for it (in real arithmetic).
# That counts inputs asked, not regions stored, since the draws decide which are: of one that was
# stored it says nothing by itself. An adopted answer rests on the region it names.

# %%
data, net = aj.load_data("mnist5k"), aj.load_model("demo")
x, key = jnp.asarray(data.x[0]), jax.random.key(0)
compiled = {"static_argnums": 0, "static_argnames": "law"}
find_ball = jax.jit(aj.optimize_isotropic, **compiled)
widen = jax.jit(aj.optimize_anisotropic, **compiled)


def scale_for(x: jax.Array, key: jax.Array) -> aj.Scale:
    """The anisotropic scale of an image, from its best ball."""
    ask = net.apply_fn, net.params, x, key
    ball = find_ball(*ask, law=law, init=aj.Isotropic(sigma=0.25)).scale
    return widen(*ask, law=law, init=ball).scale


asked = {
    "an image": x,
    "the same, darker": 0.95 * x,
    "another image": jnp.asarray(data.x[1]),
    "half of each": (x + jnp.asarray(data.x[1])) / 2,
}
table = {}
with tempfile.TemporaryDirectory() as folder:
    about = {"weights": net.fingerprint, "law": law, "shape": x.shape}
    with aj.memory_open(f"{folder}/images.sqlite", **about) as memory:
        for number, (name, image) in enumerate(asked.items()):
            own_key = jax.random.fold_in(key, number)  # each input has draws of its own
            answer = aj.memory_certify(
                memory, net.apply_fn, net.params, image, own_key,
                law=law, scale=scale_for(image, own_key), plan=plan,
            )  # fmt: skip
            table[name] = {
                "verdict": aj.MemoryVerdict(int(answer.verdict)).name,
                "answer": said(answer.label),
                "proxy radius": round_down(float(answer.region.proxy_radius()), 3),
                "regions stored": memory.count(),
            }

figure = Figure(figsize=(8, 2.3), layout="constrained")
for ax, (name, image) in zip(figure.subplots(1, 4), asked.items(), strict=True):
    verdict = table[name]["verdict"]
    plot_image(np.asarray(image), ax).set_title(f"{name}: {verdict}", fontsize="small")
display(figure, pd.DataFrame(table).T)

# %% [markdown]
# The darker copy was answered without a single draw. On images of handwriting contacts are rare:
# over the demo's 50 images every region is kept. A memory does not make regions smaller; it makes
# sure that they never contradict each other.
