"""Asking for a refund: its amount is reserved here, in one transaction, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, select

from lib import catalog
from lib.ledger import audit, facts
from lib.ledger.decisions import limit_exceeded
from lib.ledger.desk import Desk
from lib.ledger.order_lines import choose, read_lines
from lib.ledger.record import PAYMENT, REFUND, lock_payments, store
from lib.ledger.refund_rules import COMMITTED, KeyReused, NotRefundable, PaymentUnknown, check
from lib.ledger.sending import submit, told_before
from lib.ledger.tables import Payment, Refund
from lib.money import Money
from lib.operators import Operator

_NOTE_LENGTH = 1000
_TRIED_AGAIN = ("declined", "failed")


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
    lines: Mapping[int, int] | None = None,
    retry_of: str | None = None,
) -> Refund:
    """Reserve `amount` on the payment, then ask Checkout.com for it under `key`.

    `drawn_with` is the remaining amount that the person saw. `lines` are the order lines given back, pieces by the
    line's number; their prices must come to `amount`. `retry_of` is the key of a declined or failed refund that this
    one tries again. Calling again with the same key returns the same refund.

    The refund comes back `pending` (accepted), `failed` (Checkout.com refused; the reservation is given back),
    `submitting` (held for a while, or no answer; it is sent under the same key until there is one), or
    `awaiting_approval` (above the person's limit). Raises `NotAllowed` or a `RefundProblem`; then nothing is reserved.
    """
    audit.permit(desk.database, operator, "refund", payment_id)
    reasons = catalog.kakaopay().refund_reasons
    if reason not in reasons:
        raise NotRefundable("Choose a reason from the list.")
    if len(note) > _NOTE_LENGTH:
        raise NotRefundable(f"The note may have {_NOTE_LENGTH} characters, this has {len(note)}.")
    with desk.database.write() as connection:
        lock_payments(connection, [payment_id])
        held = connection.execute(select(REFUND).where(REFUND.c.key == key)).mappings().one_or_none()
        if held:
            return _same(Refund(**held), payment_id, amount)
        payment, refunds = _load(connection, payment_id)
        now = datetime.now(UTC)
        check(payment, refunds, amount, drawn_with=drawn_with, now=now, zone=desk.settings.zone)
        terms: dict[str, Any] = {
            "reason_label": reasons[reason],
            **told_before(connection, payment_id, amount.minor),
            **_lines(connection, payment, refunds, amount, lines or {}),
            **_retry(refunds, retry_of),
            **_wait(desk, operator, refunds, amount, now),
        }
        fact = facts.refund_requested(
            key,
            payment_id,
            amount=amount.minor,
            currency=amount.currency,
            reason=reason,
            note=note.strip(),
            by=operator.name,
            at=now,
            terms=terms,
        )
        store(connection, [fact])
        done: dict[str, Any] = {"refund": key, "amount": amount.minor, "currency": amount.currency, "reason": reason}
        if retry_of:
            done["retry_of"] = retry_of
        audit.note(connection, operator, "refund.retried" if retry_of else "refund.requested", payment_id, after=done)
    return submit(desk, key)


def expected_between(refund: Refund) -> tuple[date, date]:
    """The days between which the money should reach the customer: 3 to 10 business days (Checkout.com support pages)."""
    start = (refund.decided_at or refund.answered_at or refund.requested_at).date()
    return _business_days(start, 3), _business_days(start, 10)


def retry_of(refund: Refund, refunds: Sequence[Refund]) -> Refund | None:
    """The refund that tries `refund` again, if there is one that did not come to nothing itself."""
    return next((each for each in refunds if each.retry_of == refund.key and each.status in COMMITTED), None)


def can_be_retried(refund: Refund, refunds: Sequence[Refund]) -> bool:
    """Whether a refund asked for here was declined or refused, and nobody has tried it again."""
    asked_here = refund.requested_by is not None
    return asked_here and refund.status in _TRIED_AGAIN and retry_of(refund, refunds) is None


def _same(refund: Refund, payment_id: str, amount: Money) -> Refund:
    if (refund.payment_id, refund.money) != (payment_id, amount):
        raise KeyReused("This form has already been used for another refund. Reload the page and fill it in again.")
    return refund


def _load(connection: Connection, payment_id: str) -> tuple[Payment, list[Refund]]:
    row = connection.execute(select(PAYMENT).where(PAYMENT.c.id == payment_id)).mappings().one_or_none()
    if row is None:
        raise PaymentUnknown("There is no such payment here. Check the id, or find the payment under Payments.")
    rows = connection.execute(select(REFUND).where(REFUND.c.payment_id == payment_id)).mappings()
    return Payment(**row), [Refund(**each) for each in rows]


def _lines(
    connection: Connection, payment: Payment, refunds: Sequence[Refund], amount: Money, chosen: Mapping[int, int]
) -> dict[str, Any]:
    if not chosen:
        return {}
    lines = choose(read_lines(connection, payment, refunds), chosen)
    total = Money(sum(line["amount"] for line in lines), amount.currency)
    if total != amount:
        raise NotRefundable(f"The lines chosen come to {total}, not {amount}. Choose them again.")
    return {"lines": lines}


def _retry(refunds: Sequence[Refund], tried: str | None) -> dict[str, Any]:
    if tried is None:
        return {}
    refund = next((each for each in refunds if each.key == tried), None)
    if refund is None or not can_be_retried(refund, refunds):
        raise NotRefundable(
            "Only a refund that was declined or not accepted can be tried again, and only once at a time. "
            "Load the page again to see where it stands."
        )
    return {"retry_of": tried}


def _wait(desk: Desk, operator: Operator, refunds: Sequence[Refund], amount: Money, now: datetime) -> dict[str, Any]:
    """Until when it waits for a second person, or is held, if it is."""
    limit = limit_exceeded(desk.settings.limits, operator, refunds, amount)
    if limit:
        approve_by = now + timedelta(hours=desk.settings.refund_approval_hours)
        return {"limit": limit.minor, "approve_by": approve_by.isoformat()}
    seconds = desk.settings.refund_hold_seconds
    return {"held_until": (now + timedelta(seconds=seconds)).isoformat()} if seconds else {}


@lru_cache(maxsize=1024)  # a list asks for the same few days again and again
def _business_days(start: date, count: int) -> date:
    day = start
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day
