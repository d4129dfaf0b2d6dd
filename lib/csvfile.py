"""CSV files that we hand out: readable by spreadsheets, and harmless in them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FORMULA = re.compile(r"[=+\-@\t\r\n]")
"""What makes a spreadsheet take a text for a formula when it comes first, also behind spaces."""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def render(preamble: Sequence[Sequence[str]], header: Sequence[str], rows: Iterable[Sequence[str | int]]) -> bytes:
    """A CSV file: UTF-8 with a byte order mark, CRLF, commas.

    `preamble` are lines above the header, such as a filter and totals. Whole numbers and plain decimals stay numbers;
    a text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, "CSV Injection").
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    for line in (*preamble, *([[]] if preamble else []), header):
        writer.writerow([harmless(cell) for cell in line])
    for row in rows:
        writer.writerow([cell if isinstance(cell, int) else harmless(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig", "replace")


def harmless(text: str) -> str:
    """`text`, with an apostrophe in front where a spreadsheet would take it for a formula."""
    if _FORMULA.match(text.lstrip(" \u00a0")) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text
