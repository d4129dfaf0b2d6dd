"""Erasing a customer's personal data: names, addresses and payloads go; amounts, ids and the audit log stay and still add up.

An erased payment stays erased: what is told of it later is redacted before it is stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from sqlalchemy import Connection, and_, bindparam, delete, func, or_, select, update

from lib.ledger import audit, facts
from lib.ledger.bulk.tables import LINE
from lib.ledger.database import Database
from lib.ledger.deliveries import DELIVERY, KEPT
from lib.ledger.queries import find_payment
from lib.ledger.record import EVENT, PAYMENT, lock_payments, store
from lib.ledger.redaction import is_redacted, redacted
from lib.ledger.search import WORD, as_word, index_waiting
from lib.ledger.tables import Payment, Table
from lib.ledger.views import SavedView
from lib.ledger.watches import BACKFILL
from lib.operators import Operator

_CREATION = Table.metadata.tables["creation"]
_VIEW = Table.metadata.tables[str(SavedView.__tablename__)]
_AT_ONCE = 50
_SYSTEM = Operator("Retention")
"""Who erases when the setting says so."""


class Erased(NamedTuple):
    """How many payments were erased, and how many of their facts."""

    payments: int
    facts: int


def erase_customer(database: Database, operator: Operator, payment_id: str) -> Erased:
    """Erase the personal data of a payment's customer, on all payments with the same customer id or e-mail address.

    Interrupted, it can be begun again from any payment that is left. Raises `NotAllowed` and `StoreUnavailable`.
    """
    audit.permit(database, operator, "erase", payment_id)
    payment = find_payment(database, payment_id)
    if payment is None:
        return Erased(0, 0)
    while index_waiting(database):
        pass
    with database.read() as connection:
        ids = _same_customer(connection, payment)
    whole = Erased(0, 0)
    for start in range(0, len(ids), _AT_ONCE):
        with database.write() as connection:
            done = _erase(connection, operator, ids[start : start + _AT_ONCE])
        whole = Erased(whole.payments + done.payments, whole.facts + done.facts)
    told = [each for each in (payment.customer_email, payment.customer_name) if each]
    with database.write() as connection:
        _erase_mentions(connection, told)
    while index_waiting(database):  # the words that it was found by go with this
        pass
    return whole


def erase_old(database: Database, older_than: timedelta) -> int:
    """Erase the next few payments asked for longer ago than that, oldest first. How many; 0 when none is left.

    Raises `StoreUnavailable`.
    """
    order = (PAYMENT.c.requested_at, PAYMENT.c.seq)
    with database.read() as connection:
        reached = connection.execute(select(BACKFILL.c.erased_at, BACKFILL.c.erased_seq)).one()
        wanted = select(PAYMENT.c.id, *order).where(PAYMENT.c.requested_at < datetime.now(UTC) - older_than)
        if reached.erased_at is not None:
            at = PAYMENT.c.requested_at
            after = or_(at > reached.erased_at, and_(at == reached.erased_at, PAYMENT.c.seq > reached.erased_seq))
            wanted = wanted.where(at >= reached.erased_at, after)
        rows = connection.execute(wanted.order_by(*order).limit(_AT_ONCE)).all()
    if rows:
        with database.write() as connection:
            _erase(connection, _SYSTEM, [row.id for row in rows])
            connection.execute(update(BACKFILL).values(erased_at=rows[-1].requested_at, erased_seq=rows[-1].seq))
    return len(rows)


def _same_customer(connection: Connection, payment: Payment) -> list[str]:
    same, words = [], []
    if payment.customer_id:
        same.append(PAYMENT.c.customer_id == payment.customer_id)
        words.append(as_word(payment.customer_id))
    if payment.customer_email:
        same.append(func.lower(PAYMENT.c.customer_email) == payment.customer_email.lower())
        words.append(as_word(payment.customer_email))
    if not same:
        return [payment.id]
    found = select(PAYMENT.c.id).join(WORD, WORD.c.seq == PAYMENT.c.seq).where(WORD.c.word.in_(words), or_(*same))
    return list(dict.fromkeys([payment.id, *connection.execute(found.order_by(PAYMENT.c.seq)).scalars()]))


def _erase(connection: Connection, operator: Operator, payment_ids: Sequence[str]) -> Erased:
    """Redact all that is stored of these payments, and have each fold to what is left."""
    lock_payments(connection, payment_ids)
    seqs = select(PAYMENT.c.seq).where(PAYMENT.c.id.in_(payment_ids))
    told = connection.execute(select(EVENT.c.seq, EVENT.c.body).where(EVENT.c.payment_seq.in_(seqs))).all()
    changed = [{"of": row.seq, "now": redacted(row.body)} for row in told if not is_redacted(row.body)]
    if changed:
        rewrite = update(EVENT).where(EVENT.c.seq == bindparam("of")).values(body=bindparam("now"))
        connection.execute(rewrite, changed)
    now = datetime.now(UTC)
    stored = store(connection, [facts.customer_erased(each, by=operator.name, at=now) for each in payment_ids])
    copies = DELIVERY.c.event_seq.in_([row.seq for row in told]), DELIVERY.c.body.is_not(None)
    connection.execute(update(DELIVERY).where(*copies).values(body=None))
    connection.execute(update(LINE).where(LINE.c.payment_id.in_(payment_ids)).values(note=""))
    for row in connection.execute(select(_CREATION).where(_CREATION.c.payment_id.in_(payment_ids))).mappings().all():
        texts = {name: redacted(row[name]) for name in ("body", "answer") if row[name]}
        connection.execute(update(_CREATION).where(_CREATION.c.key == row["key"]).values(**texts))
    for payment_id, place in zip(payment_ids, stored, strict=True):
        if place.new:
            audit.note(connection, operator, "customer.erased", payment_id)
    return Erased(sum(place.new for place in stored), len(changed))


def _erase_mentions(connection: Connection, told: Iterable[str]) -> None:
    """What names the customer outside their payments: refused deliveries, which nobody could read, and saved searches."""
    for each in told:
        named = func.lower(DELIVERY.c.body).contains(each.lower(), autoescape=True)
        unread = DELIVERY.c.verdict.in_((*KEPT, "quarantined"))
        connection.execute(update(DELIVERY).where(unread, named).values(body=None))
        for written in {each, quote(each), quote_plus(each)}:
            searched = func.lower(_VIEW.c.address).contains(written.lower(), autoescape=True)
            connection.execute(delete(_VIEW).where(searched))
