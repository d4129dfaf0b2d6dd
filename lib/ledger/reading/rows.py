"""Single payments and refunds with what belongs to them, and the numbers that tell a screen whether to draw again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, ScalarSelect, bindparam, func, select

from lib.ledger.database import Database
from lib.ledger.deliveries import DELIVERY
from lib.ledger.record import EVENT, PAYMENT, REFUND
from lib.ledger.rows import as_rows
from lib.ledger.samples import SAMPLE
from lib.ledger.search import among, matching
from lib.ledger.tables import Event, Payment, Refund
from lib.money import Money

LISTED = [column for column in PAYMENT.columns if column.name != "folded"]
"""What lists read of a payment."""

# Put together once: to put a statement into words takes longer than to run one of these.
_PULSE = select(
    *(
        func.coalesce(select(func.max(number)).scalar_subquery(), 0)
        for number in (EVENT.c.seq, DELIVERY.c.id, SAMPLE.c.filled)
    )
)
_APART = 1 << 64
"""More than all numbers of facts and deliveries: sample data comes and goes below them."""
_VERSION = select(PAYMENT.c.version).where(PAYMENT.c.id == bindparam("id"))
_PAYMENT = select(PAYMENT).where(PAYMENT.c.id == bindparam("id"))
_MENTIONED = select(*(PAYMENT.c[name] for name in ("id", "reference", "currency", "amount", "status"))).where(
    PAYMENT.c.id.in_(bindparam("ids", expanding=True))
)
_REFUNDS = (
    select(REFUND).where(REFUND.c.payment_id == bindparam("payment_id")).order_by(REFUND.c.requested_at, REFUND.c.key)
)
_FACTS = (
    select(EVENT)
    .where(EVENT.c.payment_seq == select(PAYMENT.c.seq).where(PAYMENT.c.id == bindparam("id")).scalar_subquery())
    .order_by(EVENT.c.occurred_at.desc(), EVENT.c.type.like("%pending"), EVENT.c.seq.desc())
)


def find_payment(database: Database, payment_id: str) -> Payment | None:
    """The payment with this id."""
    with database.read() as connection:
        row = connection.execute(_PAYMENT, {"id": payment_id}).mappings().one_or_none()
    return as_rows(Payment, [row])[0] if row else None


class Mentioned(NamedTuple):
    """What is said of a payment beside something else."""

    id: str
    reference: str | None
    currency: str | None
    amount: int | None
    status: str

    @property
    def money(self) -> Money:
        """The amount asked for, as the payment itself says it."""
        return Money(self.amount or 0, self.currency or "???")


def payments_of(database: Database, payment_ids: Iterable[str]) -> dict[str, Mentioned]:
    """What is said of the payments with these ids, by their id; those we do not know are absent."""
    with database.read() as connection:
        rows = connection.execute(_MENTIONED, {"ids": list(set(payment_ids))}).all()
    return {row[0]: Mentioned(*row) for row in rows}


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
    with database.read() as connection:
        return as_rows(Refund, connection.execute(_REFUNDS, {"payment_id": payment_id}).mappings().all())


def facts_of(database: Database, payment_id: str) -> list[Event]:
    """Everything known of one payment, latest first by the time it happened; of one moment, what ended above what began."""
    with database.read() as connection:
        return as_rows(Event, connection.execute(_FACTS, {"id": payment_id}).mappings().all())


def pulse(database: Database) -> int:
    """A number that is another whenever anything a screen shows has changed. Cheap enough to ask every second."""
    with database.read() as connection:
        return pulse_in(connection)


def pulse_in(connection: Connection) -> int:
    """The same as one transaction sees it."""
    row = connection.execute(_PULSE).one()
    return int(row[0] + row[1] + row[2] * _APART)


def payment_version(database: Database, payment_id: str) -> int:
    """How many facts of this payment are folded: a screen that shows it redraws when this grows. 0 for an unknown one."""
    with database.read() as connection:
        return int(connection.execute(_VERSION, {"id": payment_id}).scalar() or 0)


def seq_of(payment_id: str) -> ScalarSelect[Any]:
    return select(PAYMENT.c.seq).where(PAYMENT.c.id == payment_id).scalar_subquery()
