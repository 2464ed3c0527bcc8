"""Rotated scales with their dense float64 matrices, and an oracle for pairs of their regions."""

import cvxpy
import jax.numpy as jnp
import numpy as np

import aniso_jax as aj


def rotated(d: int, k: int, seed: int = 0, *, equal: bool = False, low: float = 0.2):
    """A rotated scale and its matrix in float64, from the float32 numbers as they stand."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(d, k)))[0].T.astype(np.float32)
    stretch = rng.uniform(low, 5, k).astype(np.float32)
    theta = (np.full(d, 0.7) if equal else rng.uniform(0.2, 3, d)).astype(np.float32)
    inner = np.eye(d) + (basis.T * (stretch.astype(np.float64) - 1)) @ basis.astype(np.float64)
    scale = aj.Rotated(theta=theta, basis=basis, stretch=stretch)
    return scale, np.float64(theta)[:, None] * inner


def region(scale, center, gap=1.5, order=2) -> aj.Region:
    return aj.Region(
        center=jnp.asarray(center, jnp.float32), scale=scale, gap=jnp.float32(gap), order=order
    )


def growth(a: aj.Region, b: aj.Region, matrices) -> float:
    """By how much both may grow before they meet, from a cone program in float64."""
    y, t = cvxpy.Variable(a.dimension), cvxpy.Variable()
    limits = [
        cvxpy.norm(np.linalg.inv(matrix) @ (y - np.float64(r.center)) / float(r.gap), r.order) <= t
        for r, matrix in zip((a, b), matrices, strict=True)
    ]
    problem = cvxpy.Problem(cvxpy.Minimize(t), limits)
    problem.solve(solver=cvxpy.CLARABEL, tol_gap_abs=1e-9, tol_gap_rel=1e-9, tol_feas=1e-9)
    return float(t.value)
