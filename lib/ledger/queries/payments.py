"""The list of payments: which of them, page by page, newest first, and how many."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from lib.ledger.database import Database
from lib.ledger.queries.keyset import Page, page_of
from lib.ledger.record import PAYMENT, REFUND
from lib.ledger.rows import as_rows
from lib.ledger.search import among, matching
from lib.ledger.tables import Payment

_LISTED = [column for column in PAYMENT.columns if column.name != "folded"]


@dataclass(frozen=True)
class PaymentFilter:
    """Which payments. `text` finds any part of an id, a reference, an e-mail address or a name, and a refund's whole action id."""

    text: str = ""
    statuses: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    terminal_type: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def find_payments(
    database: Database,
    wanted: PaymentFilter,
    *,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Payment]:
    """A page of payments by the time they were asked for. A cursor that cannot be read starts at the newest."""
    by = (PAYMENT.c.requested_at, PAYMENT.c.seq)
    with database.read() as connection:
        narrowed = [select(*_LISTED).where(*each) for each in _payment_conditions(connection, wanted)]
        rows, newer, older = page_of(connection, narrowed, by, cursor, limit)
    return Page(as_rows(Payment, rows), newer, older)


def count_payments(database: Database, wanted: PaymentFilter, *, cap: int = 1000) -> int:
    """How many payments the filter finds, counted up to `cap` and no further."""
    count = 0
    with database.read() as connection:
        for conditions in _payment_conditions(connection, wanted):
            some = select(PAYMENT.c.seq).where(*conditions).limit(cap - count).subquery()
            count += int(connection.execute(select(func.count()).select_from(some)).scalar_one())
    return count


def _payment_conditions(connection: Connection, wanted: PaymentFilter) -> list[list[ColumnElement[bool]]]:
    """Conditions that together give what is wanted, each set answered in order by one index, none overlapping another."""
    common: list[ColumnElement[bool]] = []
    if wanted.terminal_type:
        common.append(PAYMENT.c.terminal_type == wanted.terminal_type)
    if wanted.since:
        common.append(PAYMENT.c.requested_at >= wanted.since)
    if wanted.until:
        common.append(PAYMENT.c.requested_at < wanted.until)
    text = wanted.text.strip()
    if text:
        refunded = connection.execute(select(REFUND.c.payment_id).where(REFUND.c.action_id == text)).scalar()
        matched = among(connection, matching(connection, text)) if refunded is None else PAYMENT.c.id == refunded
        common.append(matched)
    return [
        [*common, *([PAYMENT.c.status == status] if status else []), *([PAYMENT.c.currency == code] if code else [])]
        for status in wanted.statuses or (None,)
        for code in wanted.currencies or (None,)
    ]
