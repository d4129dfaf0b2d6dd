"""Volumes over time by currency, read from quarters of an hour; never summed across currencies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, select

from lib.ledger.batch import Batch
from lib.ledger.database import Database
from lib.ledger.record import MEASURES, VOLUME, VOLUME_DAY, add_days
from lib.ledger.tables import time_text
from lib.money import Money

Slot = TypeVar("Slot", date, datetime)


class Volumes(NamedTuple):
    """What happened in one currency in some span of time. `measures` are in the order of `MEASURES`."""

    currency: str
    measures: tuple[int, ...]

    @property
    def requested_count(self) -> int:
        return self.measures[_PLACE["requested_count"]]

    @property
    def captured_count(self) -> int:
        return self.measures[_PLACE["captured_count"]]

    @property
    def refunded_count(self) -> int:
        return self.measures[_PLACE["refunded_count"]]

    @property
    def declined_count(self) -> int:
        return self.measures[_PLACE["declined_count"]]

    @property
    def expired_count(self) -> int:
        return self.measures[_PLACE["expired_count"]]

    @property
    def canceled_count(self) -> int:
        return self.measures[_PLACE["canceled_count"]]

    @property
    def refund_declined_count(self) -> int:
        return self.measures[_PLACE["refund_declined_count"]]

    @property
    def requested(self) -> Money:
        return self._money("requested")

    @property
    def captured(self) -> Money:
        return self._money("captured")

    @property
    def refunded(self) -> Money:
        return self._money("refunded")

    @property
    def net(self) -> Money:
        """Captured less refunded."""
        return self.captured - self.refunded

    def _money(self, name: str) -> Money:
        return Money(self.measures[_PLACE[name]], self.currency)


_PLACE = {name: place for place, name in enumerate(MEASURES)}


def totals(database: Database, since: datetime, until: datetime) -> dict[str, Volumes]:
    """By currency, everything from `since` to before `until`. Both should lie on a quarter of an hour.

    Whole days of the ledger's own zone are read as days, what hangs over at either end as quarters.
    """
    with database.read() as connection:
        return totals_in(connection, since, until)


def totals_in(connection: Connection, since: datetime, until: datetime) -> dict[str, Volumes]:
    """The same as one transaction sees it."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0] * len(MEASURES))
    named = Batch(connection).zone()
    for table, within in _cover(since, until, ZoneInfo(named) if named else None):
        measures = [func.sum(table.c[name]) for name in MEASURES]
        by_currency = select(table.c.currency, *measures).where(within).group_by(table.c.currency)
        for currency, *found in connection.execute(by_currency):
            sums[currency] = [had + int(more) for had, more in zip(sums[currency], found, strict=True)]
    return {currency: Volumes(currency, tuple(found)) for currency, found in sorted(sums.items()) if any(found)}


def _cover(since: datetime, until: datetime, zone: ZoneInfo | None) -> list[tuple[Table, ColumnElement[bool]]]:
    """Where to read a span from: tables with the part of it that each covers."""

    def quarters(start: datetime, end: datetime) -> tuple[Table, ColumnElement[bool]]:
        return VOLUME, and_(VOLUME.c.bucket >= start, VOLUME.c.bucket < end)

    if zone is None:
        return [quarters(since, until)]
    first = since.astimezone(zone).date()
    if start_of_day(first, zone) < since:
        first += timedelta(days=1)
    after = until.astimezone(zone).date()
    if first >= after:
        return [quarters(since, until)]
    days = and_(VOLUME_DAY.c.day >= first.isoformat(), VOLUME_DAY.c.day < after.isoformat())
    head, tail = quarters(since, start_of_day(first, zone)), quarters(start_of_day(after, zone), until)
    return [head, (VOLUME_DAY, days), tail]


def by_day(database: Database, first: date, last: date, zone: ZoneInfo) -> list[tuple[date, str, Volumes]]:
    """By local day and currency, from `first` to `last` inclusive. A day on which nothing happened is absent."""
    with database.read() as connection:
        if Batch(connection).zone() == zone.key:
            within = VOLUME_DAY.c.day.between(first.isoformat(), last.isoformat())
            days = select(VOLUME_DAY.c.day, VOLUME_DAY.c.currency, *(VOLUME_DAY.c[name] for name in MEASURES))
            ordered = days.where(within).order_by(VOLUME_DAY.c.day, VOLUME_DAY.c.currency)
            return [
                (date.fromisoformat(day), currency, Volumes(currency, tuple(found)))
                for day, currency, *found in connection.execute(ordered)
                if any(found)
            ]
    since, until = start_of_day(first, zone), start_of_day(last + timedelta(days=1), zone)
    return _grouped(database, since, until, lambda moment: moment.astimezone(zone).date())


def adopt_zone(database: Database, zone: ZoneInfo) -> None:
    """Keep a row a day for days cut in `zone`. Does nothing when the ledger does so already."""
    with database.read() as connection:
        if Batch(connection).zone() == zone.key:
            return
    with database.write() as connection:
        batch = Batch(connection)
        batch.adopt_zone(zone.key)
        connection.execute(delete(VOLUME_DAY))
        quarters = {
            (time_text(row["bucket"]), row["currency"]): {name: row[name] for name in MEASURES}
            for row in connection.execute(select(VOLUME)).mappings()
        }
        add_days(batch, quarters, zone.key)


def by_hour(
    database: Database, since: datetime, until: datetime, zone: ZoneInfo
) -> list[tuple[datetime, str, Volumes]]:
    """By local hour and currency. The hour that a change to winter time repeats counts as two."""

    def hour(moment: datetime) -> datetime:
        return moment - timedelta(minutes=moment.astimezone(zone).minute)

    return [(slot.astimezone(zone), currency, said) for slot, currency, said in _grouped(database, since, until, hour)]


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _grouped(
    database: Database,
    since: datetime,
    until: datetime,
    slot_of: Callable[[datetime], Slot],
) -> list[tuple[Slot, str, Volumes]]:
    wanted = select(VOLUME).where(VOLUME.c.bucket >= since, VOLUME.c.bucket < until).order_by(VOLUME.c.bucket)
    sums: dict[tuple[Slot, str], list[int]] = defaultdict(lambda: [0] * len(MEASURES))
    with database.read() as connection:
        for row in connection.execute(wanted).mappings():
            into = sums[(slot_of(row["bucket"]), row["currency"])]
            for place, name in enumerate(MEASURES):
                into[place] += row[name]
    lines = [
        (slot, currency, Volumes(currency, tuple(found))) for (slot, currency), found in sums.items() if any(found)
    ]
    return sorted(lines, key=lambda line: (line[0], line[1]))
