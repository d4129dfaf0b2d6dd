"""How payments, actions and events look on the wire. Nothing here decides anything."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from lib.simulator.clock import stamp
from lib.simulator.store import Action, Attempt, Customer, Event, Payment

EVENT_VERSION: Final = "1.0.29"
CAPTURED: Final = frozenset({"Captured", "Partially Refunded", "Refunded"})
_DECIDED: Final = frozenset(
    {
        "payment_captured",
        "payment_declined",
        "payment_refunded",
        "payment_refund_declined",
    }
)
_WITH_BALANCES: Final = frozenset({"payment_captured", "payment_refunded", "payment_refund_declined"})
_WITHOUT_METADATA: Final = frozenset({"payment_refund_pending", "payment_canceled"})
_SUMMARIES: Final = {
    "10000": "Approved",
    "20005": "Declined - Do Not Honour",
    "20006": "Error / Invalid Request Parameters",
    "20051": "Insufficient Funds",
    "20120": "Invalid Customer/User",
}
_GROUPS: Final = {
    "2": "Declined",
    "3": "Declined - Hard Decline",
    "4": "Declined - Risk",
    "5": "Declined by Checkout.com",
}


def summary(code: str) -> str:
    """The words that go with a response code, or those of its group."""
    return _SUMMARIES.get(code) or _GROUPS[code[0]]


def payment_href(base: str, payment: Payment) -> str:
    return f"{base}/payments/{payment.id}"


def created(db: Session, payment: Payment, base: str) -> dict[str, Any]:
    """The 202 to a payment request."""
    links: dict[str, Any] = {"self": {"href": payment_href(base, payment)}}
    if payment.code:
        links["redirect"] = {"href": redirect(base, payment)}
    body: dict[str, Any] = {
        "id": payment.id,
        "status": payment.status,
        "reference": payment.reference,
        "customer": customer(db, payment),
    }
    if payment.source_id:
        body["source"] = {"id": payment.source_id, "type": "kakaopay"}
    return {**body, "_links": links}


def redirect(base: str, payment: Payment) -> str:
    """Where the customer is sent: a page with a QR code for WEB, KakaoPay's own page for APP and WAP."""
    web = (payment.details.get("processing") or {}).get("terminal_type") == "WEB"
    return f"{base}/wallet/{payment.code}?" + ("terminal=WEB" if web else "pspName=KAKAOPAY&loadMode=2")


def customer(db: Session, payment: Payment) -> dict[str, Any]:
    found = db.get_one(Customer, payment.customer_id)
    known = {
        "id": found.id,
        "email": found.email,
        "name": found.name,
        "phone": found.phone,
    }
    return {name: value for name, value in known.items() if value is not None}


def balances(payment: Payment) -> dict[str, int]:
    """Minor units. What a pending refund has reserved is no longer available, but not yet refunded."""
    return {
        "total_authorized": payment.captured,
        "total_voided": 0,
        "available_to_void": 0,
        "total_captured": payment.captured,
        "available_to_capture": 0,
        "total_refunded": payment.refunded,
        "available_to_refund": payment.refundable,
    }


def details(db: Session, payment: Payment, base: str) -> dict[str, Any]:
    """`GET /payments/{id}`."""
    href = payment_href(base, payment)
    links = {"self": {"href": href}, "actions": {"href": f"{href}/actions"}}
    source: dict[str, Any] = {"type": "kakaopay"}
    if payment.source_id:
        source["id"] = payment.source_id
    body: dict[str, Any] = {
        "id": payment.id,
        "requested_on": stamp(payment.requested_on),
    }
    if payment.processed_on:
        body["processed_on"] = stamp(payment.processed_on)
    body |= {
        "source": source,
        "amount": payment.amount,
        "amount_requested": payment.amount,
        "currency": payment.currency,
        "payment_type": payment.payment_type,
        "reference": payment.reference,
        "status": payment.status,
        "approved": payment.captured > 0,
    }
    if payment.status == "Pending" and payment.expires_on:
        body["expires_on"] = stamp(payment.expires_on)
        links["redirect"] = {"href": redirect(base, payment)}
    if payment.captured or payment.status == "Pending":
        body["balances"] = balances(payment)
    if payment.refundable:
        links["refund"] = {"href": f"{href}/refunds"}
    body |= {
        "risk": {"flagged": False},
        "customer": customer(db, payment),
        **payment.details,
    }
    return {**body, "_links": links}


def action(action: Action, payment: Payment) -> dict[str, Any]:
    """One decided action in `GET /payments/{id}/actions`."""
    body: dict[str, Any] = {
        "id": action.id,
        "type": action.type,
        "processed_on": stamp(action.processed_on or action.requested_on),
        "amount": action.amount,
        "approved": action.status == "approved",
        "response_code": action.response_code,
        "response_summary": action.response_summary,
        "reference": action.reference or payment.reference,
    }
    if action.acquirer_transaction_id:
        body["processing"] = _acquirer(action)
    if action.details:
        body["metadata"] = action.details
    return body


def event(
    kind: str,
    identifier: str,
    payment: Payment,
    action: Action | None,
    customer: dict[str, Any],
    now: datetime,
    *,
    stamped: str,
    base: str,
) -> dict[str, Any]:
    """The whole webhook body: the envelope and, for each type, the fields recorded events of that type have.

    `stamped` is `created_on` or `timestamp`: both forms of the envelope's time occur, even for the same type.
    """
    href = payment_href(base, payment)
    links = {
        "self": {"href": f"{base}/workflows/events/{identifier}"},
        "subject": {"href": f"{base}/workflows/events/subject/{payment.id}"},
        "payment": {"href": href},
        "payment_actions": {"href": f"{href}/actions"},
    }
    refundable = kind == "payment_captured" and payment.refundable > 0
    if refundable:
        links["refund"] = {"href": f"{href}/refunds"}
    data = _data(kind, payment, action, customer, now)
    if kind in _DECIDED:
        data["event_links"] = {"payment": href, "payment_actions": f"{href}/actions"}
        if refundable:
            data["event_links"]["refund"] = f"{href}/refunds"
    return {
        "id": identifier,
        "type": kind,
        "version": EVENT_VERSION,
        stamped: stamp(now),
        "source": "gateway",
        "data": data,
        "_links": links,
    }


def _data(
    kind: str,
    payment: Payment,
    action: Action | None,
    customer: dict[str, Any],
    now: datetime,
) -> dict[str, Any]:
    refund = action is not None and action.type == "Refund"
    data: dict[str, Any] = {"id": payment.id}
    if kind != "payment_pending":
        data["action_id"] = action.id if action else payment.capture_id
    if kind != "payment_refund_pending":
        data["reference"] = (action.reference if action else None) or payment.reference
    data |= {
        "amount": action.amount if action else payment.amount,
        "currency": payment.currency,
        "processed_on": stamp((action.processed_on if action else None) or now),
    }
    if kind in _DECIDED and action:
        data |= {
            "response_code": action.response_code,
            "response_summary": action.response_summary,
        }
    if kind == "payment_declined":
        source = {"type": "kakaopay"} | ({"id": payment.source_id} if payment.source_id else {})
        data |= {
            "payment_type": payment.payment_type,
            "customer": customer,
            "risk": {"flagged": False},
            "source": source,
        }
    if kind in _WITH_BALANCES and action:
        data["balances"] = balances(payment)
        data["processing"] = _acquirer(action)
    if kind not in _WITHOUT_METADATA:
        own = action.details if action and refund else None
        data["metadata"] = own or payment.details.get("metadata") or {}
    return data


def _acquirer(action: Action) -> dict[str, str | None]:
    return {
        "acquirer_transaction_id": action.acquirer_transaction_id,
        "acquirer_reference_number": action.acquirer_reference_number,
    }


def attempt(attempt: Attempt) -> dict[str, Any]:
    """One try to deliver an event, for the control board."""
    return {
        "at": stamp(attempt.at),
        "outcome": attempt.outcome,
        "status": attempt.status,
        "milliseconds": attempt.milliseconds,
        "faults": attempt.faults.split(",") if attempt.faults else [],
    }


def delivery(event: Event) -> dict[str, Any]:
    """How an event's delivery stands, for the control board."""
    return {
        "seq": event.seq,
        "id": event.id,
        "type": event.type,
        "payment_id": event.payment_id,
        "occurred_at": stamp(event.occurred_at),
        "state": event.state,
        "next_at": stamp(event.next_at) if event.next_at else None,
        "body": event.body,
    }
