"""Stacked bars as SVG from the server, upright or across, with the same numbers as a table.

Widths are in percent and heights in pixels, so the chart fills its place and its words keep their
size on a phone. Colours come from classes, because the content security policy forbids styles.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import template

register = template.Library()

PLOT = 168  # pixels from the base line to the highest tick
ROOM_ABOVE = 14
ROOM_BELOW = 22
BAR = 0.8  # of the width a column has
THINNEST = 2.0  # pixels: one refusal among thousands must still be visible
NARROWEST = 0.5  # percent, for the same reason
MOST_TICKS = 5
EDGE = 4  # percent: a label nearer to the end than this would be cut off


@dataclass(frozen=True, slots=True)
class Column:
    """One column of an upright chart: its name, and a short label below it if it has one."""

    name: str
    label: str = ""
    is_running: bool = False  # its time is not over yet, so its numbers may still grow


@dataclass(frozen=True, slots=True)
class Series:
    """One colour: `key` names its CSS class."""

    key: str
    label: str
    values: Sequence[int]

    @property
    def total(self) -> int:
        return sum(self.values)


@register.inclusion_tag("briefs/_chart.html")
def stacked_bars(
    title: str,
    columns: Sequence[Column],
    series: Sequence[Series],
    *,
    unit: str = "",
    nothing: str = "Nothing was received",
    spans: bool = False,
    table: str = "",
) -> dict[str, Any]:
    """A chart of the series, the first at the bottom, with a legend and a table.

    `spans`: a label names its whole column, as a day does, and not the moment it begins at.
    `table`: the id of a table on the page with these numbers; without it the chart adds a table.
    """
    rows = list(zip(*(one.values for one in series), strict=True))
    top = ticks(max((sum(row) for row in rows), default=0))
    scale = PLOT / top[-1]
    slot = 100 / max(len(columns), 1)
    shift = slot / 2 if spans else 0
    words = ", ".join(f"{one.total:,} {one.label.lower()}" for one in series)
    return {
        "title": title,
        "words": f"{title}: {words}",
        "series": series,
        "unit": unit,
        "nothing": nothing,
        "table_id": table,
        "is_running": any(column.is_running for column in columns),
        "base": ROOM_ABOVE + PLOT,
        "height": ROOM_ABOVE + PLOT + ROOM_BELOW,
        "label_y": ROOM_ABOVE + PLOT + 16,
        "ticks": [(f"{tick:,}", f"{ROOM_ABOVE + PLOT - tick * scale:.1f}") for tick in top],
        "slot": f"{slot:.3f}%",
        "width": f"{slot * BAR:.3f}%",
        "bars": [
            {
                "slot_x": f"{number * slot:.3f}%",
                "x": f"{(number + (1 - BAR) / 2) * slot:.3f}%",
                "name": column.name,
                "is_running": column.is_running,
                "parts": _upright_parts(series, row, scale),
                "told": [(one.label, n) for one, n in zip(series, row, strict=True) if n],
            }
            for number, (column, row) in enumerate(zip(columns, rows, strict=True))
        ],
        "labels": [
            label
            for number, column in enumerate(columns)
            if (label := _label(column, number * slot + shift, spans=spans))
        ],
        "table": [
            (column.name, row, sum(row))
            for column, row in zip(columns, rows, strict=True)
            if any(row)
        ],
    }


@register.inclusion_tag("briefs/_chart_rows.html")
def stacked_rows(
    title: str, names: Sequence[str], series: Sequence[Series], *, unit: str, table: str
) -> dict[str, Any]:
    """One bar across for each name, with a legend; `table` is as in `stacked_bars`."""
    rows = list(zip(*(one.values for one in series), strict=True))
    longest = max((sum(row) for row in rows), default=0)
    words = ", ".join(f"{one.total:,} {one.label.lower()}" for one in series)
    return {
        "words": f"{title}: {words}",
        "series": series,
        "unit": unit,
        "table_id": table,
        "rows": [
            {
                "name": name,
                "sum": sum(row),
                "parts": _row_parts(series, row, longest),
                "told": [(one.label, n) for one, n in zip(series, row, strict=True) if n],
            }
            for name, row in zip(names, rows, strict=True)
        ],
    }


def ticks(highest: int) -> list[int]:
    """Round numbers from 0 up to at least `highest`, few enough to read; never only 0."""
    size = 1
    while True:
        for step in (size, 2 * size, 5 * size):
            if step * MOST_TICKS >= highest:
                return list(range(0, max(-(-highest // step), 1) * step + 1, step))
        size *= 10


def _label(column: Column, at: float, *, spans: bool) -> tuple[str, str, bool] | None:
    """Where a label is, and whether it ends there; None if there is none or it would be cut off."""
    if not column.label or at < EDGE:
        return None
    if at <= 100 - EDGE:
        return f"{at:.3f}%", column.label, False
    return ("100%", column.label, True) if spans else None


def _upright_parts(
    series: Sequence[Series], row: Sequence[int], scale: float
) -> list[dict[str, str]]:
    """The pieces of one bar, from the base line up."""
    y = float(ROOM_ABOVE + PLOT)
    parts = []
    for one, value in zip(series, row, strict=True):
        if value:
            height = max(value * scale, THINNEST)
            y -= height
            parts.append({"key": one.key, "y": f"{y:.1f}", "height": f"{height:.1f}"})
    return parts


def _row_parts(series: Sequence[Series], row: Sequence[int], longest: int) -> list[dict[str, str]]:
    """The pieces of one bar, from the left."""
    x = 0.0
    pieces = []
    for one, value in zip(series, row, strict=True):
        if value:
            width = max(100 * value / longest, NARROWEST)
            pieces.append({"key": one.key, "x": f"{x:.2f}%", "width": f"{width:.2f}%"})
            x += width
    return pieces
