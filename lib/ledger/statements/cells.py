"""Reading a CSV file cell by cell, so that whatever is wrong can be told with its line and its column."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import IO
from zoneinfo import ZoneInfo

from lib.ledger.statements.units import PLACES

_AMOUNT = re.compile(r"([+-]?)([0-9]{1,10})(?:\.([0-9]{1,8}))?")
_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_CURRENCY = re.compile(r"[A-Z]{3}")
_LONGEST = {"Action ID": 100, "Payment ID": 100, "Payout ID": 40, "Breakdown Type": 80, "Action Type": 80}


class BadReport(ValueError):
    """A file that cannot be taken. The message is for the person who chose it, with the line and the column."""


class Lines:
    """The records of a CSV file with the line on which each begins."""

    def __init__(self, stream: IO[bytes]) -> None:
        # What is not UTF-8 comes as lone surrogates, so that the line and the column can be told.
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        self._text = text
        self._reader = csv.reader(text, strict=True)

    def __iter__(self) -> Lines:
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


class Record:
    """One row, its cells by column name."""

    def __init__(self, line: int, cells: Sequence[str], columns: Mapping[str, int]) -> None:
        self.line = line
        self._cells = cells
        self._columns = columns

    def has(self, column: str) -> bool:
        """Whether there is such a column."""
        return column in self._columns

    def text(self, column: str) -> str:
        """The cell, or nothing where there is no such column."""
        place = self._columns.get(column)
        found = "" if place is None else self._cells[place].strip()
        if found and (len(found) > _LONGEST.get(column, 255) or not found.isprintable()):
            raise self.bad(column, "a short text in plain characters")
        return found

    def needed(self, column: str) -> str:
        """The cell, which must not be empty. Raises `BadReport`, as all of these do."""
        found = self.text(column)
        if not found:
            raise self.bad(column, "a value")
        return found

    def currency(self, column: str) -> str:
        """A currency's code."""
        found = self.text(column)
        if not _CURRENCY.fullmatch(found):
            raise self.bad(column, "a currency such as HKD")
        return found

    def units(self, column: str) -> int:
        """A signed decimal in major units, in hundred-millionths of one."""
        found = _AMOUNT.fullmatch(self.text(column))
        if not found:
            raise self.bad(column, "an amount such as -24.20: digits, a point, at most 8 decimals and no commas")
        sign, major, decimals = found.groups()
        units: int = int(major) * 10**PLACES + int((decimals or "").ljust(PLACES, "0"))
        return -units if sign == "-" else units

    def moment(self, column: str, zone: ZoneInfo) -> datetime:
        """A time, in `zone` unless it names its own; in UTC."""
        found = self.text(column)
        try:
            if len(found) < 16:
                raise ValueError("a day alone is no time")
            moment = datetime.fromisoformat(found)
            return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            raise self.bad(column, "a date and time such as 2026-03-02T12:00:00") from None

    def day(self, column: str) -> date | None:
        """A day, or None for an empty cell."""
        found = self.text(column)
        if not found:
            return None
        try:
            return datetime.fromisoformat(found).date()
        except ValueError:
            raise self.bad(column, "a date such as 2026-03-02") from None

    def zone(self, otherwise: ZoneInfo) -> ZoneInfo:
        """The zone that the row names."""
        name = self.text("Timezone")
        zone = _zone(name) if name else otherwise
        if zone is None:
            raise self.bad("Timezone", "a time zone such as Asia/Hong_Kong")
        return zone

    def beyond(self, known: Collection[str]) -> dict[str, str]:
        """The cells that are not empty of all columns but the known ones."""
        return {
            name: self._cells[place]
            for name, place in self._columns.items()
            if name not in known and self._cells[place]
        }

    def bad(self, column: str, expected: str) -> BadReport:
        """The refusal of a cell."""
        said = self._cells[self._columns[column]].strip() if column in self._columns else ""
        found = f"found “{said[:40]}”" if said else "found nothing"
        return BadReport(f"Line {self.line}, column “{column}”: expected {expected}; {found}. Nothing was imported.")


def records(lines: Lines, columns: Mapping[str, int]) -> Iterator[Record]:
    """The rows below the header, each with as many cells as there are `columns`. Raises `BadReport`."""
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
        yield Record(line, cells, columns)


@lru_cache
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
