"""The tables that `peers.py` prints."""

from typing import Any

from rich.console import Console
from rich.table import Table

_MEASURES = {
    "radius": "radius",
    "proxy_radius": "proxy radius",
    "proxy_radius_in_box": "proxy, at most the box",
    "log_volume_in_box": "log-volume in the box",
    "acr": "ACR",
    "acr_proxy_in_box": "proxy ACR, at most the box",
    "correct": "correct",
    "abstained": "abstained",
}


def print_summary(content: dict[str, Any]) -> None:
    """Stages first, then what the scales are worth."""
    console = Console(width=140)
    console.print(_stages(content["stages"]))
    is_short = content["stages"]["end to end"]["published"]["extrapolated"]
    console.print(_scales(content["scales"], is_short))
    shown = ", ".join(f"{stage} {s:.1f} s" for stage, s in content["compile_s"].items())
    console.print(f"Compilation, not counted above: {shown}.")
    console.print(f"Logits differ by {content['logits_differ_by']:.1e} at most.")


def _stages(stages: dict[str, dict[str, Any]]) -> Table:
    table = Table(title="An input, ours and the published pipeline (median, least to most)")
    for name in ("stage", "ours s", "published s", "times faster", "ours evaluations", "published"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for stage, found in stages.items():
        ours, published = found["ours"], found["published"]
        mark = " extrapolated" if published["extrapolated"] else ""
        table.add_row(
            stage,
            _spread(ours["seconds"]),
            _spread(published["seconds"]) + mark,
            _spread(found["times_faster"]),
            f"{ours['evaluations']:,.0f}",
            f"{published['evaluations']:,.0f}",
        )
    return table


def _scales(scales: dict[str, dict[str, Any]], is_short: bool) -> Table:
    note = "; the published searches were cut short, no comparison" if is_short else ""
    table = Table(title=f"Scales, all certified by the same draws (means over inputs){note}")
    table.add_column("measure")
    for name in scales:
        table.add_column(name, justify="right")
    for key, title in _MEASURES.items():
        table.add_row(title, *(_number(means[key]) for means in scales.values()))
    return table


def _spread(values: dict[str, float]) -> str:
    return f"{values['median']:.3g} ({values['least']:.3g} to {values['most']:.3g})"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
