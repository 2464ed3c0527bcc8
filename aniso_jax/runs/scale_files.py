"""Scales from a file: one theta for all inputs, or what `aniso-jax optimize` found for each."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.data.ids import digest
from aniso_jax.geometry.scales import Diagonal
from aniso_jax.models.checkpoint import Model
from aniso_jax.runs.inputs import Inputs
from aniso_jax.runs.sources import Scales

Array = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class OneTheta:
    """One theta from a .npy file for all inputs: one classifier, needing no memory."""

    theta: Array
    kind = "file"
    is_sought = False

    @property
    def description(self) -> str:
        """The hash of the file's theta."""
        return f"one theta for all inputs, sha256 {digest(self.theta)}"

    def __call__(self, model: Model, x: jax.Array, keys: jax.Array, ids: list[str]) -> Scales:
        """The file's theta, once per input."""
        theta = jnp.broadcast_to(jnp.asarray(self.theta), x.shape)
        sigma = jnp.full(len(x), self.theta.min(), jnp.float32)
        return Scales(scale=Diagonal(theta=theta), sigma=sigma)


@dataclass(frozen=True, kw_only=True)
class ThetaPerInput:
    """The theta that `aniso-jax optimize` wrote for each input, by the input's content."""

    ids: dict[str, int]
    theta: Array
    sigma: Array
    kind = "file"
    is_sought = False

    @property
    def description(self) -> str:
        """The hash of the file's thetas."""
        content = digest(self.theta, self.sigma, np.array(list(self.ids)))
        return f"one theta per input, sha256 {content}"

    def __call__(self, model: Model, x: jax.Array, keys: jax.Array, ids: list[str]) -> Scales:
        """The thetas of these inputs, all of which the file knows."""
        rows = np.array([self.ids[i] for i in ids])
        theta = jnp.asarray(self.theta[rows])
        return Scales(scale=Diagonal(theta=theta), sigma=jnp.asarray(self.sigma[rows]))


def scales_content(ids: list[str], theta: Array, sigma: Array, *, law: str) -> dict[str, Any]:
    """The arrays of a scale file."""
    return {"ids": np.array(ids), "theta": theta, "sigma": sigma, "law": np.array(law)}


def read_scales(path: Path, law: str, inputs: Inputs) -> OneTheta | ThetaPerInput:
    """One theta (.npy) or one per input (.npz); refuses a file that is none for these inputs."""
    arrays, shape = _read_arrays(path), inputs.data.x.shape[1:]
    if "ids" not in arrays:
        return OneTheta(theta=_checked(path, "theta", arrays["theta"], shape))
    if str(arrays["law"]) != law:
        raise ValueError(
            f"{path} was optimised for the {arrays['law']} law, you asked for {law}: "
            f"give --law {arrays['law']}, or optimise again."
        )
    rows = {str(name): row for row, name in enumerate(arrays["ids"])}
    _check_covers(path, rows, inputs)
    theta = _checked(path, "theta", arrays["theta"], (len(rows), *shape))
    sigma = _checked(path, "sigma", arrays["sigma"], (len(rows),))
    return ThetaPerInput(ids=rows, theta=theta, sigma=sigma)


def _check_covers(path: Path, rows: dict[str, int], inputs: Inputs) -> None:
    """Before the first draw: every input has its theta."""
    missing = [index for index, name in inputs.ids.items() if name not in rows]
    if missing:
        raise ValueError(
            f"{path} has no scale for {len(missing)} of the {len(inputs.ids)} inputs (the first is "
            f"input {missing[0]}): run aniso-jax optimize over the same selection first."
        )


def _read_arrays(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ValueError(
            f"--scale {path} is neither fixed, isotropic, anisotropic nor a file that is there."
        )
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return {"theta": content}
        with content:
            return {name: content[name] for name in ("ids", "theta", "sigma", "law")}
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        # NumPy takes for pickled objects whatever it does not know, and names a way to run them.
        reason = "it is no array of numbers" if "pickle" in str(error) else error
        raise ValueError(
            f"{path} is not a scale file ({reason}): give one theta as .npy, or what "
            "aniso-jax optimize wrote."
        ) from error


def _checked(path: Path, name: str, scale: NDArray[Any], shape: tuple[int, ...]) -> Array:
    """The scale in float32, in which it certifies; a float64 may overflow or vanish there."""
    if scale.shape != shape:
        raise ValueError(
            f"The {name} of {path} has shape {scale.shape}, the inputs want {shape}: give one "
            "number for each coordinate of an input."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        single = scale.astype(np.float32) if scale.dtype.kind == "f" else np.zeros(1, np.float32)
    if not np.all(np.isfinite(single) & (single > 0)):
        raise ValueError(f"The {name} of {path} must be floating, finite and positive everywhere.")
    return single
