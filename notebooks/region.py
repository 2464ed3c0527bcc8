"""The README's picture: a ball inside its ellipsoid inside the decision region.

Run it from anywhere: `python notebooks/region.py` writes `region.svg` beside this file. Both
regions are certified from 100,000 draws of a classifier in the plane whose inside has a narrow arm.
"""

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import aniso_jax as aj
from aniso_jax.data import toy2d
from aniso_jax.report.landscape import plot_decisions, plot_region
from aniso_jax.report.palette import METHOD
from aniso_jax.report.rounding import text_down

X = jnp.array([0.88, 0.0])
SIZE = (0.42, 1.48, -0.27, 0.27)


def classifier(params: None, batch: jax.Array) -> jax.Array:
    """Logits of the toy data's own labels: class 0 inside the boundary."""
    radius, angle = jnp.hypot(batch[:, 0], batch[:, 1]), jnp.arctan2(batch[:, 1], batch[:, 0])
    edge = toy2d.CORE + toy2d.ARM * jnp.exp(toy2d.SHARPNESS * (jnp.cos(angle) - 1))
    return jnp.stack([edge - radius, radius - edge], axis=-1) / 0.02


def regions() -> dict[str, aj.Region]:
    """The certified regions of X, isotropic and anisotropic."""
    network = classifier, None, X, jax.random.key(0)
    ball = aj.Isotropic(sigma=0.022)
    ellipse = aj.optimize_anisotropic(*network, law=aj.gaussian, init=ball).scale
    certify = jax.jit(partial(aj.certify, *network, law=aj.gaussian, plan=aj.plan(aj.gaussian)))
    scales = {"isotropic": ball, "anisotropic": ellipse}
    return {name: certify(scale=scale).region for name, scale in scales.items()}


def draw(shown: dict[str, aj.Region]) -> Figure:
    """Decisions, the anisotropic region, the isotropic one in it, and the input."""
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    ax = figure.subplots()
    grid = np.stack(np.meshgrid(np.linspace(*SIZE[:2], 900), np.linspace(*SIZE[2:], 460)), -1)
    plot_decisions(toy2d.label(grid), ax, extent=SIZE)
    for name in ("anisotropic", "isotropic"):
        region = shown[name]
        label = f"{name}: proxy radius {text_down(float(region.proxy_radius()), 3)}"
        plot_region(region, ax, colour=METHOD[name], label=label)
    ax.plot(*X, "o", color="black", markersize=5, label="the input")
    ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=SIZE[:2], ylim=SIZE[2:])
    ax.legend(loc="lower left", frameon=True, framealpha=0.9)
    ax.text(1.02, -0.2, "another class", color="#444444")
    return figure


if __name__ == "__main__":
    draw(regions()).savefig(Path(__file__).with_name("region.svg"), metadata={"Date": None})
