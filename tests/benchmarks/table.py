"""The one table that a run prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

_HEADINGS = ("section", "what", "figure", "ratio", "p50", "p99", "remarks")


@dataclass(frozen=True)
class Line:
    """One measurement. Everything is text already, since figures differ in unit."""

    section: str
    what: str
    figure: str
    ratio: str = ""
    p50: str = ""
    p99: str = ""
    remarks: str = ""


def rendered(lines: Iterable[Line]) -> str:
    """A Markdown table whose columns also stand under each other as plain text."""
    rows: list[Sequence[str]] = [_HEADINGS, *(astuple(line) for line in lines)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADINGS))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    return "\n".join([texts[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *texts[1:]])


def milliseconds(seconds: float) -> str:
    value = seconds * 1000
    return f"{value:.1f} ms" if value >= 10 else f"{value:.2f} ms"
