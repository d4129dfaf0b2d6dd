"""Refunds on their way out: sent under one key until the outcome is known, never twice; kept back as long as they are held."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, or_, select

from lib.checkout import models
from lib.checkout.errors import CheckoutError, InvalidRequest
from lib.ledger import facts
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.payments import KEY_LIFE
from lib.ledger.queries import find_payment, find_refund
from lib.ledger.record import REFUND, lock_payments, record, store
from lib.ledger.refund_rules import PaymentUnknown
from lib.ledger.reread import reread
from lib.ledger.tables import Refund

_A_ROUND = 100


def submit(desk: Desk, key: str, *, in_doubt: bool = False) -> Refund:
    """Send a reserved refund under its key, and record the answer.

    `in_doubt` when it may have been sent before and accepted. Then only a refusal of the request itself ends it: under
    its key an accepted one would have been answered again, while a key revoked meanwhile says nothing of it.
    Does nothing for one that was answered, ended, waits for approval or is held.
    """
    refund = known(desk.database, key)
    if refund.send_at is None or refund.held_until:
        return refund
    body: dict[str, Any] = {
        "amount": refund.amount,
        "reference": reference_of(key),
        "metadata": {"refund_key": key},
    }
    try:
        answer = desk.checkout.refund(refund.payment_id, body, idempotency_key=key)
        accepted = models.read(models.RefundAccepted, answer)
    except CheckoutError as error:
        if error.acted == "no" and (isinstance(error, InvalidRequest) or not in_doubt):
            problem = {
                "sentence": error.sentence,
                "status": error.status,
                "error_codes": list(error.error_codes),
                "request": body,
            }
            record(desk.database, [facts.refund_refused(key, refund.payment_id, datetime.now(UTC), problem)])
    else:
        record(desk.database, [facts.refund_accepted(key, refund.payment_id, accepted.action_id, answer)])
    return known(desk.database, key)


def resume_refunds(desk: Desk, *, older_than: datetime) -> int:
    """Take up the refunds that were to be sent before `older_than` and have no answer yet. How many there were.

    Within the life of its key a refund is simply sent again, also when an event seems to tell of it: only the answer
    says for certain that the event is this refund's. After that the key may be forgotten, so Checkout.com is asked
    first whether it knows a refund that fits; and while it holds back money for a refund that nothing names yet, that
    may be ours, so that it is waited for.
    """
    key_lives = datetime.now(UTC) - KEY_LIFE
    wanted = select(REFUND.c.key).where(
        REFUND.c.send_at < older_than,
        REFUND.c.held_until.is_(None),
        or_(REFUND.c.status == "submitting", REFUND.c.send_at > key_lives),
    )
    with desk.database.read() as connection:
        keys = list(connection.execute(wanted.order_by(REFUND.c.send_at).limit(_A_ROUND)).scalars())
    for key in keys:
        refund = known(desk.database, key)
        key_lives_on = refund.send_at is None or refund.send_at >= key_lives
        if not key_lives_on:
            try:
                reread(desk.database, desk.checkout, refund.payment_id)
                if _something_unnamed_is_underway(desk, refund.payment_id):
                    continue
            except CheckoutError:
                continue  # Checkout.com cannot be asked now; the next round asks again
            if known(desk.database, key).status != "submitting":
                continue
        submit(desk, key, in_doubt=key_lives_on)
    return len(keys)


def release(desk: Desk, key: str) -> Refund:
    """Send a refund whose hold has ended; one that is held still, or that somebody cancelled, stays as it is.

    That it goes out is recorded first, under the payment's lock, so that of a cancellation and a release exactly one
    takes place. Whoever recorded it sends it; if that process dies, `resume_refunds` does.
    """
    refund = known(desk.database, key)
    with desk.database.write() as connection:
        lock_payments(connection, [refund.payment_id])
        row = connection.execute(select(REFUND.c.held_until, REFUND.c.amount).where(REFUND.c.key == key)).one()
        now = datetime.now(UTC)
        if row.held_until is None or row.held_until > now:
            return refund
        said: dict[str, Any] = told_before(connection, refund.payment_id, refund.amount)
        store(connection, [facts.refund_decided("released", key, refund.payment_id, now, **said)])
    return submit(desk, key)


def release_due(desk: Desk, now: datetime) -> int:
    """Send the refunds whose hold has ended by `now`. How many there were."""
    due = REFUND.c.status == "submitting", REFUND.c.send_at <= now, REFUND.c.held_until <= now
    with desk.database.read() as connection:
        keys = list(connection.execute(select(REFUND.c.key).where(*due).limit(_A_ROUND)).scalars())
    for key in keys:
        release(desk, key)
    return len(keys)


def told_before(connection: Connection, payment_id: str, amount: int) -> dict[str, list[str]]:
    """Actions of this amount that are known already, and so cannot be what becomes of a refund that is sent from now on."""
    actions = select(REFUND.c.action_id).where(
        REFUND.c.payment_id == payment_id, REFUND.c.amount == amount, REFUND.c.action_id.is_not(None)
    )
    found = sorted(connection.execute(actions).scalars())
    return {"told_before": found} if found else {}


def known(database: Database, key: str) -> Refund:
    """The refund with this key. Raises `PaymentUnknown` when there is none."""
    refund = find_refund(database, key)
    if refund is None:
        raise PaymentUnknown("There is no such refund.")
    return refund


def reference_of(key: str) -> str:
    """The reference that a refund carries at Checkout.com."""
    return f"RF-{key}"[:50]


def _something_unnamed_is_underway(desk: Desk, payment_id: str) -> bool:
    """Whether less can be refunded at Checkout.com than by all that is known here, were none of the unanswered refunds there.

    A pending refund is not among a payment's actions, and not every key may look up events; the balances tell of it.
    """
    details = models.read(models.PaymentDetails, desk.checkout.get_payment(payment_id))
    payment = find_payment(desk.database, payment_id)
    left = details.balances.available_to_refund if details.balances else None
    return payment is not None and left is not None and left < payment.refundable.minor + payment.refund_reserved
