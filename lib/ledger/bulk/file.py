"""The CSV file of a bulk refund: any bytes become rows, or one sentence that says what is wrong with the file."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from hashlib import sha256

from lib import csvfile

ROWS = 50_000
MEBIBYTES = 5
COLUMNS = ("reference", "payment_id", "amount", "currency", "reason", "note")
NOTE_LENGTH = 1000

_TITLES = {
    "reference": ("reference", "ref", "order", "orderid", "ordernumber", "orderreference", "paymentreference"),
    "payment_id": ("paymentid", "payment", "id"),
    "amount": ("amount", "refund", "refundamount"),
    "currency": ("currency", "currencycode", "ccy"),
    "reason": ("reason", "reasoncode", "refundreason"),
    "note": ("note", "notes", "comment", "comments"),
}
_COLUMN_OF = {title: column for column, titles in _TITLES.items() for title in titles}
_SEPARATORS = (",", ";", "\t")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SAVE_AS = "In the spreadsheet choose “Save as”, “CSV UTF-8”, and upload that file."
_SAVE_TYPED = "Save the file again as “CSV UTF-8” and upload that one."


class BadFile(ValueError):
    """The file cannot be read at all. The message is a sentence for the person who chose it."""


@dataclass(frozen=True, slots=True)
class Given:
    """One row as it was typed, cells stripped. `line` counts from 1 with the header, as spreadsheets do.

    `problem` says in a sentence why its cells cannot be trusted, whatever they say.
    """

    line: int
    reference: str = ""
    payment_id: str = ""
    amount: str = ""
    currency: str = ""
    reason: str = ""
    note: str = ""
    problem: str | None = None


@dataclass(frozen=True)
class Sheet:
    """A file that can be read. `digest` is of what the rows say and where they stand, not of how they are written down:
    a file that a spreadsheet saved again, with other separators or another order of columns, has the same.
    """

    digest: str
    count: int
    ignored: tuple[str, ...]
    """Titles of columns that mean nothing here."""
    _text: str
    _layout: _Layout

    def rows(self) -> Iterator[Given]:
        """The rows in order, without the blank ones."""
        return _rows(self._text, self._layout)


@dataclass(frozen=True, slots=True)
class _Layout:
    separator: str
    header_line: int
    width: int
    places: dict[str, int]


def read(raw: bytes) -> Sheet:
    """Check a whole file. Raises `BadFile` and nothing else, whatever the bytes.

    Commas, semicolons or tabs; UTF-8 with or without a byte order mark; columns in any order, of which `reference` or
    `payment_id`, `amount`, `currency` and `reason` must be there. What is wrong with single rows is no error here.
    """
    text = _decode(raw)
    titles, layout = _header(text)
    digest, count = sha256(), 0
    for row in _rows(text, layout):
        count += 1
        if count > ROWS:
            raise BadFile(f"The file has more than {ROWS:,} rows. Split it, and upload the parts one after another.")
        digest.update(repr(astuple(row)).encode())
    if not count:
        raise BadFile("The file has a header and no rows below it. Add a row for each refund.")
    ignored = tuple(title for title in titles if title.strip() and _column(title) is None)
    return Sheet(digest.hexdigest()[:32], count, ignored, text, layout)


def template() -> bytes:
    """A file to begin with: the header and two rows that show how."""
    examples = (
        ("ORD-1001", "11.00", "HKD", "damaged", "Cup broken"),
        ("ORD-1002", "45000", "KRW", "item_returned", ""),
    )
    return csvfile.render([], [column for column in COLUMNS if column != "payment_id"], examples)


def _decode(raw: bytes) -> str:
    if len(raw) > MEBIBYTES * 1024 * 1024:
        raise BadFile(f"The file is larger than {MEBIBYTES} MB. Split it, and upload the parts one after another.")
    if raw.startswith(_SPREADSHEETS):
        raise BadFile(f"This is a spreadsheet, not a CSV file. {_SAVE_AS}")
    if raw.startswith(_UTF_16):
        raise BadFile(f"The file is written in UTF-16. {_SAVE_TYPED}")
    if b"\0" in raw:
        raise BadFile(f"The file has NUL characters in it, so it is not a text in UTF-8. {_SAVE_TYPED}")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise BadFile(f"Line {line} of the file is not written in UTF-8. {_SAVE_TYPED}") from None


def _header(text: str) -> tuple[list[str], _Layout]:
    found = {separator: _first_row(text, separator) for separator in _SEPARATORS}
    separator = max(_SEPARATORS, key=lambda one: sum(_column(title) is not None for title in found[one][1]))
    line, titles = found[separator]
    if not titles:
        raise BadFile("The file is empty. Download the template to see what belongs in it.")
    places: dict[str, int] = {}
    for place, title in enumerate(titles):
        column = _column(title)
        if column in places:
            raise BadFile(f"Two columns are for the {column.replace('_', ' ')}. Keep one of them.")
        if column:
            places[column] = place
    wanted = [column for column in ("amount", "currency", "reason") if column not in places]
    if "reference" not in places and "payment_id" not in places:
        wanted.insert(0, "reference (or payment_id)")
    if not places:
        shown = ", ".join(title.strip()[:20] for title in titles[:6])
        raise BadFile(f"The first row must name the columns: {', '.join(wanted)}. It says: {shown}.")
    if wanted:
        plural = len(wanted) > 1
        raise BadFile(
            f"The column{'s' * plural} {', '.join(wanted)} {'are' if plural else 'is'} missing. "
            "Name every column in the first row."
        )
    return titles, _Layout(separator, line, len(titles), places)


def _first_row(text: str, separator: str) -> tuple[int, list[str]]:
    """The first row that is not blank. What one separator cannot read, another may."""
    with contextlib.suppress(BadFile):
        for line, cells in _cells(text, separator):
            if any(cell.strip() for cell in cells):
                return line, cells
    return 0, []


def _column(title: str) -> str | None:
    return _COLUMN_OF.get(re.sub(r"[^a-z0-9]", "", title.lower()))


def _rows(text: str, layout: _Layout) -> Iterator[Given]:
    for line, cells in _cells(text, layout.separator):
        if line > layout.header_line and any(cell.strip() for cell in cells):
            yield _row(line, cells, layout)


def _row(line: int, cells: Sequence[str], layout: _Layout) -> Given:
    given = {column: cells[place].strip() if place < len(cells) else "" for column, place in layout.places.items()}
    return Given(line, **given, problem=_problem(given, cells, layout))


def _problem(given: dict[str, str], cells: Sequence[str], layout: _Layout) -> str | None:
    if any(cell.strip() for cell in cells[layout.width :]):
        return (
            f"This row has {len(cells)} cells and the header has {layout.width}. An amount or a note with "
            f"“{layout.separator}” in it must stand in quotation marks."
        )
    for column, cell in given.items():
        if cell.startswith(("=", "@")):
            return f"“{cell[:40]}” in the column {column} is a formula. Put what it comes to in its place."
    currency = given["currency"]
    if currency and not currency.isalpha():
        return (
            f"The currency column says “{currency[:20]}”. An amount with “{layout.separator}” in it must stand in "
            "quotation marks, or it spills over into the next column."
        )
    if len(given.get("note", "")) > NOTE_LENGTH:
        return f"The note may have {NOTE_LENGTH} characters, this has {len(given['note'])}."
    return None


def _cells(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 0
    try:
        for line, cells in enumerate(reader, 1):
            yield line, cells
    except csv.Error:
        raise BadFile(
            f"Row {line + 1} cannot be read: its quotation marks do not pair up. A quotation mark inside a cell is "
            "written twice."
        ) from None
