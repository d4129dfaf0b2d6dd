"""Settlement: what each local day brought in each currency. Refunds count on the day they were decided, not on the sale's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from lib.ledger.database import Database
from lib.ledger.volumes import by_day
from lib.money import Money


@dataclass(frozen=True, slots=True)
class SettlementTotal:
    """Gross captured, refunded and what is left of them in one currency, with the numbers of captures and refunds."""

    gross: Money
    refunded: Money
    captured_count: int
    refunded_count: int

    @property
    def net(self) -> Money:
        return self.gross - self.refunded

    def __add__(self, other: SettlementTotal) -> SettlementTotal:
        return SettlementTotal(
            self.gross + other.gross,
            self.refunded + other.refunded,
            self.captured_count + other.captured_count,
            self.refunded_count + other.refunded_count,
        )


@dataclass(frozen=True, slots=True)
class SettlementLine(SettlementTotal):
    """One day in one currency."""

    day: date
    currency: str


def settlement(database: Database, first: date, last: date, zone: ZoneInfo) -> list[SettlementLine]:
    """A line for every local day and currency in which money moved, newest day first."""
    lines = [
        SettlementLine(
            said.captured,
            said.refunded,
            said.captured_count,
            said.refunded_count,
            day,
            currency,
        )
        for day, currency, said in by_day(database, first, last, zone)
        if said.captured or said.refunded
    ]
    return sorted(lines, key=lambda line: (-line.day.toordinal(), line.currency))


def settlement_totals(lines: Iterable[SettlementLine]) -> dict[str, SettlementTotal]:
    """The lines added up by currency, and never across."""
    totals: dict[str, SettlementTotal] = {}
    for line in lines:
        totals[line.currency] = totals[line.currency] + line if line.currency in totals else line
    return dict(sorted(totals.items()))
