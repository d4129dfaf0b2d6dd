"""Volumes over time by currency, read from quarters of an hour; never summed across currencies."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from operator import add, itemgetter
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, Table, and_, delete, or_, select, text

from lib.ledger.batch import Batch
from lib.ledger.database import Database
from lib.ledger.parts import Counts, add_local, no_counts, parts_of
from lib.ledger.periods import start_of_day
from lib.ledger.record import BREAKDOWN, MEASURES, PAYMENT, REFUND, VOLUME, VOLUME_DAY, add_counts, add_days
from lib.ledger.tables import time_text
from lib.money import Money

BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)
"""Before all that ever moved."""
MONEY = ("captured", "captured_count", "refunded", "refunded_count")
"""The measures that rows of money come to."""
_NONE = (0,) * len(MONEY)


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

    @property
    def money(self) -> tuple[int, ...]:
        """The measures of `MONEY`."""
        return _OF_MONEY(self.measures)

    def _money(self, name: str) -> Money:
        return Money(self.measures[_PLACE[name]], self.currency)


_PLACE = {name: place for place, name in enumerate(MEASURES)}
_OF_MONEY: Callable[[tuple[int, ...]], tuple[int, ...]] = itemgetter(*(_PLACE[name] for name in MONEY))


def money_in(
    connection: Connection, since: datetime, until: datetime, currency: str = ""
) -> dict[str, tuple[int, ...]]:
    """By currency, the sums of `MONEY` from `since` to before `until`; with `currency`, of that one alone.

    Both should lie on a quarter of an hour. Whole days of the ledger's own zone are read as days, what hangs over at
    either end as quarters.
    """
    batch = Batch(connection)
    named = batch.zone()
    sums: dict[str, tuple[int, ...]] = {}
    columns = "currency", *(f"sum({name})" for name in MONEY)
    for table, start, end in _cover(since, until, ZoneInfo(named) if named else None):
        slot = "day" if table is VOLUME_DAY else "bucket"
        for code, *more in batch.span(table, columns, slot, (start, end), "GROUP BY currency", currency):
            sums[code] = tuple(map(add, sums.get(code, _NONE), map(int, more)))  # PostgreSQL's are decimals
    return {code: sums[code] for code in sorted(sums) if any(sums[code])}


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


def by_slot(connection: Connection, edges: Sequence[datetime]) -> list[dict[str, Volumes]]:
    """By currency, what happened from each edge to before the next: one entry less than there are edges.

    Edges should lie on quarters of an hour. Where all are midnights of the ledger's own zone, days are read.
    """
    found: list[dict[str, Volumes]] = [{} for _ in edges[1:]]
    named = Batch(connection).zone()
    days = _as_days(edges, ZoneInfo(named)) if named else None
    for place, currency, measures in _day_slots(connection, days) if days else _quarter_slots(connection, edges):
        slot = found[place]
        if currency in slot:
            slot[currency] = Volumes(currency, tuple(map(add, slot[currency].measures, measures)))
        elif any(measures):
            slot[currency] = Volumes(currency, measures)
    return found


_Row = tuple[int, str, tuple[int, ...]]
"""The place of a slot, a currency and measures."""


def added_up(slots: Iterable[Mapping[str, Volumes]]) -> dict[str, Volumes]:
    """The slots as one, by currency."""
    found: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    for slot in slots:
        for currency, volumes in slot.items():
            found[currency].append(volumes.measures)
    return {
        currency: Volumes(currency, tuple(map(sum, zip(*measures, strict=True))))
        for currency, measures in sorted(found.items())
    }


def _as_days(edges: Sequence[datetime], zone: ZoneInfo) -> list[str] | None:
    """The local days that begin at the edges; None if one is not the beginning of a day."""
    days = [_day_from(edge, zone) for edge in edges]
    return None if None in days else cast(list[str], days)


@lru_cache(maxsize=1024)
def _day_from(edge: datetime, zone: ZoneInfo) -> str | None:
    day = edge.astimezone(zone).date()
    return day.isoformat() if start_of_day(day, zone) == edge else None


def _day_slots(connection: Connection, days: Sequence[str]) -> Iterator[_Row]:
    columns = "day", "currency", *MEASURES
    rows = Batch(connection).span(VOLUME_DAY, columns, "day", (days[0], days[-1]), "")
    places = {day: bisect_right(days, day) - 1 for day in {row[0] for row in rows}}
    return ((places[row[0]], row[1], row[2:]) for row in rows)


def _quarter_slots(connection: Connection, edges: Sequence[datetime]) -> Iterator[_Row]:
    # Written out: as expressions, a thousand slots took a second to put into words.
    slots = (
        "(SELECT place - 1 AS place, since, until FROM unnest(CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[])) "
        "WITH ORDINALITY AS given(since, until, place))"
        if connection.dialect.name == "postgresql"
        else "(SELECT key AS place, value ->> 0 AS since, value ->> 1 AS until FROM json_each(:slots))"
    )
    sums = ", ".join(f"sum(volume.{name})" for name in MEASURES)
    statement = (
        f"SELECT place, currency, {sums} FROM {slots} AS slot "  # noqa: S608 - our own names
        "CROSS JOIN volume WHERE bucket >= since AND bucket < until GROUP BY place, currency"
    )
    moments = [time_text(edge) for edge in edges]
    given: dict[str, Any] = {"since": moments[:-1], "until": moments[1:]}
    if connection.dialect.name != "postgresql":
        given = {"slots": json.dumps(list(pairwise(moments)))}
    for place, currency, *measures in connection.execute(text(statement), given):
        yield place, currency, tuple(map(int, measures))  # PostgreSQL's are decimals


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
        connection.execute(delete(BREAKDOWN))
        add_counts(batch, _all_parts(connection, zone.key))


def _all_parts(connection: Connection, zone: str) -> Counts:
    """What all payments and refunds are parts of, from their rows: days of another zone are in no other rollup."""
    counts = no_counts()
    names = "currency", "status", "amount", "captured", "captured_at", "requested_at", "closed_at", "terminal_type"
    told = select(*(PAYMENT.c[name] for name in (*names, "response_code")))
    ended = or_(PAYMENT.c.captured_at.is_not(None), PAYMENT.c.status == "Declined")
    told = told.where(PAYMENT.c.currency.is_not(None), ended)
    for row in connection.execute(told.execution_options(yield_per=1000)).mappings():
        add_local(counts, parts_of(_written(row), ()), zone)
    same = and_(PAYMENT.c.id == REFUND.c.payment_id, PAYMENT.c.currency == REFUND.c.currency)
    given = select(*(REFUND.c[name] for name in ("currency", "status", "reason", "decided_at", "amount")))
    given = given.select_from(REFUND.join(PAYMENT, same)).where(REFUND.c.status == "refunded")
    for row in connection.execute(given.execution_options(yield_per=1000)).mappings():
        add_local(
            counts, parts_of({"currency": row["currency"], "captured_at": None, "status": ""}, [_written(row)]), zone
        )
    return counts


def _written(row: RowMapping) -> dict[str, Any]:
    """A row with its times in the form that projections have."""
    return {name: time_text(value) if isinstance(value, datetime) else value for name, value in row.items()}
