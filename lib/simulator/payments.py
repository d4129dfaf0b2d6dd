"""The life of a KakaoPay payment: every transition, and the events each one brings forth.

    Pending -> Captured -> Partially Refunded -> Refunded
    Pending -> Declined | Expired | Canceled

KakaoPay is one-step: what the customer agrees to is captured. Walking away from the wallet page cancels the payment, with
the event `payment_canceled` ("customer cancelled on the provider's page"); simply closing the page lets the link expire.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from lib import catalog
from lib.simulator import finance, rules, shapes
from lib.simulator.bodies import read_object, write_object
from lib.simulator.problem import NOT_ALLOWED, Refusal, invalid
from lib.simulator.rules import Order
from lib.simulator.shapes import CAPTURED
from lib.simulator.step import Step
from lib.simulator.store import Action, Customer, Payment, Source

Reply = tuple[int, dict[str, Any]]
"""Status and body of an answer."""

WALLET_REFUSED = "20005"
"""What a customer's "no" is told as. Which codes KakaoPay sends is not evidenced; this is our choice."""
REFUND_REFUSED = "20006"


def create(step: Step, raw: str) -> Reply:
    """`POST /payments`: 202, and a payment that waits for its customer, or for KakaoPay if a stored source is charged."""
    order = rules.payment(raw.encode(), step.account)
    stored = _stored_source(step, order) if order.source_id else None
    customer = _customer(step, order, stored)
    source_id = order.source_id
    if not source_id and order.payment_type == "Recurring":
        source_id = step.chance.identifier("src")
        step.db.add(Source(id=source_id, customer_id=customer.id, status="pending"))
        step.db.flush()
    expires = None if stored else step.now + timedelta(minutes=step.options.link_minutes)
    payment = Payment(
        id=step.chance.identifier("pay"),
        code=None if stored else step.chance.token("code"),
        status="Pending",
        reference=order.reference,
        payment_type=order.payment_type,
        currency=order.currency,
        amount=order.amount,
        captured=0,
        refunded=0,
        refund_pending=0,
        requested_on=step.now,
        expires_on=expires,
        capture_id=step.chance.identifier("act"),
        source_id=source_id,
        customer_id=customer.id,
        success_url=order.success_url,
        failure_url=order.failure_url,
        details=order.details,
    )
    step.db.add(payment)
    step.emit("payment_pending", payment)
    if expires:
        step.schedule("expire", payment.id, expires)
    else:
        step.schedule(
            "settle",
            payment.id,
            step.now + timedelta(seconds=step.options.settle_seconds),
        )
    return 202, shapes.created(step.db, payment, step.base)


def decide(step: Step, code: str, decision: str) -> str:
    """What the customer does on the wallet page: `pay`, `decline` or `cancel`. Where the browser goes next.

    Deciding again changes nothing; the browser then goes where the first decision sent it. 404 for an unknown code.
    """
    payment = step.db.scalar(select(Payment).where(Payment.code == code))
    if payment is None:
        raise Refusal(404)
    if payment.status == "Pending":
        if decision == "pay":
            _take(step, payment)
        elif decision == "decline":
            _decline(step, payment, WALLET_REFUSED)
        else:
            _close(step, payment, "Canceled", "payment_canceled")
    elif payment.status == "Expired" and decision == "pay" and step.faults.strikes("late_capture", payment.id):
        _capture(step, payment)
    else:
        step.acted = False
    url = (payment.success_url if payment.status in CAPTURED else payment.failure_url) or ""
    if step.options.return_payment_id:
        url += ("&" if "?" in url else "?") + f"cko-payment-id={payment.id}"
    return url


def settle(step: Step, payment_id: str) -> None:
    """KakaoPay settles a charge by stored source, which asks nobody."""
    _take(step, step.payment(payment_id))


def expire(step: Step, payment_id: str) -> None:
    """The link's time is up. Does nothing to a payment that is already decided."""
    payment = step.payment(payment_id)
    step.acted = payment.status == "Pending"
    if step.acted:
        _close(step, payment, "Expired", "payment_expired")


def refund(step: Step, payment_id: str, raw: str) -> Reply:
    """`POST /payments/{id}/refunds`: 202, which promises nothing but that the refund will be decided."""
    payment = step.payment(payment_id)
    order = rules.refund(raw.encode())
    if not payment.captured:
        raise Refusal(NOT_ALLOWED)
    amount = order.amount if order.amount is not None else payment.refundable
    if amount > payment.refundable or not amount:
        raise invalid("refund_amount_exceeds_balance")
    refunds = Action.payment_id == payment_id, Action.type == "Refund"
    tally = step.db.execute(select(Action.status, func.count()).where(*refunds).group_by(Action.status))
    counted = {row[0]: row[1] for row in tally}
    if counted.get("declined", 0) >= step.options.failed_refund_limit:
        raise invalid("action_failure_limit_exceeded")
    if counted.get("approved", 0) + counted.get("pending", 0) >= catalog.kakaopay().maximum_partial_actions:
        raise Refusal(NOT_ALLOWED)
    action = Action(
        id=step.chance.identifier("act"),
        payment_id=payment.id,
        type="Refund",
        amount=amount,
        status="pending",
        reference=order.reference,
        details=order.metadata,
        requested_on=step.now,
    )
    payment.refund_pending += amount
    step.db.add(action)
    step.emit("payment_refund_pending", payment, action)
    late = step.faults.strikes("refund_declined_late", action.id)
    if late:
        # Written down now, so that the decision does not depend on how the board is set when it falls.
        action.response_code = late.code
    delay = step.options.refund_seconds + ((late.seconds or 0) if late else 0)
    step.schedule("decide_refund", action.id, step.now + timedelta(seconds=delay))
    body: dict[str, Any] = {"action_id": action.id}
    if order.reference:
        body["reference"] = order.reference
    return 202, {**body, "_links": {"payment": {"href": shapes.payment_href(step.base, payment)}}}


def reverse(step: Step, payment_id: str, raw: str) -> Reply:
    """`POST /payments/{id}/reversals`: for KakaoPay a refund of all that is left, or 200 if that has been done."""
    body = {name: value for name, value in read_object(raw.encode(), empty=True).items() if name != "amount"}
    payment = step.payment(payment_id)
    if payment.captured and not payment.refundable:
        step.acted = False
        last = step.db.scalars(
            select(Action).where(Action.payment_id == payment_id, Action.type == "Refund").order_by(Action.seq.desc())
        ).first()
        assert last is not None, "captured money can only have gone by a refund"
        return 200, {"action_id": last.id, "_links": {"payment": {"href": shapes.payment_href(step.base, payment)}}}
    return refund(step, payment_id, write_object(body))


def decide_refund(step: Step, action_id: str) -> None:
    """KakaoPay decides a refund: declined if it comes too late or is too small, or if a fault says so."""
    action = step.action(action_id)
    payment = step.payment(action.payment_id)
    code = action.response_code or _refund_refusal(payment, action)
    payment.refund_pending -= action.amount
    if code:
        _finish(step, action, "declined", code)
        step.emit("payment_refund_declined", payment, action)
        return
    payment.refunded += action.amount
    payment.status = "Refunded" if payment.refunded == payment.captured else "Partially Refunded"
    _finish(step, action, "approved", "10000")
    finance.book(step, action, payment)
    step.emit("payment_refunded", payment, action)


def revoke(step: Step, source_id: str) -> None:
    """The customer ends the agreement: the source can no longer be charged. 404 for an unknown source."""
    source = step.db.get(Source, source_id)
    if source is None:
        raise Refusal(404)
    source.status = "revoked"


def _take(step: Step, payment: Payment) -> None:
    declined = step.faults.strikes("payment_declined", payment.id)
    if declined and declined.code:
        _decline(step, payment, declined.code)
    else:
        _capture(step, payment)


def _capture(step: Step, payment: Payment) -> None:
    action = _capture_action(step, payment)
    step.emit("payment_capture_pending", payment)
    payment.status, payment.captured, payment.processed_on = (
        "Captured",
        payment.amount,
        step.now,
    )
    payment.response_code, payment.response_summary = "10000", shapes.summary("10000")
    _finish(step, action, "approved", "10000")
    finance.book(step, action, payment)
    source = step.db.get(Source, payment.source_id) if payment.source_id else None
    if source and source.status == "pending":
        source.status = "active"
    step.emit("payment_captured", payment, action)


def _decline(step: Step, payment: Payment, code: str) -> None:
    action = _capture_action(step, payment)
    payment.status, payment.processed_on = "Declined", step.now
    payment.response_code, payment.response_summary = code, shapes.summary(code)
    _finish(step, action, "declined", code)
    step.emit("payment_declined", payment, action)


def _close(step: Step, payment: Payment, status: str, event: str) -> None:
    payment.status, payment.processed_on = status, step.now
    step.emit(event, payment)


def _capture_action(step: Step, payment: Payment) -> Action:
    action = Action(
        id=payment.capture_id,
        payment_id=payment.id,
        type="Capture",
        amount=payment.amount,
        status="pending",
        reference=payment.reference,
        requested_on=payment.requested_on,
    )
    step.db.add(action)
    return action


def _finish(step: Step, action: Action, status: str, code: str) -> None:
    action.status, action.processed_on = status, step.now
    action.response_code, action.response_summary = code, shapes.summary(code)
    action.acquirer_transaction_id = step.chance.digits("acquirer_transaction", 20)
    action.acquirer_reference_number = step.chance.digits("acquirer_reference", 12)


def _refund_refusal(payment: Payment, action: Action) -> str | None:
    captured_on: datetime = payment.processed_on or payment.requested_on
    window = timedelta(days=catalog.kakaopay().refund_window_days)
    smallest = catalog.currencies()[payment.currency].minimum_refund
    too_small = smallest is not None and action.amount < smallest
    return REFUND_REFUSED if too_small or action.requested_on > captured_on + window else None


def _stored_source(step: Step, order: Order) -> Source:
    source = step.db.get(Source, order.source_id)
    if source is None or source.status != "active":
        raise invalid("source_id_unknown")
    return source


def _customer(step: Step, order: Order, stored: Source | None) -> Customer:
    given = order.customer
    if given.get("id"):
        found = step.db.get(Customer, given["id"])
        if found is None:
            raise invalid("customer_not_found")
        return found
    if given.get("email"):
        known = step.db.scalars(select(Customer).where(Customer.email == given["email"]).order_by(Customer.id)).first()
        if known:
            known.name, known.phone = (
                known.name or given.get("name"),
                known.phone or given.get("phone"),
            )
            return known
    elif stored:
        return step.db.get_one(Customer, stored.customer_id)
    customer = Customer(
        id=step.chance.identifier("cus"),
        email=given.get("email"),
        name=given.get("name"),
        phone=given.get("phone"),
    )
    step.db.add(customer)
    step.db.flush()
    return customer
