"""Rows of money: every capture and every refund that counts, one by one, in the order in which they happened.

Whoever sums money up, shows what a sum is made of, exports it or closes a month reads these, so that rows always add
up to the figure above them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from heapq import merge
from itertools import islice
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
)

from lib.ledger.calendar import SettlementDays
from lib.ledger.database import Database
from lib.ledger.reading.keyset import open_cursor, write_cursor
from lib.ledger.record import PAYMENT, REFUND
from lib.ledger.state import capture_actions
from lib.ledger.tables import time_text
from lib.money import Money

Kind = Literal["capture", "refund", "untold"]
"""`untold`: refunded, as Checkout.com's totals say, without a refund that we have heard of."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Money that moved. `amount` is in minor units of `currency`: captures above zero, refunds below.

    `at` is in UTC, `day` the settlement day. `action_id` is None where Checkout.com has not told us which action it
    was, or told of several captures. `reference` and `status` are the payment's.
    """

    kind: Kind
    at: datetime
    day: date
    payment_id: str
    action_id: str | None
    reference: str | None
    currency: str
    amount: int
    status: str

    @property
    def id(self) -> str:
        """Names the movement once and for all, also after more has been heard of its payment."""
        return f"{self.kind}:{self.action_id if self.kind == 'refund' else self.payment_id}"

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a list, newest first. `newer` and `older` are cursors to its neighbours, None at an end."""

    rows: list[Movement]
    newer: str | None
    older: str | None


def canonical(row: Movement) -> str:
    """What can never change about a movement, as one line of text: when, what, in which currency, how many minor units."""
    return f"{time_text(row.at)}|{row.id}|{row.currency}|{row.amount}"


def digest(rows: Iterable[Movement]) -> str:
    """SHA-256, in hex, of the rows' `canonical` lines in alphabetical order, each ended by a line feed."""
    lines = sorted(map(canonical, rows))
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def movements(
    database: Database,
    currency: str,
    since: datetime,
    until: datetime,
    days: SettlementDays,
    *,
    cursor: str | None = None,
    limit: int = 25,
) -> Stretch:
    """A page of what moved from `since` to before `until`. A cursor that cannot be read starts at the newest."""
    backwards, position = _read_cursor(cursor)
    with database.read() as connection:
        span = _Span(currency, since, until)
        found = list(islice(_rows(connection, span, days, position, backwards=backwards, limit=limit + 1), limit + 1))
    more = len(found) > limit
    found = found[:limit]
    if not backwards:
        found.reverse()
    if not found:
        return Stretch([], None, None)
    newer = write_cursor("newer", found[0][0]) if (position if backwards else more) else None
    older = write_cursor("older", found[-1][0]) if (more if backwards else position) else None
    return Stretch([movement for _, movement in found], newer, older)


def every(
    connection: Connection, currency: str, since: datetime, until: datetime, days: SettlementDays
) -> Iterator[Movement]:
    """All that moved from `since` to before `until`, earliest first, as one transaction sees it."""
    for _, movement in _rows(connection, _Span(currency, since, until), days):
        yield movement


def amounts(connection: Connection, currency: str, since: datetime, until: datetime) -> dict[Kind, tuple[int, int]]:
    """What the movements of each kind come to in minor units, refunds below zero, and how many there are."""
    span = _Span(currency, since, until)
    found: dict[Kind, tuple[int, int]] = {}
    for source in _SOURCES:
        amount, number = connection.execute(_summed(source), span._asdict()).one()
        found[source.kind] = int(amount), number
    return found


@cache
def _summed(source: _Source) -> Select[int, int]:
    return select(func.coalesce(func.sum(source.amount), 0), func.count()).select_from(source.rows).where(source.within)


class _Span(NamedTuple):
    currency: str
    since: datetime
    until: datetime


class _Position(NamedTuple):
    """Where a movement stands in the order of all: by time, then by source, then by the source's own key."""

    at: datetime
    source: int
    key: int | str


@dataclass(frozen=True, eq=False)
class _Source:
    """Where one kind of movement is read from, by an index on currency, `at` and `key`."""

    kind: Kind
    rows: FromClause
    currency: ColumnElement[str]
    at: ColumnElement[datetime]
    key: ColumnElement[Any]
    action_id: ColumnElement[str | None]
    amount: ColumnElement[int]
    condition: ColumnElement[bool]

    @property
    def within(self) -> ColumnElement[bool]:
        """Of the currency and the time of a `_Span`."""
        since, until = self.at >= bindparam("since"), self.at < bindparam("until")
        return and_(self.currency == bindparam("currency"), since, until, self.condition)


_SOURCES = (
    _Source(
        "capture",
        PAYMENT,
        PAYMENT.c.currency,
        PAYMENT.c.captured_at,
        PAYMENT.c.seq,
        literal_column("NULL"),
        PAYMENT.c.captured,
        PAYMENT.c.captured_at.is_not(None),
    ),
    _Source(
        "refund",
        # One in another currency than its payment is marked for a person to look at, and moves no money here.
        REFUND.join(PAYMENT, and_(PAYMENT.c.id == REFUND.c.payment_id, PAYMENT.c.currency == REFUND.c.currency)),
        REFUND.c.currency,
        REFUND.c.decided_at,
        REFUND.c.action_id,
        REFUND.c.action_id,
        -REFUND.c.amount,
        REFUND.c.status == literal_column("'refunded'"),  # as the partial index has it; a parameter would not match
    ),
    _Source(
        "untold",
        PAYMENT,
        PAYMENT.c.currency,
        PAYMENT.c.untold_at,
        PAYMENT.c.seq,
        literal_column("NULL"),
        -PAYMENT.c.untold,
        PAYMENT.c.untold_at.is_not(None),
    ),
)


def _rows(
    connection: Connection,
    span: _Span,
    days: SettlementDays,
    position: _Position | None = None,
    *,
    backwards: bool = False,
    limit: int | None = None,
) -> Iterator[tuple[_Position, Movement]]:
    streams = [_stream(connection, number, span, days, position, backwards, limit) for number in range(len(_SOURCES))]
    return merge(*streams, key=lambda row: row[0][:2], reverse=backwards)


def _stream(
    connection: Connection,
    number: int,
    span: _Span,
    days: SettlementDays,
    position: _Position | None,
    backwards: bool,
    limit: int | None,
) -> Iterator[tuple[_Position, Movement]]:
    source = _SOURCES[number]
    wanted = _listed(source, backwards=backwards, limited=limit is not None)
    if position:
        wanted = wanted.where(_beyond(source, number, position, backwards=backwards))
    for row in connection.execute(wanted, span._asdict() | {"most": limit}):
        action = row.action_id
        if source.kind == "capture":
            actions = capture_actions(row.folded)
            action = actions[0] if len(actions) == 1 else None
        yield (
            _Position(row.at, number, row.key),
            Movement(
                source.kind,
                row.at,
                days.day_of(row.at),
                row.id,
                action,
                row.reference,
                span.currency,
                row.amount,
                row.status,
            ),
        )


@cache
def _listed(source: _Source, *, backwards: bool, limited: bool) -> Select[Any]:
    """The source's rows in order; put together once, which takes longer than to read a page of them."""
    columns = (
        source.at.label("at"),
        source.key.label("key"),
        source.action_id.label("action_id"),
        source.amount.label("amount"),
        PAYMENT.c.id,
        PAYMENT.c.reference,
        PAYMENT.c.status,
        *([PAYMENT.c.folded] if source.kind == "capture" else []),
    )
    order = (column.desc() if backwards else column.asc() for column in (source.at, source.key))
    listed = select(*columns).select_from(source.rows).where(source.within).order_by(*order)
    return (listed.limit(bindparam("most")) if limited else listed).execution_options(yield_per=1000)


def _beyond(source: _Source, number: int, position: _Position, *, backwards: bool) -> ColumnElement[bool]:
    """Which of a source's rows lie behind a position, on the way we go."""
    if number == position.source:
        here, there = tuple_(source.at, source.key), (position.at, position.key)
        return here < there if backwards else here > there
    ahead = (number > position.source) != backwards
    if backwards:
        return source.at <= position.at if ahead else source.at < position.at
    return source.at >= position.at if ahead else source.at > position.at


def _read_cursor(cursor: str | None) -> tuple[bool, _Position | None]:
    """Whether to go backwards, and from where. Cursors come back through the address bar, so anything may be in them."""
    try:
        direction, (at, source, key) = open_cursor(cursor)
        moment = datetime.fromisoformat(at)
        fits = type(source) is int and 0 <= source < len(_SOURCES) and type(key) is (str if source == 1 else int)
        if moment.tzinfo and fits:
            return direction == "older", _Position(moment, source, key)
    except (ValueError, TypeError):
        pass
    return True, None
