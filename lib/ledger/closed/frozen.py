"""Rows in their one order, as the text that a closed period keeps and the figures that they come to."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection

from lib.chunks import chunks
from lib.ledger.batch import Batch
from lib.ledger.calendar import SettlementDays
from lib.ledger.closed.late import Row, add_row, row_of
from lib.ledger.closed.months import Month
from lib.ledger.closed.tables import QUARTER, SHEET
from lib.ledger.movements import every
from lib.ledger.quarters import quarter_of
from lib.ledger.tables import time_text
from lib.ledger.volumes import MONEY

_PART = 1000
_INSTANT = timedelta(microseconds=1)


class Frozen:
    """Rows in their order, as the text to keep, with its hash and what the rows come to."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.count = 0
        self._parts: list[tuple[datetime, datetime, str]] = []
        self._quarters: dict[datetime, dict[str, int]] = defaultdict(lambda: dict.fromkeys(MONEY, 0))

    def take(self, rows: Iterable[Row]) -> None:
        """Take in rows, which come in their order."""
        for part in chunks(rows, _PART):
            self.count += len(part)
            lines = "".join(f"{row.line}\n" for row in part)
            self.digest.update(lines.encode())
            self._parts.append((min(row.at for row in part), max(row.at for row in part), lines))
            for row in part:
                add_row(self._quarters[quarter_of(row.at)], row)

    def figures(self) -> tuple[int, ...]:
        """Captured, refunded and the numbers of captures and refunds, in minor units."""
        gross, captures, refunded, refunds = (sum(each[name] for each in self._quarters.values()) for name in MONEY)
        return gross, refunded, captures, refunds

    def store(self, batch: Batch, period_id: int) -> None:
        """Keep all of it with the period."""
        parts = [
            {
                "period_id": period_id,
                "part": number,
                "first_at": time_text(first),
                "last_at": time_text(last),
                "lines": lines,
            }
            for number, (first, last, lines) in enumerate(self._parts)
        ]
        batch.insert(SHEET, parts)
        quarters = [
            {"period_id": period_id, "bucket": time_text(bucket), **measures}
            for bucket, measures in sorted(self._quarters.items())
            if any(measures.values())
        ]
        batch.insert(QUARTER, quarters)


def rows_of_month(connection: Connection, month: Month, days: SettlementDays) -> Iterator[Row]:
    """All rows of a month: those it took over, its own, and last what it cost."""
    yield from month.late
    moved = every(connection, month.currency, month.since, month.until, days)
    yield from _in_order(map(row_of, moved))
    if month.figures.fees:
        name = f"fee:{month.currency}:{month.month}"
        yield Row(month.until - _INSTANT, name, "-", None, -month.figures.fees.minor, 1)


def _in_order(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows that come by time, those of one moment by name: the order must not tell which arrived first."""
    for _, same in groupby(rows, key=lambda row: row.at):
        yield from sorted(same, key=lambda row: row.id)
