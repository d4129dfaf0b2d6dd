"""What Checkout.com would know of a life, in the words of the simulator's control board."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lib.demo.facts import APPROVED, REFUSED, processing
from lib.demo.lives import Life


def known_there(life: Life) -> dict[str, Any]:
    """The payment as `Board.take` hands it over."""
    captured = life.captured
    actions = []
    if life.ended_at and life.fate in ("captured", "declined"):
        code = life.code or APPROVED
        actions.append(_action(life, 0, "Capture", life.amount, life.born_at, life.ended_at, code))
    for refund in life.refunds:
        code = REFUSED if refund.declined else APPROVED
        actions.append(
            _action(life, refund.number + 1, "Refund", refund.amount, refund.asked_at, refund.decided_at, code)
        )
    return {
        "id": life.payment_id,
        "code": life.link_code,
        "status": _status(life),
        "reference": life.reference,
        "payment_type": "Recurring" if life.source_id else "Regular",
        "currency": life.currency,
        "amount": life.amount,
        "captured": captured,
        "refunded": life.refunded,
        "requested_on": life.born_at.isoformat(),
        "processed_on": life.ended_at.isoformat() if life.ended_at else None,
        "expires_on": life.expires_at.isoformat() if life.link_code else None,
        "capture_id": life.capture_id,
        "source_id": life.source_id,
        "customer": life.customer._asdict(),
        "details": life.details,
        "actions": actions,
    }


def _status(life: Life) -> str:
    if life.ended_at is None:
        return "Pending"
    if life.fate != "captured":
        return life.fate.capitalize()
    return "Refunded" if life.refunded == life.amount else "Partially Refunded" if life.refunded else "Captured"


def _action(
    life: Life, number: int, kind: str, amount: int, asked: datetime, decided: datetime, code: str
) -> dict[str, Any]:
    said = processing(life, number)["processing"]
    return {
        "id": life.action_id(number),
        "type": kind,
        "amount": amount,
        "status": "approved" if code == APPROVED else "declined",
        "requested_on": asked.isoformat(),
        "processed_on": decided.isoformat(),
        "response_code": code,
        **said,
    }
