"""The list of refunds, newest first."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select

from lib.ledger.database import Database
from lib.ledger.reading.keyset import Page, page_of
from lib.ledger.record import PAYMENT, REFUND
from lib.ledger.rows import as_rows
from lib.ledger.search import among, matching
from lib.ledger.tables import Refund

_ALL = select(REFUND)
_ANY = select(REFUND.c.key).limit(1)


@dataclass(frozen=True)
class RefundFilter:
    """Which refunds. `text` finds a payment id, an action id, a key, or the payment's reference or e-mail address."""

    text: str = ""
    statuses: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    payment_id: str = ""


def any_refund(database: Database) -> bool:
    """Whether there is one at all."""
    with database.read() as connection:
        return connection.execute(_ANY).first() is not None


def find_refunds(
    database: Database,
    wanted: RefundFilter,
    *,
    cursor: str | None = None,
    limit: int = 25,
) -> Page[Refund]:
    """A page of refunds by the time they were asked for."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.statuses:
        conditions.append(REFUND.c.status.in_(wanted.statuses))
    if wanted.currencies:
        conditions.append(REFUND.c.currency.in_(wanted.currencies))
    if wanted.payment_id:
        conditions.append(REFUND.c.payment_id == wanted.payment_id)
    text = wanted.text.strip()
    with database.read() as connection:
        if text:
            payments = select(PAYMENT.c.id).where(among(connection, matching(connection, text)))
            own = REFUND.c.action_id == text, REFUND.c.key == text
            conditions.append(or_(*own, REFUND.c.payment_id.in_(payments)))
        statement = _ALL.where(*conditions) if conditions else _ALL
        rows, newer, older = page_of(connection, [statement], (REFUND.c.requested_at, REFUND.c.key), cursor, limit)
    return Page(as_rows(Refund, rows), newer, older)
