"""Deciding about a refund before it is sent: a second person approves or rejects it, or it is cancelled, or time runs out.

Each decision is taken under the payment's lock, after looking at the refund's row as it is then, and recorded there as
a fact. So of approving, rejecting, cancelling, expiring and sending exactly one takes place, whoever tries at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from lib.ledger import audit, facts
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.record import REFUND, lock_payments, store
from lib.ledger.refund_rules import COMMITTED, PaymentUnknown, RefundProblem, moment
from lib.ledger.rows import as_rows
from lib.ledger.sending import known, submit, told_before
from lib.ledger.tables import Refund
from lib.limits import Limits
from lib.money import Money
from lib.operators import Operator

_WHY_LENGTH = 500
_A_ROUND = 100


class OwnRefund(RefundProblem):
    """Nobody decides about what they asked for themselves."""


class TooLate(RefundProblem):
    """Somebody or something was there first; the message says who, when and what."""


def limit_exceeded(limits: Limits, operator: Operator, refunds: Sequence[Refund], amount: Money) -> Money | None:
    """The limit that makes a second person necessary for `amount`, if one does. `refunds` are all of the payment's.

    What counts against a limit is the amount together with all that the same person has refunded of this payment
    without anybody's approval, sent or still to be sent. So a large refund cannot be split into small ones. What was
    approved does not count: a second person has seen it. Neither does what was declined, failed or cancelled: no money
    went. Another person's refunds do not count either, for then two people were at it already.
    """
    limit = limits.of(operator.roles, amount.currency)
    if limit is None:
        return None
    alone = sum(
        refund.amount
        for refund in refunds
        if refund.requested_by == operator.name
        and refund.approve_by is None
        and refund.status in COMMITTED
        and refund.currency == amount.currency
    )
    return limit if Money(alone, amount.currency) + amount > limit else None


def approve(desk: Desk, operator: Operator, key: str) -> Refund:
    """Agree to a refund that waits for a second person; it is sent, or held first where refunds are held.

    Raises `NotAllowed`, `OwnRefund` for the person who asked for it, whatever their roles have become, and `TooLate`
    when it no longer waits.
    """
    audit.permit(desk.database, operator, "approve", key)
    with desk.database.write() as connection:
        refund, now = _waiting(connection, desk, operator, key)
        said: dict[str, Any] = told_before(connection, refund.payment_id, refund.amount)
        if desk.settings.refund_hold_seconds:
            said["held_until"] = (now + timedelta(seconds=desk.settings.refund_hold_seconds)).isoformat()
        store(connection, [facts.refund_decided("approved", key, refund.payment_id, now, by=operator.name, **said)])
        _note(connection, operator, "refund.approved", refund)
    return submit(desk, key)


def reject(desk: Desk, operator: Operator, key: str, why: str) -> Refund:
    """Refuse a refund that waits for a second person, and say why; its amount is given back. Raises as `approve`."""
    audit.permit(desk.database, operator, "approve", key)
    why = why.strip()
    if not why:
        raise RefundProblem("Say why, so that whoever asked for it knows what to do.")
    if len(why) > _WHY_LENGTH:
        raise RefundProblem(f"The reason may have {_WHY_LENGTH} characters, this has {len(why)}.")
    with desk.database.write() as connection:
        refund, now = _waiting(connection, desk, operator, key)
        rejected = facts.refund_decided("rejected", key, refund.payment_id, now, by=operator.name, why=why)
        store(connection, [rejected])
        _note(connection, operator, "refund.rejected", refund)
    return known(desk.database, key)


def cancel(desk: Desk, operator: Operator, key: str) -> Refund:
    """Take back a refund that waits for approval or is held; nothing of it is ever sent. Raises `NotAllowed` and `TooLate`."""
    audit.permit(desk.database, operator, "refund", key)
    with desk.database.write() as connection:
        refund = _locked(connection, key)
        if not refund.cancellable:
            raise TooLate(became(refund, desk.settings.zone))
        now = datetime.now(UTC)
        store(connection, [facts.refund_decided("cancelled", key, refund.payment_id, now, by=operator.name)])
        _note(connection, operator, "refund.cancelled", refund)
    return known(desk.database, key)


def expire_waiting(desk: Desk, now: datetime) -> int:
    """Give back what waited for approval longer than it may. How many refunds there were."""
    late = REFUND.c.status == "awaiting_approval", REFUND.c.approve_by < now
    with desk.database.read() as connection:
        keys = list(connection.execute(select(REFUND.c.key).where(*late).limit(_A_ROUND)).scalars())
    for key in keys:
        with desk.database.write() as connection:
            refund = _locked(connection, key)
            if refund.status == "awaiting_approval":
                store(connection, [facts.refund_decided("lapsed", key, refund.payment_id, now)])
    return len(keys)


def waiting(database: Database, *, limit: int = 50) -> list[Refund]:
    """The refunds that wait for a second person, the longest waiting first."""
    wanted = select(REFUND).where(REFUND.c.status == "awaiting_approval")
    with database.read() as connection:
        oldest = wanted.order_by(REFUND.c.requested_at, REFUND.c.key).limit(limit)
        return as_rows(Refund, connection.execute(oldest).mappings().all())


def became(refund: Refund, zone: ZoneInfo) -> str:
    """What has become of a refund that can no longer be decided about."""
    if refund.ended_as:
        at = moment(refund.decided_at or refund.requested_at, zone)
        if refund.ended_as == "lapsed":
            return f"Nobody approved it in time; it ended {at}, and its amount was given back."
        return f"{refund.ended_by} {refund.ended_as} it {at}. Nothing was sent."
    if refund.approved_by and refund.approved_at:
        return f"{refund.approved_by} approved it {moment(refund.approved_at, zone)}; it is on its way."
    return "It has been sent already, and Checkout.com cannot take back a refund."


def _waiting(connection: Connection, desk: Desk, operator: Operator, key: str) -> tuple[Refund, datetime]:
    """The refund, if it waits for this person, and the time. The row is locked: what it says is true until the commit."""
    refund, now = _locked(connection, key), datetime.now(UTC)
    if refund.status != "awaiting_approval":
        raise TooLate(became(refund, desk.settings.zone))
    if refund.requested_by == operator.name:
        raise OwnRefund("You asked for this refund yourself, so somebody else has to decide about it.")
    if refund.approve_by and refund.approve_by < now:
        raise TooLate("It has waited longer than it may; it has to be asked for again.")
    return refund, now


def _locked(connection: Connection, key: str) -> Refund:
    wanted = REFUND.c.key == key
    payment_id = connection.execute(select(REFUND.c.payment_id).where(wanted)).scalar()
    if payment_id is None:
        raise PaymentUnknown("There is no such refund.")
    lock_payments(connection, [payment_id])
    return Refund(**connection.execute(select(REFUND).where(wanted)).mappings().one())


def _note(connection: Connection, operator: Operator, action: str, refund: Refund) -> None:
    before = {"refund": refund.key, "status": refund.status, "amount": refund.amount, "currency": refund.currency}
    audit.note(connection, operator, action, refund.payment_id, before=before)
