"""Reading Checkout.com's two CSV reports, Financial Actions and Payouts, row by row.

Columns are found by name, in any order; those we do not know are kept. A file with anything wrong in it is refused
whole: `BadReport` names the line and the column, and says what was expected there.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import IO, Literal
from zoneinfo import ZoneInfo

from lib import catalog
from lib.ledger.tables import time_text
from lib.money import Money

Kind = Literal["financial actions", "payouts"]

PLACES = 8
"""Decimals that the reports write at most. Their amounts are kept as whole hundred-millionths of a major unit: `units`."""
_PART = 10**PLACES

_ACTIONS = (
    "Action Type",
    "Breakdown Type",
    "Processing Currency",
    "Processing Currency Amount",
    "Holding Currency",
    "Holding Currency Amount",
)
_EITHER = (("Action ID", "Payment ID"), ("Processed On", "Processed On UTC"))
_PAYOUTS = ("Payout ID", "Holding Currency", "Payout Amount")
_KNOWN = frozenset(
    {
        *_ACTIONS,
        *_PAYOUTS,
        "Action ID",
        "Payment ID",
        "Reference",
        "Processed On",
        "Processed On UTC",
        "Timezone",
        "Payment Method",
        "Payout Date",
        "Reporting Start Date",
        "Reporting End Date",
    }
)
_TAKEN = frozenset({"Capture", "Partial Capture"})
_GIVEN = frozenset({"Refund", "Partial Refund"})
_AMOUNT = re.compile(r"([+-]?)([0-9]{1,10})(?:\.([0-9]{1,8}))?")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LONGEST = {"Action ID": 100, "Payment ID": 100, "Payout ID": 40, "Breakdown Type": 80, "Action Type": 80}


class BadReport(ValueError):
    """A file that cannot be taken. The message is for the person who chose it, with the line and the column."""


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One row of a Financial Actions report: one line of one action's breakdown. Amounts in `units`, signed."""

    line: int
    action_type: str
    breakdown: str
    action_id: str
    payment_id: str
    reference: str
    processed_at: datetime
    currency: str
    amount: int
    holding: str
    held: int
    """The only column that may be added up, and the one that payouts are made of."""
    payout_id: str
    method: str
    extra: dict[str, str]

    @property
    def kind(self) -> Literal["capture", "refund", "fee", "other"]:
        """Money that a ledger row stands for, what it cost, or anything else that touches the account."""
        if self.breakdown in _TAKEN:
            return "capture"
        if self.breakdown in _GIVEN:
            return "refund"
        return "fee" if self.breakdown.endswith(("Fee", "Tax")) else "other"

    @property
    def identity(self) -> str:
        """The same for the same row in whichever file. A payout's id is not part of it: it is known only after the cut."""
        parts = (self.action_id, self.payment_id, self.breakdown, self.currency, str(self.amount), self.holding)
        return "\x1f".join((*parts, str(self.held), time_text(self.processed_at)))


@dataclass(frozen=True, slots=True)
class PayoutRow:
    """One row of a Payouts report. `amount` in `units`."""

    line: int
    payout_id: str
    holding: str
    amount: int
    paid_on: date | None
    extra: dict[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """A file with its header read; `rows` reads on as it is asked, so that no file need fit in memory."""

    kind: Kind
    rows: Iterator[ActionRow] | Iterator[PayoutRow]


def read(stream: IO[bytes], zone: ZoneInfo) -> Report:
    """Begin to read a report. Raises `BadReport`, as do its rows.

    `zone` is that of local times where the file names none. Times come from the UTC column where there is one.
    """
    start = stream.read(4)
    stream.seek(0)
    if start[:2] == b"PK":
        raise BadReport("This is an Excel or zip file. Download the report as CSV, or unpack it, and choose that file.")
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BadReport("The file is in UTF-16. Expected UTF-8, as it is downloaded; save it so, or download it again.")
    lines = _Lines(stream)
    header = [name.strip() for name in next(lines, (1, []))[1]]
    if not any(header):
        raise BadReport("The file is empty. Expected a first line with the names of the columns.")
    columns = _columns(header)
    if columns.keys() >= set(_PAYOUTS):
        return Report("payouts", (_payout(row) for row in _records(lines, columns)))
    if "Payout Amount" in columns:
        raise _without(header, [name for name in _PAYOUTS if name not in columns], "Payouts")
    missing = [name for name in _ACTIONS if name not in columns]
    missing += [" or ".join(either) for either in _EITHER if not columns.keys() & set(either)]
    if missing:
        raise _without(header, missing, "Financial Actions")
    return Report("financial actions", (_action(row, zone) for row in _records(lines, columns)))


def units_of(money: Money) -> int:
    """Minor units as hundred-millionths of a major unit."""
    return money.minor * _minor(money.currency)


def whole(units: int, currency: str) -> Money:
    """The nearest whole number of minor units; of two equally near the even one."""
    part = _minor(currency)
    minor, rest = divmod(units, part)
    up = rest * 2 > part or (rest * 2 == part and minor % 2 == 1)
    return Money(minor + up, currency)


def written(units: int, currency: str) -> str:
    """`-24.20`: the figure with the currency's decimals, or with as many as it takes."""
    sign, rest = "-" if units < 0 else "", abs(units)
    decimals = f"{rest % _PART:0{PLACES}}".rstrip("0").ljust(catalog.digits(currency), "0")
    return f"{sign}{rest // _PART}{'.' if decimals else ''}{decimals}"


def _minor(currency: str) -> int:
    return int(10 ** (PLACES - catalog.digits(currency)))


class _Lines:
    """The records of a CSV file with the line on which each begins."""

    def __init__(self, stream: IO[bytes]) -> None:
        # What is not UTF-8 comes as lone surrogates, so that the line and the column can be told.
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        self._text = text
        self._reader = csv.reader(text, strict=True)

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> tuple[int, list[str]]:
        while True:
            line = self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                self._text.detach()  # so that the caller's file stays open
                raise
            except csv.Error as error:
                raise BadReport(
                    f"Line {line}: not CSV ({error}). Expected commas between cells, and quotes in pairs."
                ) from error
            if any(cells):
                return line, cells


class _Record:
    """One row, its cells by column name."""

    def __init__(self, line: int, cells: Sequence[str], columns: Mapping[str, int]) -> None:
        self.line = line
        self._cells = cells
        self._columns = columns

    def has(self, column: str) -> bool:
        return column in self._columns

    def text(self, column: str) -> str:
        """The cell, or nothing where there is no such column."""
        place = self._columns.get(column)
        found = "" if place is None else self._cells[place].strip()
        if found and (len(found) > _LONGEST.get(column, 255) or not found.isprintable()):
            raise self.bad(column, "a short text in plain characters")
        return found

    def needed(self, column: str) -> str:
        found = self.text(column)
        if not found:
            raise self.bad(column, "a value")
        return found

    def currency(self, column: str) -> str:
        found = self.text(column)
        if not _CURRENCY.fullmatch(found):
            raise self.bad(column, "a currency such as HKD")
        return found

    def units(self, column: str) -> int:
        found = _AMOUNT.fullmatch(self.text(column))
        if not found:
            raise self.bad(column, "an amount such as -24.20: digits, a point, at most 8 decimals and no commas")
        sign, major, decimals = found.groups()
        units: int = int(major) * _PART + int((decimals or "").ljust(PLACES, "0"))
        return -units if sign == "-" else units

    def moment(self, column: str, zone: ZoneInfo) -> datetime:
        found = self.text(column)
        try:
            if len(found) < 16:
                raise ValueError("a day alone is no time")
            moment = datetime.fromisoformat(found)
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.bad(column, "a date and time such as 2026-03-02T12:00:00") from None

    def day(self, column: str) -> date | None:
        found = self.text(column)
        if not found:
            return None
        try:
            return datetime.fromisoformat(found).date()
        except ValueError:
            raise self.bad(column, "a date such as 2026-03-02") from None

    def zone(self, otherwise: ZoneInfo) -> ZoneInfo:
        name = self.text("Timezone")
        zone = _zone(name) if name else otherwise
        if zone is None:
            raise self.bad("Timezone", "a time zone such as Asia/Hong_Kong")
        return zone

    def extra(self) -> dict[str, str]:
        return {
            name: self._cells[place]
            for name, place in self._columns.items()
            if name not in _KNOWN and self._cells[place]
        }

    def bad(self, column: str, expected: str) -> BadReport:
        said = self._cells[self._columns[column]].strip() if column in self._columns else ""
        found = f"found “{said[:40]}”" if said else "found nothing"
        return BadReport(f"Line {self.line}, column “{column}”: expected {expected}; {found}. Nothing was imported.")


def _columns(header: Sequence[str]) -> dict[str, int]:
    if len(header) == 1 and ";" in header[0]:
        raise BadReport("Line 1: the columns are separated by semicolons. Expected commas, as in the file downloaded.")
    known = {name.lower(): name for name in _KNOWN}
    columns: dict[str, int] = {}
    for place, name in enumerate(header):
        column = known.get(name.lower(), name)
        if column in columns:
            raise BadReport(f"Line 1, column “{name}”: it is there twice. Expected every column once.")
        columns[column] = place
    return columns


def _without(header: Sequence[str], missing: Sequence[str], kind: str) -> BadReport:
    names = ", ".join(f"“{name}”" for name in missing)
    found = ", ".join(header[:4])
    return BadReport(
        f"Line 1: a {kind} report needs {names}; found {found[:120]}{' …' if len(header) > 4 else ''}. "
        "Expected the CSV of Checkout.com's Financial Actions or Payouts report with its first line."
    )


def _records(lines: _Lines, columns: Mapping[str, int]) -> Iterator[_Record]:
    for line, cells in lines:
        if len(cells) != len(columns):
            after = list(columns)[min(len(cells), len(columns)) - 1]
            raise BadReport(
                f"Line {line}, column “{after}”: expected {len(columns)} cells as in the first line; "
                f"found {len(cells)}. Nothing was imported."
            )
        for name, cell in zip(columns, cells, strict=True):
            if not cell.isascii() and _NOT_UTF8.search(cell):
                raise BadReport(f"Line {line}, column “{name}”: expected text in UTF-8. Nothing was imported.")
        yield _Record(line, cells, columns)


def _action(row: _Record, zone: ZoneInfo) -> ActionRow:
    utc = row.text("Processed On UTC")
    processed = row.moment("Processed On UTC", ZoneInfo("UTC")) if utc else row.moment("Processed On", row.zone(zone))
    action = ActionRow(
        row.line,
        row.needed("Action Type"),
        row.needed("Breakdown Type"),
        row.text("Action ID"),
        row.text("Payment ID"),
        row.text("Reference"),
        processed,
        row.currency("Processing Currency"),
        row.units("Processing Currency Amount"),
        row.currency("Holding Currency"),
        row.units("Holding Currency Amount"),
        row.text("Payout ID"),
        row.text("Payment Method"),
        row.extra(),
    )
    if action.kind in ("capture", "refund"):
        if not action.action_id and not action.payment_id:
            raise row.bad("Action ID" if row.has("Action ID") else "Payment ID", "the id of a payment or of its action")
        if (action.amount < 0) is (action.kind == "capture") and action.amount:
            sign = "above zero for a capture" if action.kind == "capture" else "below zero for a refund"
            raise row.bad("Processing Currency Amount", f"an amount {sign}")
    return action


def _payout(row: _Record) -> PayoutRow:
    return PayoutRow(
        row.line,
        row.needed("Payout ID"),
        row.currency("Holding Currency"),
        row.units("Payout Amount"),
        row.day("Payout Date"),
        row.extra(),
    )


@lru_cache
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
