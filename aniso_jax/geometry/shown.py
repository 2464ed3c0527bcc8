"""What a result shows of itself in a notebook: one small table, and its numbers cut downward."""

import math
from collections.abc import Mapping
from html import escape

import numpy as np
from jax.typing import ArrayLike

from aniso_jax.geometry.decimals import cut
from aniso_jax.geometry.rotated import Rotated
from aniso_jax.geometry.scales import Diagonal, Isotropic, Scale

_LEFT = "style='text-align:left'"
_MISSING = "–"


def table(rows: Mapping[str, object], caption: str = "") -> str:
    """An HTML table of names beside values; every text in it is escaped.

    >>> table({"label": "<a>"})
    "<table><tr><th style='text-align:left'>label</th><td style='text-align:left'>&lt;a&gt;</td></tr></table>"
    """  # noqa: E501, one line of output
    heading = f"<caption>{escape(caption)}</caption>" if caption else ""
    body = "".join(
        f"<tr><th {_LEFT}>{escape(name)}</th><td {_LEFT}>{escape(str(value))}</td></tr>"
        for name, value in rows.items()
    )
    return f"<table>{heading}{body}</table>"


def code(value: object) -> str:
    """What has no table, batches above all: its text as it is."""
    return f"<code>{escape(repr(value))}</code>"


def down(value: ArrayLike, digits: int = 4) -> str:
    """A number that belongs to a claim, cut downward; a dash where it is not finite.

    >>> down(0.12349), down(np.nan)
    ('0.1234', '–')
    """
    number = float(np.asarray(value))
    return f"{cut(number, digits):f}" if math.isfinite(number) else _MISSING


def scale_text(scale: Scale) -> str:
    """A scale in a few words.

    >>> scale_text(Diagonal(theta=np.array([0.25, 1.0])))
    'diagonal, theta 0.25 to 1'
    """
    if isinstance(scale, Isotropic):
        return f"isotropic, sigma {_range(scale.sigma)}"
    if isinstance(scale, Diagonal):
        return f"diagonal, theta {_range(scale.theta)}"
    if isinstance(scale, Rotated):
        stretched = f"{scale.directions} directions stretched {_range(scale.stretch)}"
        return f"rotated, theta {_range(scale.theta)}, {stretched}"
    return type(scale).__name__


def _range(values: ArrayLike) -> str:
    flat = np.ravel(np.asarray(values))
    low, high = f"{float(flat.min()):.4g}", f"{float(flat.max()):.4g}"
    return low if low == high else f"{low} to {high}"
