"""One colour per method and one line per law, the same in every picture and table.

Three colours are Okabe and Ito's, the fourth was chosen to lie farthest from them: all are told
apart under every common colour blindness and legible on white and on near-black (tested). The
line says the law, so no meaning hangs on colour alone.
"""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

METHOD = MappingProxyType(
    {"fixed": "#CC79A7", "isotropic": "#0072B2", "anisotropic": "#D55E00", "rotated": "#8630F2"}
)
FOREIGN = ("#808080", "#B8860B", "#4AA3DF")
LINE = MappingProxyType({"gaussian": "-", "uniform": "--", "laplace": ":"})
MARKER = ("", "o", "s", "^", "D", "v")
CSS_LINE = MappingProxyType({"-": "solid", "--": "dashed", ":": "dotted"})
CSS_MARKER = MappingProxyType({"": "", "o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼"})


def colours(runs: Sequence[pd.DataFrame]) -> list[str]:
    """A colour per run: its method's own, or for runs without a known method one after another."""
    foreign = 0
    chosen = []
    for df in runs:
        colour = METHOD.get(df.attrs.get("scale", ""))
        chosen.append(colour or FOREIGN[foreign % len(FOREIGN)])
        foreign += colour is None
    return chosen


def line_styles(runs: Sequence[pd.DataFrame]) -> list[dict[str, Any]]:
    """Matplotlib line arguments per run; runs of one method and law differ by a marker."""
    seen: dict[tuple[str, str], int] = {}
    styles = []
    for df, colour in zip(runs, colours(runs), strict=True):
        line = LINE.get(df.attrs.get("law", ""), "-")
        repeat = seen.get((colour, line), 0)
        seen[colour, line] = repeat + 1
        marker = MARKER[repeat % len(MARKER)]
        styles.append({"color": colour, "linestyle": line, "marker": marker, "markevery": 0.12})
    return styles
