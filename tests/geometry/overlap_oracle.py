"""By how much two regions may both grow before they meet, from a cone or linear program."""

import cvxpy
import numpy as np

import aniso_jax as aj

ACCURACY = 1e-7
"""Relative, of what the oracle says; measured against the closed form for balls."""


def growth(a: aj.Region, b: aj.Region) -> float:
    """The smallest t for which { ||A_a (y - x_a)|| <= t gap_a } and that of b have a common point.

    Below 1 the regions overlap, above 1 they are disjoint. Clarabel solves it in float64, from the
    float32 numbers as they stand.
    """
    x_a, x_b = (np.asarray(r.center, np.float64).ravel() for r in (a, b))
    axes_a, axes_b = (semi_axes(r) for r in (a, b))
    # in units of each coordinate's longer semi-axis, so that the program is well scaled
    unit = np.maximum(axes_a, axes_b)
    y, t = cvxpy.Variable(len(unit)), cvxpy.Variable()
    offset = (x_b - x_a) / unit
    limits = [
        cvxpy.norm(cvxpy.multiply(unit / axes_a, y), a.order) <= t,
        cvxpy.norm(cvxpy.multiply(unit / axes_b, y - offset), a.order) <= t,
    ]
    problem = cvxpy.Problem(cvxpy.Minimize(t), limits)
    accuracy = {"tol_gap_abs": 1e-9, "tol_gap_rel": 1e-9, "tol_feas": 1e-9}
    problem.solve(solver=cvxpy.CLARABEL, **accuracy)
    assert problem.status == cvxpy.OPTIMAL, problem.status
    return float(t.value)


def semi_axes(region: aj.Region) -> np.ndarray:
    """gap * theta in float64, flattened."""
    ones = np.ones(np.shape(region.center))
    diagonal = getattr(region.scale, "theta", getattr(region.scale, "sigma", None))
    return np.float64(region.gap) * (np.asarray(diagonal, np.float64) * ones).ravel()
