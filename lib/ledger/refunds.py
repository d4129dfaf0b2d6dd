"""Refunds: reserved here before the call, sent under one key until the outcome is known, never twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from lib import catalog
from lib.checkout import models
from lib.checkout.errors import CheckoutError
from lib.ledger import facts
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.payments import KEY_LIFE
from lib.ledger.queries import find_payment, find_refund
from lib.ledger.record import PAYMENT, REFUND, lock_payments, record, store
from lib.ledger.reread import reread
from lib.ledger.tables import Payment, Refund
from lib.money import Money
from lib.operators import Operator

_NOTE_LENGTH = 1000
_COMMITTED = ("submitting", "awaiting_approval", "pending", "refunded")


class RefundProblem(ValueError):
    """A refund that was not begun; nothing is reserved. The message is a sentence for the person who asked."""


class PaymentUnknown(RefundProblem):
    """There is no such payment here."""


class NotRefundable(RefundProblem):
    """The payment, or what was asked of it, is of a kind that cannot be refunded."""


class ExceedsRefundable(RefundProblem):
    """More than is left; the message names what is left and why."""


class KeyReused(RefundProblem):
    """The form's key was used for another refund."""


class RemainingMoved(RefundProblem):
    """The remaining amount moved since the form was drawn. `latest` is the refund that moved it, where one did."""

    def __init__(self, drawn_with: Money, left: Money, latest: Refund | None) -> None:
        if latest:
            what = f"{latest.requested_by or 'Someone outside this dashboard'} refunded {latest.money} meanwhile"
        else:
            what = f"This form was drawn when {drawn_with} was left"
        super().__init__(f"{what}. {left} is left now. Nothing was sent; look at the new figures and ask again.")
        self.latest = latest


def request_refund(
    desk: Desk,
    operator: Operator,
    payment_id: str,
    amount: Money,
    *,
    key: str,
    drawn_with: Money,
    reason: str,
    note: str = "",
) -> Refund:
    """Reserve `amount` on the payment, then ask Checkout.com for it under `key`.

    `drawn_with` is the remaining amount that the person saw. Calling again with the same key returns the same refund.
    The refund comes back `pending` (accepted), `failed` (Checkout.com refused; the reservation is given back) or
    `submitting` (no answer; it is sent again under the same key until there is one). Raises a `RefundProblem`; then
    nothing is reserved.
    """
    if reason not in catalog.kakaopay().refund_reasons:
        raise NotRefundable("Choose a reason from the list.")
    if len(note) > _NOTE_LENGTH:
        raise NotRefundable(f"The note may have {_NOTE_LENGTH} characters, this has {len(note)}.")
    with desk.database.write() as connection:
        lock_payments(connection, [payment_id])
        held = connection.execute(select(REFUND).where(REFUND.c.key == key)).mappings().one_or_none()
        if held:
            return _same(Refund(**held), payment_id, amount)
        _check(connection, payment_id, amount, drawn_with)
        fact = facts.refund_requested(
            key,
            payment_id,
            amount=amount.minor,
            currency=amount.currency,
            reason=reason,
            note=note.strip(),
            by=operator.name,
            at=datetime.now(UTC),
        )
        store(connection, [fact])
    return submit(desk, key)


def submit(desk: Desk, key: str) -> Refund:
    """Send a reserved refund under its key, and record the answer. Does nothing for one whose outcome is known."""
    refund = _refund(desk.database, key)
    if refund.status != "submitting":
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
        if error.acted == "no":
            problem = {
                "sentence": error.sentence,
                "status": error.status,
                "error_codes": list(error.error_codes),
                "request": body,
            }
            record(
                desk.database,
                [facts.refund_refused(key, refund.payment_id, datetime.now(UTC), problem)],
            )
    else:
        record(
            desk.database,
            [facts.refund_accepted(key, refund.payment_id, accepted.action_id, answer)],
        )
    return _refund(desk.database, key)


def resume_refunds(desk: Desk, *, older_than: datetime) -> int:
    """Take up the refunds that were sent before `older_than` and have no answer yet. How many there were.

    Within the life of its key a refund is simply sent again. After that the key may be forgotten, so Checkout.com is
    asked first whether it knows a refund that fits; and while it holds back money for a refund that nothing names yet,
    that may be ours, so that it is waited for.
    """
    wanted = select(REFUND.c.key).where(REFUND.c.status == "submitting", REFUND.c.requested_at < older_than)
    with desk.database.read() as connection:
        keys = list(connection.execute(wanted.order_by(REFUND.c.requested_at).limit(100)).scalars())
    for key in keys:
        refund = _refund(desk.database, key)
        if datetime.now(UTC) - refund.requested_at > KEY_LIFE:
            try:
                reread(desk.database, desk.checkout, refund.payment_id)
                if _something_unnamed_is_underway(desk, refund.payment_id):
                    continue
            except CheckoutError:
                continue  # Checkout.com cannot be asked now; the next round asks again
        submit(desk, key)
    return len(keys)


def _something_unnamed_is_underway(desk: Desk, payment_id: str) -> bool:
    """Whether less can be refunded at Checkout.com than by all that is known here, were none of the unanswered refunds there.

    A pending refund is not among a payment's actions, and not every key may look up events; the balances tell of it.
    """
    details = models.read(models.PaymentDetails, desk.checkout.get_payment(payment_id))
    payment = find_payment(desk.database, payment_id)
    left = details.balances.available_to_refund if details.balances else None
    return payment is not None and left is not None and left < payment.refundable.minor + payment.refund_reserved


def expected_between(refund: Refund) -> tuple[date, date]:
    """The days between which the money should reach the customer: 3 to 10 business days (Checkout.com support pages)."""
    start = (refund.decided_at or refund.answered_at or refund.requested_at).date()
    return _business_days(start, 3), _business_days(start, 10)


def reference_of(key: str) -> str:
    """The reference that a refund carries at Checkout.com."""
    return f"RF-{key}"[:50]


def _same(refund: Refund, payment_id: str, amount: Money) -> Refund:
    if (refund.payment_id, refund.money) != (payment_id, amount):
        raise KeyReused("This form has already been used for another refund. Reload the page and fill it in again.")
    return refund


def _refund(database: Database, key: str) -> Refund:
    refund = find_refund(database, key)
    if refund is None:
        raise PaymentUnknown("There is no such refund.")
    return refund


def _check(connection: Connection, payment_id: str, amount: Money, drawn_with: Money) -> None:
    row = connection.execute(select(PAYMENT).where(PAYMENT.c.id == payment_id)).mappings().one_or_none()
    if row is None:
        raise PaymentUnknown("There is no such payment here. Check the id, or find the payment under Payments.")
    payment = Payment(**row)
    if not payment.captured:
        raise NotRefundable(f"Only a captured payment can be refunded, and this one is {payment.status}.")
    if amount.currency != payment.currency or drawn_with.currency != payment.currency:
        raise NotRefundable(
            f"This payment was made in {payment.currency}; it can only be refunded in {payment.currency}."
        )
    if amount.minor <= 0:
        raise NotRefundable("The amount must be more than zero.")
    minimum = catalog.currencies()[amount.currency].minimum_refund if amount.currency in catalog.currencies() else None
    if minimum and amount.minor < minimum:
        raise NotRefundable(f"KakaoPay refuses refunds under {Money(minimum, amount.currency)}.")
    newest = (
        select(REFUND)
        .where(REFUND.c.payment_id == payment_id, REFUND.c.status.in_(_COMMITTED))
        .order_by(REFUND.c.requested_at.desc(), REFUND.c.key.desc())
    )
    committed = [Refund(**held) for held in connection.execute(newest).mappings()]
    left = payment.refundable
    if drawn_with != left:
        raise RemainingMoved(drawn_with, left, committed[0] if committed and left < drawn_with else None)
    if amount > left:
        raise ExceedsRefundable(_why(payment, left))


def _why(payment: Payment, left: Money) -> str:
    parts = [f"{Money(payment.captured, left.currency)} was captured"]
    for minor, words in (
        (payment.refunded, "is refunded"),
        (payment.refund_pending, "is accepted and pending"),
        (payment.refund_reserved, "is reserved for refunds being sent"),
    ):
        if minor:
            parts.append(f"{Money(minor, left.currency)} {words}")
    return f"Only {left} is left to refund: {', '.join(parts)}."


def _business_days(start: date, count: int) -> date:
    day = start
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day
