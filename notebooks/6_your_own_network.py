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
# # 6 · Your own network and your own images
#
# Everything here takes a network as a pair `(apply_fn, params)`, where `apply_fn(params, batch)`
# returns logits, one row per input. Inputs are floats, images in $[0, 1]$; whatever else a network
# does to them (subtract a mean, resize) is its first layer, so that a radius is in the units of the
# image.
#
# The images below are made up: 600 noisy drawings of three shapes, as 8-bit grey images.
# `from_arrays` takes arrays like yours, divides bytes by 255, checks every value and label, and
# says what it has.

# %%
# %matplotlib inline
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
from flax import nnx
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

import aniso_jax as aj
from aniso_jax.data.arrays import from_arrays
from aniso_jax.report.figures.changes import plot_image
from aniso_jax.report.rounding import round_down, text_down

NAMES = ("bar", "post", "cross")


def drawings(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """8-bit images (count, 12, 12, 1) of bars, posts and crosses, and their classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(3, size=count)
    images = rng.uniform(0, 50, size=(count, 12, 12, 1))
    for image, kind, at in zip(images, y, rng.integers(4, 8, size=(count, 2)), strict=True):
        if kind != 1:
            image[at[0] - 1 : at[0] + 2, 2:10] += 180
        if kind != 0:
            image[2:10, at[1] - 1 : at[1] + 2] += 180
    return images.clip(0, 255).astype(np.uint8), y


data = from_arrays(*drawings(600, seed=0), name="my shapes", classes=NAMES)
data

# %% [markdown]
# ## A flax network
#
# `aj.from_nnx` switches a copy to evaluation mode, splits it, and tries it on one input. A network
# that has never seen noise has no opinion under it, so it is trained on noisy images. What comes
# out is a pure function and its weights, which any optax loop can train.

# %%
SIGMA = 0.25
rngs = nnx.Rngs(0)
network = nnx.Sequential(
    lambda images: (images - 0.3) / 0.3,  # the normalisation is the first layer
    nnx.Conv(1, 8, (3, 3), strides=2, rngs=rngs),
    nnx.relu,
    lambda maps: maps.reshape(len(maps), -1),
    nnx.Linear(8 * 6 * 6, 3, rngs=rngs),
)
apply_fn, params = aj.from_nnx(network, example=jnp.asarray(data.x[0]))
adam = optax.adam(3e-3)


@jax.jit
def train_step(params, state, key):
    """One step of Adam on 64 images with fresh noise."""
    of_images, of_noise = jax.random.split(key)
    rows = jax.random.randint(of_images, (64,), 0, len(data))
    x, y = jnp.asarray(data.x)[rows], jnp.asarray(data.y)[rows]
    noisy = x + SIGMA * jax.random.normal(of_noise, x.shape)

    def loss(params):
        logits = apply_fn(params, noisy)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    value, slope = jax.value_and_grad(loss)(params)
    update, state = adam.update(slope, state)
    return optax.apply_updates(params, update), state, value


state = adam.init(params)
for step in range(300):
    params, state, loss = train_step(params, state, jax.random.key(step))
print(f"loss after 300 steps: {float(loss):.3f}")

# %% [markdown]
# ## Certify
#
# New images, which the network has not seen, all at once by `vmap`, each with a key of its own: the
# best ball, from there the anisotropic scale, and a certificate of that. Each holds with
# probability $1 - \alpha = 0.999$ over its own draws, for the network smoothed with that scale, in
# real arithmetic.

# %%
fresh = from_arrays(*drawings(6, seed=1), name="fresh", classes=NAMES)
x, keys = jnp.asarray(fresh.x), jax.random.split(jax.random.key(0), len(fresh))
law, plan = aj.gaussian, aj.plan(aj.gaussian, n=10_000, alpha=0.001)


def certify(params, x, key):
    """The certificate of one image under its anisotropic scale."""
    ask = apply_fn, params, x, key
    ball = aj.optimize_isotropic(*ask, law=law, init=aj.Isotropic(sigma=SIGMA)).scale
    wide = aj.optimize_anisotropic(*ask, law=law, init=ball).scale
    return aj.certify(*ask, law=law, scale=wide, plan=plan)


found = jax.jit(jax.vmap(certify, in_axes=(None, 0, 0)))(params, x, keys)
radii = np.asarray(jax.vmap(aj.Region.radius)(found.region), np.float64)
proxies = np.asarray(jax.vmap(aj.Region.proxy_radius)(found.region), np.float64)
thetas = np.asarray(found.region.scale.theta)[..., 0]

figure = Figure(figsize=(8, 3.2), layout="constrained")
axes = figure.subplots(2, 6)
norm = LogNorm(thetas.min(), thetas.max())
for index, (above, below) in enumerate(axes.T):
    answer = int(found.label[index])
    name = "abstains" if answer == aj.ABSTAIN else NAMES[answer]
    plot_image(fresh.x[index], above).set_title(f"certified: {name}", fontsize="small")
    shown = below.imshow(thetas[index], cmap="viridis", norm=norm)
    said = f"radius {text_down(radii[index], 2)}\nproxy {text_down(proxies[index], 2)}"
    below.set(xticks=[], yticks=[], xlabel=said)
bar = figure.colorbar(shown, ax=axes[1], label="θ [std]", ticks=[0.3, 0.5, 1, 2, 3], format="%g")
bar.minorticks_off()
figure

# %% [markdown]
# Above the images, below the maps of $\theta$. Around the posts noise may be wide at the rim, where
# no stroke is ever drawn; the crosses lie nearest to another class (a stroke less makes a bar or a
# post), and their maps are narrow all over.
#
# ## A plain function
#
# Any function will do. This one answers the class whose mean image is nearest, and it is a good one
# to check a certificate with: the exact distance from $x$ to the nearest other class is known,
#
# $$\min_j \; (\|x - m_j\|^2 - \|x - m_i\|^2) \,/\, (2 \|m_i - m_j\|).$$

# %%
means = jnp.stack([data.x[data.y == kind].mean(axis=0) for kind in range(3)])


def nearest_mean(means, batch):
    """Logits: how near each class's mean is."""
    return -jnp.square(batch[:, None] - means).sum(axis=(2, 3, 4))


def exact_distance(x: np.ndarray) -> float:
    """From x to where `nearest_mean` changes its answer."""
    squares = np.square(x - np.asarray(means)).sum(axis=(1, 2, 3))
    own = int(np.argmin(squares))
    between = np.linalg.norm(np.asarray(means - means[own]).reshape(3, -1), axis=1)
    others = [j for j in range(3) if j != own]
    return float(min((squares[j] - squares[own]) / (2 * between[j]) for j in others))


nearest, means = aj.from_function(nearest_mean, means, example=x[0])


@jax.jit
def certified_ball(means, x, key):
    """The certificate of one image under a fixed sigma."""
    scale = aj.Isotropic(sigma=SIGMA)
    return aj.certify(nearest, means, x, key, law=law, scale=scale, plan=plan)


balls = [certified_ball(means, *one) for one in zip(x, keys, strict=True)]
pd.DataFrame(
    {
        "class": [NAMES[kind] for kind in fresh.y],
        "certified": [
            "abstains" if one.label == aj.ABSTAIN else NAMES[int(one.label)] for one in balls
        ],
        "radius": [round_down(float(one.region.radius()), 3) for one in balls],
        "exact distance": [round_down(exact_distance(image), 3) for image in fresh.x],
    }
)

# %% [markdown]
# The certified radius never exceeds the exact distance, as it must not. The last one falls short
# because 10,000 draws prove at most 3.2 standard deviations, 0.8 here.
#
# ## What is refused
#
# Votes are counted over batches, and the searches take a softmax of their own. Functions that would
# break either are refused when they are handed over, with a sentence that says what to do.


# %%
def probabilities(means, batch):
    """No logits: the last softmax must be left off."""
    return jax.nn.softmax(nearest_mean(means, batch))


def centred_on_the_batch(means, batch):
    """Each input's answer depends on its neighbours."""
    return nearest_mean(means, batch - batch.mean(axis=0))


for refused in (probabilities, centred_on_the_batch):
    try:
        aj.from_function(refused, means, example=x[0])
    except ValueError as error:
        print(f"{refused.__name__}: {error}")
