"""The list of payments: page by page, newest first, and how many there are."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, select

from lib.ledger.database import Database
from lib.ledger.payment_filter import PaymentFilter
from lib.ledger.reading.keyset import Page, page_of
from lib.ledger.reading.narrowing import plan
from lib.ledger.reading.rows import LISTED
from lib.ledger.record import PAYMENT
from lib.ledger.rows import as_rows
from lib.ledger.tables import Payment

COUNTED = 1000
"""Counting goes no further."""
_LOOKED_AT = 6000
"""So many payments are looked at for a count, where counting means walking."""
_ALL = select(*LISTED)


class Count(NamedTuple):
    """How many there are, or, where not `exact`, that there are at least so many."""

    number: int
    exact: bool


def find_payments(
    database: Database,
    wanted: PaymentFilter,
    *,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Payment]:
    """A page of payments by the time they were asked for; of those captured in a span, by the time of that.

    A cursor that cannot be read starts at the newest.
    """
    with database.read() as connection:
        return page_of_payments(connection, wanted, cursor=cursor, limit=limit)


def page_of_payments(connection: Connection, wanted: PaymentFilter, *, cursor: str | None, limit: int) -> Page[Payment]:
    """The same within a transaction of the caller's."""
    way = plan(connection, wanted)
    statements = [_all_that(*stretch, *way.checked) for stretch in way.stretches]
    rows, newer, older = page_of(connection, statements, (way.by, PAYMENT.c.seq), cursor, limit)
    return Page(as_rows(Payment, rows), newer, older)


def _all_that(*hold: ColumnElement[bool]) -> Select[Any]:
    return _ALL.where(*hold) if hold else _ALL


def count_payments(database: Database, wanted: PaymentFilter, *, cap: int = COUNTED) -> Count:
    """How many payments the filter finds: counted up to `cap`, and among the newest only where that means a walk."""
    count, exact = 0, True
    with database.read() as connection:
        way = plan(connection, wanted)
        if way.known >= cap:
            return Count(cap, exact=False)
        for stretch in way.stretches:
            found = select(PAYMENT.c.seq).where(*stretch, *way.checked)
            if way.walks:
                most = _LOOKED_AT // len(way.stretches)
                newest = select(PAYMENT.c.seq).where(*stretch).order_by(way.by.desc(), PAYMENT.c.seq.desc())
                exact &= connection.execute(newest.offset(most).limit(1)).first() is None
                walked = newest.limit(most).subquery()
                found = select(PAYMENT.c.seq).where(PAYMENT.c.seq.in_(select(walked.c.seq)), *way.checked)
            some = found.limit(cap - count).subquery()
            count += int(connection.execute(select(func.count()).select_from(some)).scalar_one())
    return Count(count, exact and count < cap)
