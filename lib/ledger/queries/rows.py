"""Single payments and refunds with what belongs to them, and the numbers that tell a screen whether to draw again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ScalarSelect, func, select

from lib.ledger.database import Database
from lib.ledger.deliveries import DELIVERY
from lib.ledger.record import EVENT, PAYMENT, REFUND
from lib.ledger.rows import as_rows
from lib.ledger.search import among, matching
from lib.ledger.tables import Event, Payment, Refund

LISTED = [column for column in PAYMENT.columns if column.name != "folded"]
"""What lists read of a payment."""

_NEWEST = [func.coalesce(select(func.max(number)).scalar_subquery(), 0) for number in (EVENT.c.seq, DELIVERY.c.id)]


def find_payment(database: Database, payment_id: str) -> Payment | None:
    """The payment with this id."""
    with database.read() as connection:
        row = connection.execute(select(PAYMENT).where(PAYMENT.c.id == payment_id)).mappings().one_or_none()
    return as_rows(Payment, [row])[0] if row else None


def payments_of(database: Database, payment_ids: Iterable[str]) -> dict[str, Payment]:
    """The payments with these ids, by their id and without their folded state; those we do not know are absent."""
    with database.read() as connection:
        rows = connection.execute(select(*LISTED).where(PAYMENT.c.id.in_(set(payment_ids)))).mappings().all()
    return {payment.id: payment for payment in as_rows(Payment, rows)}


def find_payment_by_reference(database: Database, reference: str) -> Payment | None:
    """The newest payment with this reference; references need not be unique."""
    with database.read() as connection:
        found = among(connection, matching(connection, reference))
        wanted = select(PAYMENT).where(found, PAYMENT.c.reference == reference)
        newest = wanted.order_by(PAYMENT.c.requested_at.desc(), PAYMENT.c.seq.desc()).limit(1)
        row = connection.execute(newest).mappings().one_or_none()
    return as_rows(Payment, [row])[0] if row else None


def find_refund(database: Database, key: str) -> Refund | None:
    """The refund with this key."""
    with database.read() as connection:
        row = connection.execute(select(REFUND).where(REFUND.c.key == key)).mappings().one_or_none()
    return as_rows(Refund, [row])[0] if row else None


def refunds_of(database: Database, payment_id: str) -> list[Refund]:
    """The refunds of one payment, oldest first."""
    wanted = select(REFUND).where(REFUND.c.payment_id == payment_id).order_by(REFUND.c.requested_at, REFUND.c.key)
    with database.read() as connection:
        return as_rows(Refund, connection.execute(wanted).mappings().all())


def facts_of(database: Database, payment_id: str) -> list[Event]:
    """Everything known of one payment, latest first by the time it happened; of one moment, what ended above what began."""
    wanted = select(EVENT).where(EVENT.c.payment_seq == seq_of(payment_id))
    with database.read() as connection:
        began = EVENT.c.type.like("%pending")
        latest = wanted.order_by(EVENT.c.occurred_at.desc(), began, EVENT.c.seq.desc())
        return as_rows(Event, connection.execute(latest).mappings().all())


def pulse(database: Database) -> int:
    """A number that grows whenever anything a screen shows has changed. Cheap enough to ask every second."""
    with database.read() as connection:
        return sum(connection.execute(select(*_NEWEST)).one())


def payment_version(database: Database, payment_id: str) -> int:
    """How many facts of this payment are folded: a screen that shows it redraws when this grows. 0 for an unknown one."""
    with database.read() as connection:
        return int(connection.execute(select(PAYMENT.c.version).where(PAYMENT.c.id == payment_id)).scalar() or 0)


def seq_of(payment_id: str) -> ScalarSelect[Any]:
    return select(PAYMENT.c.seq).where(PAYMENT.c.id == payment_id).scalar_subquery()
