"""Settlement: what each settlement day brought in each currency. Refunds count on the day they were decided, not on the sale's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from lib.ledger.calendar import SettlementDays
from lib.ledger.closing import booked_before, booked_by_day, closed_until
from lib.ledger.database import Database
from lib.ledger.sums import Sums, nothing, sums_by_currency, sums_of
from lib.ledger.volumes import BEGINNING, by_slot
from lib.money import Money


@dataclass(frozen=True, slots=True)
class SettlementLine:
    """One settlement day in one currency.

    Balances are all that was captured less all that was refunded, ever, before the day and at its end: payouts are
    not taken off.
    """

    day: date
    sums: Sums
    opening: Money

    @property
    def currency(self) -> str:
        return self.sums.currency

    @property
    def closing(self) -> Money:
        return self.opening + self.sums.net


def settlement(database: Database, first: date, last: date, days: SettlementDays) -> list[SettlementLine]:
    """A line for every settlement day from `first` to `last`, and currency, in which money moved; newest day first.

    Days of closed months are as they were frozen; what was heard of them later is in the first open month's first day.
    """
    named = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    edges = [days.start(day) for day in [*named, last + timedelta(days=1)]]
    with database.read() as connection:
        found = by_slot(connection, edges)
        before = sums_by_currency(connection, BEGINNING, edges[0])
        balances = {currency: sums.net for currency, sums in before.items()}
        by_day = {
            day: {currency: sums_of(volumes) for currency, volumes in by_currency.items()}
            for day, by_currency in zip(named, found, strict=True)
        }
        for currency, end in closed_until(connection).items():
            if edges[0] <= end:
                balances[currency] = booked_before(connection, currency, edges[0])
                booked = booked_by_day(connection, currency, first, last, days)
                for day in named:
                    by_day[day][currency] = booked.get(day, nothing(currency))
    lines = []
    for day, by_currency in by_day.items():
        for currency, sums in by_currency.items():
            if sums != nothing(currency):
                line = SettlementLine(day, sums, balances.get(currency, Money(0, currency)))
                balances[currency] = line.closing
                lines.append(line)
    return sorted(lines, key=lambda line: (-line.day.toordinal(), line.currency))


def settlement_totals(lines: Iterable[SettlementLine]) -> dict[str, Sums]:
    """The lines added up by currency, and never across."""
    totals: dict[str, Sums] = {}
    for line in lines:
        totals[line.currency] = totals[line.currency] + line.sums if line.currency in totals else line.sums
    return dict(sorted(totals.items()))
