"""Webhook events and API answers in the shapes Checkout.com gives them, for tests to arrange as they like."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from lib.checkout.answer import Answer
from lib.ledger import facts
from lib.ledger.facts import Fact, from_webhook

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """A moment, counted from noon in Hong Kong on the day that all tests happen."""
    return NOON + timedelta(seconds=seconds)


def stamp(moment: datetime) -> str:
    """As Checkout.com writes times: seven fractional digits and Z."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def event(kind: str, number: int | str, when: datetime, *, envelope: str = "created_on", **data: Any) -> bytes:
    """The raw bytes of one event; `data` as given, with the payment's id under `id`."""
    body = {
        "id": f"evt_{number:0>26}",
        "type": kind,
        "version": "1.0.29",
        envelope: stamp(when),
        "data": {"processed_on": stamp(when), **data},
        "_links": {"self": {"href": "https://api.example/workflows/events/x"}},
    }
    return json.dumps({name: value for name, value in body.items() if value is not None}).encode()


def webhook(kind: str, number: int | str, seconds: float, payment: str = "pay_1", **data: Any) -> Fact:
    """The fact one webhook about `payment` brings, told and received `seconds` after noon."""
    data = {"id": payment, "currency": "HKD", **data}
    return from_webhook(event(kind, number, at(seconds), **data), at(seconds))


def captured(number: int, seconds: float, amount: int, currency: str = "HKD", reference: str = "") -> Fact:
    """The capture of payment `pay_NUMBER`."""
    return webhook(
        "payment_captured",
        f"c{number}",
        seconds,
        f"pay_{number}",
        amount=amount,
        currency=currency,
        action_id=f"act_{number}",
        reference=reference or f"ORD-{number}",
    )


def refunded(number: int, seconds: float, amount: int, currency: str = "HKD", name: str = "r") -> Fact:
    """A refund of payment `pay_NUMBER`; another `name` makes it another one."""
    told = f"{name}{number}"
    return webhook(
        "payment_refunded",
        told,
        seconds,
        f"pay_{number}",
        amount=amount,
        currency=currency,
        action_id=f"act_{told}",
    )


def balances(captured: int, refunded: int) -> dict[str, int]:
    return {
        "total_authorized": captured,
        "total_voided": 0,
        "available_to_void": 0,
        "total_captured": captured,
        "available_to_capture": 0,
        "total_refunded": refunded,
        "available_to_refund": captured - refunded,
    }


def answer(body: Any, *, status: int = 202, method: str = "POST", seconds: float = 0.0, sent: Any = None) -> Answer:
    """What a call would have said."""
    return Answer(status, "req-1", body, method, "/payments", sent, 12, 1, at(seconds))


def asked(key: str, amount: int, seconds: float, payment: str = "pay_1", by: str = "Ana") -> Fact:
    """A person's request for a refund."""
    return facts.refund_requested(
        key, payment, amount=amount, currency="HKD", reason="damaged", note="", by=by, at=at(seconds)
    )


def accepted(key: str, action: str, seconds: float, payment: str = "pay_1") -> Fact:
    """Checkout.com's 202 to that request."""
    return facts.refund_accepted(key, payment, action, answer({"action_id": action}, seconds=seconds))


def created(payment: str, amount: int, seconds: float) -> list[Fact]:
    """A payment asked for here and accepted by Checkout.com, of which no webhook has told."""
    request = {"amount": amount, "currency": "HKD", "reference": "ORD-1"}
    redirect = {"_links": {"redirect": {"href": "https://wallet.example/x"}}}
    accepted_at = answer({"id": payment, "status": "Pending", **redirect}, seconds=seconds, sent=request)
    return [
        facts.payment_requested(f"key-{payment}", payment, "Ana", request, at(seconds)),
        facts.payment_accepted(f"key-{payment}", payment, accepted_at),
    ]
