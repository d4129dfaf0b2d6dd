"""The settlement months of a currency, closed and open, and what each comes to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile

from sqlalchemy import ColumnElement, Connection, FromClause, bindparam, or_, select

from lib.ledger.batch import Batch
from lib.ledger.books import fees_until
from lib.ledger.calendar import SettlementDays
from lib.ledger.closed.late import Row, add_row, closed, late_rows, month_of, read_line
from lib.ledger.closed.tables import PERIOD, SHEET, Period
from lib.ledger.database import Database
from lib.ledger.record import VOLUME, VOLUME_DAY
from lib.ledger.rows import as_rows
from lib.ledger.sums import sums
from lib.ledger.volumes import MONEY
from lib.money import Money


@dataclass(frozen=True, slots=True)
class Figures:
    """What a month comes to. `opening + gross - refunded - fees = closing`; fees as far as reports have told."""

    opening: Money
    gross: Money
    refunded: Money
    fees: Money
    captured_count: int
    refunded_count: int

    @property
    def net(self) -> Money:
        return self.gross - self.refunded - self.fees

    @property
    def closing(self) -> Money:
        return self.opening + self.net


@dataclass(frozen=True, slots=True)
class Month:
    """A settlement month of a currency. `late` are rows that it took over from closed months, in `figures` too.

    `period` is the month as it was closed, None while it is open.
    """

    currency: str
    month: str
    since: datetime
    until: datetime
    figures: Figures
    period: Period | None
    late: list[Row]


def _moved(volume: FromClause) -> ColumnElement[bool]:
    return or_(volume.c.captured != 0, volume.c.refunded != 0)


# Put together once: to put a statement into words takes longer than to run it.
_KEPT = select(PERIOD.c.currency).where(PERIOD.c.reopened_at.is_(None))
_MOVED, _MOVED_BY_DAY = (select(each.c.currency).where(_moved(each)).union(_KEPT) for each in (VOLUME, VOLUME_DAY))
_CLOSED = select(PERIOD).where(closed(bindparam("currency"))).order_by(PERIOD.c.month)
_EARLIEST = (
    select(VOLUME.c.bucket)
    .where(VOLUME.c.currency == bindparam("currency"), _moved(VOLUME))
    .order_by(VOLUME.c.bucket)
    .limit(1)
)


def months(database: Database, currency: str, days: SettlementDays, now: datetime) -> list[Month]:
    """Every month of a currency from its first movement to `now`, latest first."""
    with database.read() as connection:
        return list(reversed(months_in(connection, currency, days, now)))


def currencies_with_months(database: Database) -> list[str]:
    """The currencies in which money ever moved or a month is closed, in alphabetical order."""
    with database.read() as connection:
        wanted = _MOVED_BY_DAY if Batch(connection).zone() else _MOVED
        return sorted(connection.execute(wanted).scalars())


def heard_late(month: Month, known: Iterable[Month]) -> list[tuple[str, Row]]:
    """What is dated in a closed month but was heard of later: the month that took each row over, and the row.

    `known` are the months of the same currency.
    """
    later = [each for each in known if each.since > month.since]
    return [(each.month, row) for each in reversed(later) for row in each.late if row.month == month.month]


def past_closings(database: Database, currency: str, month: str) -> list[Period]:
    """Every closing of a month, those that were reopened too, latest first."""
    wanted = select(PERIOD).where(PERIOD.c.currency == currency, PERIOD.c.month == month)
    with database.read() as connection:
        return as_rows(Period, connection.execute(wanted.order_by(PERIOD.c.id.desc())).mappings().all())


def months_in(
    connection: Connection, currency: str, days: SettlementDays, now: datetime, *, thorough: bool = False
) -> list[Month]:
    """Every month of a currency as one transaction sees it, earliest first. `thorough` as in `late_rows`."""
    periods = connection.execute(_CLOSED, {"currency": currency}).mappings().all()
    held = {period.month: period for period in as_rows(Period, periods)}
    begun = connection.execute(_EARLIEST, {"currency": currency}).scalar()
    if held:
        first = min(held)  # what is dated before the first closed month came late
    elif begun:
        first = month_of(begun, days)
    else:
        return []
    last = max(held.values(), key=lambda period: period.until, default=None)
    late = late_rows(connection, currency, last.until, days, thorough=thorough) if last else []
    fees_before = Money(sum(period.fees for period in held.values()), currency)
    opening = Money(0, currency)
    found: list[Month] = []
    for name, since, until in _spans(first, days, now):
        if period := held.get(name):
            figures = _frozen_figures(period)
            found.append(Month(currency, name, since, until, figures, period, _taken_over(connection, period)))
        else:
            # Where the last closed month ended the first open one begins, also when days are cut elsewhere now.
            follows = all(month.period for month in found)
            begins, taken = (last.until, late) if last and follows else (since, [])
            own = sums(connection, currency, begins, until)
            into = dict.fromkeys(MONEY, 0)
            for row in taken:
                add_row(into, row)
            fees = fees_until(connection, currency, until)
            figures = Figures(
                opening,
                own.captured + Money(into["captured"], currency),
                own.refunded + Money(into["refunded"], currency),
                fees - fees_before,
                own.captured_count + into["captured_count"],
                own.refunded_count + into["refunded_count"],
            )
            fees_before = fees
            found.append(Month(currency, name, begins, until, figures, None, taken))
        opening = figures.closing
    return found


def _taken_over(connection: Connection, period: Period) -> list[Row]:
    """The rows that a closed period took over from earlier ones: they stand first in its sheet."""
    parts = select(SHEET.c.lines).where(SHEET.c.period_id == period.id, SHEET.c.first_at < period.since)
    lines = connection.execute(parts.order_by(SHEET.c.part)).scalars()
    rows = (read_line(line) for part in lines for line in part.splitlines())
    return list(takewhile(lambda row: row.month is not None, rows))


def _spans(first: str, days: SettlementDays, now: datetime) -> Iterator[tuple[str, datetime, datetime]]:
    day = date.fromisoformat(f"{first}-01")
    while days.start(day) <= now:
        following = (day + timedelta(days=32)).replace(day=1)
        yield day.isoformat()[:7], days.start(day), days.start(following)
        day = following


def _frozen_figures(period: Period) -> Figures:
    opening, gross, refunded, fees = (
        Money(minor, period.currency) for minor in (period.opening, period.gross, period.refunded, period.fees)
    )
    return Figures(opening, gross, refunded, fees, period.captured_count, period.refunded_count)
