"""What each settlement day has to show: closed months as they were frozen, and what was heard late where it was booked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from lib.ledger.calendar import SettlementDays
from lib.ledger.closed.late import add_row, closed, late_rows
from lib.ledger.closed.tables import PERIOD, QUARTER
from lib.ledger.record import VOLUME
from lib.ledger.sums import Sums
from lib.ledger.volumes import MONEY
from lib.money import Money

# Put together once: to put a statement into words takes longer than to run it.
_ENDS = select(PERIOD.c.currency, PERIOD.c.until).where(PERIOD.c.reopened_at.is_(None)).order_by(PERIOD.c.until)


def closed_until(connection: Connection) -> dict[str, datetime]:
    """By currency, the end of its last closed month; a currency without any is absent."""
    return {row.currency: row.until for row in connection.execute(_ENDS)}


def booked_before(connection: Connection, currency: str, since: datetime) -> Money:
    """Captured less refunded as closed months hold it, before `since`, which is no later than the end of the last."""
    whole = select(func.coalesce(func.sum(PERIOD.c.gross - PERIOD.c.refunded), 0))
    part = select(func.coalesce(func.sum(QUARTER.c.captured - QUARTER.c.refunded), 0)).select_from(
        QUARTER.join(PERIOD, PERIOD.c.id == QUARTER.c.period_id)
    )
    over = connection.execute(whole.where(closed(currency), PERIOD.c.until <= since)).scalar_one()
    begun = PERIOD.c.since < since, PERIOD.c.until > since, QUARTER.c.bucket < since
    return Money(int(over) + int(connection.execute(part.where(closed(currency), *begun)).scalar_one()), currency)


def booked_by_day(
    connection: Connection, currency: str, first: date, last: date, days: SettlementDays
) -> dict[date, Sums]:
    """What is booked on each settlement day of a currency, from `first` to `last` inclusive; days without anything are absent.

    A day of a closed month keeps what was frozen. What a month took over from closed ones is booked on its first day.
    So days add up to their month, and all days to all rows.
    """
    since, until = days.span(first, last)
    found: dict[date, dict[str, int]] = defaultdict(lambda: dict.fromkeys(MONEY, 0))

    def add(day: date, measures: Mapping[str, int]) -> None:
        if first <= day <= last:
            for name in MONEY:
                found[day][name] += measures[name]

    end = closed_until(connection).get(currency)
    frozen = select(PERIOD.c.since, *(QUARTER.c[name] for name in ("bucket", *MONEY))).join(
        QUARTER, QUARTER.c.period_id == PERIOD.c.id
    )
    within = closed(currency), PERIOD.c.since < until, PERIOD.c.until > since
    for row in connection.execute(frozen.where(*within)).mappings():
        add(days.day_of(max(row["bucket"], row["since"])), dict(row))
    now = select(*(VOLUME.c[name] for name in ("bucket", *MONEY))).where(
        VOLUME.c.currency == currency,
        VOLUME.c.bucket >= (max(since, end) if end else since),
        VOLUME.c.bucket < until,
    )
    for row in connection.execute(now).mappings():
        add(days.day_of(row["bucket"]), dict(row))
    if end and since <= end < until:
        into = dict.fromkeys(MONEY, 0)
        for late in late_rows(connection, currency, end, days):
            add_row(into, late)
        add(days.day_of(end), into)
    return {
        day: Sums(
            Money(each["captured"], currency),
            Money(each["refunded"], currency),
            each["captured_count"],
            each["refunded_count"],
        )
        for day, each in sorted(found.items())
        if any(each.values())
    }
