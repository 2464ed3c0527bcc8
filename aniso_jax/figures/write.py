"""Pictures as PNG and SVG, and their captions as JSON and as a page."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from aniso_jax.figures.caption import Drawing
from aniso_jax.figures.plane.areas import area_lines
from aniso_jax.storage.atomic import write_atomically

DOTS = 200
"""An inch: twice the 100 at which the page shows them."""


def write_drawing(out: Path, drawing: Drawing) -> None:
    """The picture as OUT/name.png and OUT/name.svg, each whole or not at all."""
    FigureCanvasAgg(drawing.figure)
    for ending in ("png", "svg"):
        write_atomically(out / f"{drawing.name}.{ending}", rendered(drawing.figure, ending))


def rendered(figure: Figure, ending: str) -> bytes:
    """The bytes of a picture: the same for the same figure."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "aniso-jax"}):
        date = {"Date": None} if ending == "svg" else {}
        figure.savefig(buffer, format=ending, dpi=DOTS, metadata=date)
    return buffer.getvalue()


def write_areas(out: Path, table: dict[str, Any]) -> None:
    """The table of areas as OUT/areas.json."""
    write_atomically(out / "areas.json", _json(table))


def write_page(out: Path, drawings: Sequence[Drawing], table: dict[str, Any] | None) -> None:
    """OUT/captions.json, with settings and numbers, and OUT/figures.html, which shows all."""
    captions = {
        drawing.name: {
            "title": drawing.title,
            "caption": drawing.caption,
            "alt": drawing.figure.get_label(),
            "settings": drawing.settings,
            "numbers": drawing.numbers,
        }
        for drawing in drawings
    }
    write_atomically(out / "captions.json", _json(captions))
    page = Environment(
        loader=PackageLoader("aniso_jax.figures"), autoescape=True, undefined=StrictUndefined
    ).get_template("figures.html.j2")
    lines = [] if table is None else [line.strip("| ").split(" | ") for line in area_lines(table)]
    text = page.render(captions=captions, lines=lines, claim=table["claim"] if table else "")
    write_atomically(out / "figures.html", text.encode())


def _json(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, indent=1, ensure_ascii=False) + "\n").encode()
