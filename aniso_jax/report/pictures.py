"""Figures as inline SVG that takes its ink and its typeface from the page around it."""

import io
import re
from html import escape

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure


def to_svg(figure: Figure, *, name: str, alt: str) -> Markup:
    """The figure as one `<svg>` element with `alt` as its text alternative.

    Black becomes the page's text colour, so a picture is legible on light and on dark paper;
    `name` (letters, digits, hyphens; unique in the page) prefixes every id, so that pictures do
    not use each other's clips and markers. Equal figures give equal text.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", name):
        raise ValueError(f"name must be letters, digits and hyphens, got {name!r}")
    svg = _rendered(figure)
    svg = svg[svg.index("<svg") :].replace("#000000", "currentColor")
    svg = re.sub(r'(<image\b[^>]*?) id="[^"]*"', r"\1", svg)  # a hash: equal images repeat it
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    svg = re.sub(r'href="#', f'href="#{name}-', svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    head = f'<svg role="img" aria-label="{escape(alt)}"'
    return Markup(svg.replace("<svg", head, 1).rstrip())  # Matplotlib escaped the texts inside


def _rendered(figure: Figure) -> str:
    out = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "aniso-jax"}):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return out.getvalue()
