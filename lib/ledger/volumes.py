"""Volumes over time by currency, read from quarters of an hour; never summed across currencies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, delete, select

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
    batch = Batch(connection)
    named = batch.zone()
    sums: dict[str, list[int]] = {}
    measures = [f"sum({name})" for name in MEASURES]
    for table, start, end in _cover(since, until, ZoneInfo(named) if named else None):
        slot = "day" if table is VOLUME_DAY else "bucket"
        for currency, *found in batch.span(table, ("currency", *measures), slot, start, end, "GROUP BY currency"):
            had = sums.setdefault(currency, [0] * len(MEASURES))
            sums[currency] = [number + int(more) for number, more in zip(had, found, strict=True)]
    return {currency: Volumes(currency, tuple(found)) for currency, found in sorted(sums.items()) if any(found)}


def _cover(since: datetime, until: datetime, zone: ZoneInfo | None) -> list[tuple[Table, str, str]]:
    """Where to read a span from: tables with the first slot of each and the first one beyond."""

    def quarters(start: datetime, end: datetime) -> tuple[Table, str, str]:
        return VOLUME, time_text(start), time_text(end)

    if zone is None:
        return [quarters(since, until)]
    first = since.astimezone(zone).date()
    if start_of_day(first, zone) < since:
        first += timedelta(days=1)
    after = until.astimezone(zone).date()
    if first >= after:
        return [quarters(since, until)]
    days = (VOLUME_DAY, first.isoformat(), after.isoformat())
    return [quarters(since, start_of_day(first, zone)), days, quarters(start_of_day(after, zone), until)]


def by_day(database: Database, first: date, last: date, zone: ZoneInfo) -> list[tuple[date, str, Volumes]]:
    """By local day and currency, from `first` to `last` inclusive. A day on which nothing happened is absent."""
    with database.read() as connection:
        batch = Batch(connection)
        if batch.zone() == zone.key:
            columns = ("day", "currency", *MEASURES)
            end = last + timedelta(days=1)
            ordered = "ORDER BY day, currency"
            rows = batch.span(VOLUME_DAY, columns, "day", first.isoformat(), end.isoformat(), ordered)
            days = {row[0]: date.fromisoformat(row[0]) for row in rows}
            return [(days[row[0]], row[1], Volumes(row[1], row[2:])) for row in rows if any(row[2:])]
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
