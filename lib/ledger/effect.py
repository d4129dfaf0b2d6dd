"""What one fact did to a payment, in words: the difference between two projections of its state."""

from __future__ import annotations

from typing import Any

from lib.ledger.project import Projection
from lib.money import Money

_DESCRIBED = {
    "reference": "reference",
    "customer_id": "customer",
    "customer_email": "customer",
    "customer_name": "customer",
    "source_id": "stored source",
    "payment_type": "payment type",
    "terminal_type": "terminal",
    "redirect_url": "link",
    "expires_at": "expiry",
}
_REFUND_WORDS = {
    "awaiting_approval": "{} reserved for a refund that a second person must approve",
    "submitting": "{} reserved for a refund",
    "cancelled": "refund of {} ended before it was sent, the amount is refundable again",
    "pending": "{} now on its way",
    "refunded": "refunded {}",
    "declined": "refund of {} declined, the amount is refundable again",
    "failed": "refund of {} refused, the amount is refundable again",
}
_MARKS = {
    "contradiction": "marked: money was taken although the payment had ended",
    "missing_facts": "marked: Checkout.com's totals say more than the events we hold",
    "refund_contradiction": "marked: a refund was both paid out and declined",
    "currency_conflict": "marked: it speaks of another currency",
    "over_refunded": "marked: more was refunded than captured",
}


def effect(before: Projection | None, after: Projection) -> str:
    """What changed between two states of one payment, in words; empty when nothing that a screen shows did."""
    old = before.payment if before else {}
    new = after.payment
    currency = new["currency"] or "???"
    changes = [] if before else [_first_words(new, currency)]
    captured = new["captured"] - old.get("captured", 0)
    if captured > 0:
        changes.append(f"captured {Money(captured, currency)}")
    changes += _refunds(before.refunds if before else [], after.refunds)
    explained = _refunded(after) - (_refunded(before) if before else 0)
    unexplained = new["refunded"] - old.get("refunded", 0) - explained
    if unexplained > 0:
        changes.append(f"refunded {Money(unexplained, currency)} by Checkout.com's own totals")
    if before and new["status"] != old["status"]:
        changes.append(f"status {old['status']} → {new['status']}")
    marked = set((new["attention"] or "").split(",")) - set((old.get("attention") or "").split(","))
    changes += [_MARKS[name] for name in _MARKS if name in marked]
    if before:
        learnt = {word: None for name, word in _DESCRIBED.items() if new[name] != old[name]}
        if learnt:
            changes.append(f"learnt: {', '.join(learnt)}")
    return "; ".join(changes)


def why_none(kind: str, action_id: str | None, state: Projection) -> str:
    """Why an event of type `kind` changes nothing in a payment that is in `state`."""
    payment = state.payment
    status: str = payment["status"]
    refund = next((each["status"] for each in state.refunds if action_id and each["action_id"] == action_id), None)
    if kind.startswith("payment_refund"):
        return f"already {refund}" if refund else f"it names no refund that we know; the payment is {status}"
    if kind == "payment_capture_pending" and not payment["captured"]:
        return "the capture is still to come"
    if kind in ("payment_captured", "payment_capture_pending", "payment_approved") and payment["captured"]:
        return "already captured" if status == "Captured" else f"already captured, now {status}"
    return f"already {status}"


def _first_words(payment: dict[str, Any], currency: str) -> str:
    amount = f" of {Money(payment['amount'], currency)}" if payment["amount"] is not None else ""
    return f"a new payment{amount}, {payment['status']}"


def _refunds(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[str]:
    before = {refund["key"]: refund["status"] for refund in old}
    # An action that turns out to be a request of ours moves to the request's row; to the reader it is the same refund.
    moved = {refund["action_id"]: refund["status"] for refund in old if refund["action_id"]}
    words = []
    for refund in new:
        held = before.get(refund["key"]) or moved.get(refund["action_id"])
        if held != refund["status"] and refund["status"] in _REFUND_WORDS:
            words.append(_REFUND_WORDS[refund["status"]].format(Money(refund["amount"], refund["currency"] or "???")))
    return words


def _refunded(projection: Projection) -> int:
    currency = projection.payment["currency"]
    return sum(
        refund["amount"]
        for refund in projection.refunds
        if refund["status"] == "refunded" and refund["currency"] == currency
    )
