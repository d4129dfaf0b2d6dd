"""From a payment's folded state to the rows that screens read: the payment, its refunds and its share of the volumes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lib import catalog
from lib.ledger.parts import Parts, parts_of
from lib.ledger.quarters import quarter
from lib.ledger.stand import stand
from lib.ledger.state import Decided, Intent, Mark, PaymentState
from lib.ledger.tables import time_text

Measures = dict[str, int]
Bucket = tuple[str, str]
"""The start of a quarter of an hour, and a currency."""


@dataclass(slots=True)
class Projection:
    """Column values of `payment` (all but `seq`), of each `refund`, and what the payment adds to `volume` and `breakdown`.

    Times are in the text form of the database (`time_text`).
    """

    payment: dict[str, Any]
    refunds: list[dict[str, Any]]
    volumes: dict[Bucket, Measures] = field(default_factory=dict)
    parts: Parts = field(default_factory=dict)


def project(payment_id: str, state: PaymentState, folded: str) -> Projection:
    """Derive the rows of one payment. `folded` is the state's own text, kept beside them."""
    said = {name: told.value for name, told in state.said.items()}
    currency = said.get("currency")
    captures = [mark for action, mark in state.captures.items() if action or len(state.captures) == 1]
    ours = [mark for mark in captures if mark.currency in (None, currency)]
    captured = sum(mark.amount or 0 for mark in ours)
    refunds = _refunds(payment_id, state, str(currency or ""))
    refunded, pending, reserved, foreign = _sums(refunds, currency)

    attention = []
    balances = state.balances
    untold = 0
    if balances and (balances.captured > captured or balances.refunded > refunded):
        attention.append("missing_facts")
        untold = max(0, balances.refunded - refunded)
        captured, refunded = max(captured, balances.captured), refunded + untold
    if captured and state.closings:
        attention.append("contradiction")
    if state.declined and any(action in state.refunded for action in state.declined):
        attention.append("refund_contradiction")
    if foreign or len(ours) < len(captures):
        attention.append("currency_conflict")
    if refunded + pending > captured:
        attention.append("over_refunded")

    status, deciding = _status(state, captures, captured, refunded)
    requested_at = state.requested_at if state.requested_at != "9" else state.first_at
    captured_at = None
    if captured:
        captured_at = min(mark.at for mark in ours) if ours else balances.at if balances else None
    row: dict[str, Any] = {
        "id": payment_id,
        "amount": said.get("amount"),
        "status": status,
        "captured": captured,
        "refunded": refunded,
        "refund_pending": pending,
        "refund_reserved": reserved,
        "response_code": deciding.code if deciding else None,
        "response_summary": deciding.summary if deciding else None,
        "attention": ",".join(attention) or None,
        "requested_at": requested_at,
        "captured_at": captured_at,
        "closed_at": deciding.at if deciding and not captured else None,
        "expires_at": _expiry(said, requested_at),
        "untold": untold,
        "untold_at": balances.at if balances and untold else None,
        "updated_at": state.updated_at,
        "version": state.facts,
        "folded": folded,
    }
    for column in _SAID_COLUMNS:
        row[column] = said.get(column)
    projection = Projection(row, refunds)
    if currency:
        projection.volumes = _volumes(row, refunds, str(currency))
        projection.parts = parts_of(row, refunds)
    return projection


_SAID_COLUMNS = (
    "currency",
    "reference",
    "customer_id",
    "customer_email",
    "customer_name",
    "payment_type",
    "terminal_type",
    "source_id",
    "redirect_url",
    "requested_by",
)


def _sums(refunds: list[dict[str, Any]], currency: object) -> tuple[int, int, int, bool]:
    """Refunded, pending and reserved in the payment's currency, and whether any refund is in another."""
    refunded = pending = reserved = 0
    foreign = False
    for refund in refunds:
        if refund["currency"] != currency:
            foreign = True
        elif refund["status"] == "refunded":
            refunded += refund["amount"]
        elif refund["status"] == "pending":
            pending += refund["amount"]
        elif refund["status"] in ("submitting", "awaiting_approval"):
            reserved += refund["amount"]
    return refunded, pending, reserved, foreign


def _status(state: PaymentState, captures: list[Mark], captured: int, refunded: int) -> tuple[str, Mark | None]:
    """The status in Checkout.com's words and the fact that decided it. Money wins over a decline or an expiry."""
    if captured:
        capture = max(captures, key=lambda mark: (mark.at, mark.fact), default=None)
        if refunded >= captured:
            return "Refunded", capture
        return ("Partially Refunded" if refunded else "Captured"), capture
    if state.closings:
        status = max(state.closings, key=lambda name: (state.closings[name].at, name))
        return status, state.closings[status]
    return "Pending", None


def _refunds(payment_id: str, state: PaymentState, currency: str) -> list[dict[str, Any]]:
    """One row a refund: every intent with the action it became, then the actions that nobody asked for here."""
    if not (state.intents or state.pending or state.refunded or state.declined):
        return []
    actions = sorted(
        state.pending.keys() | state.refunded.keys() | state.declined.keys(),
        key=lambda action: (_first(state, action).at, action),
    )
    links = _links(state, actions)
    asked = [(key, links.get(key), intent) for key, intent in state.intents.items()]
    told = [(action, action, None) for action in actions if action not in links.values()]
    rows = [_refund(payment_id, state, key, action, intent, currency) for key, action, intent in asked + told]
    return sorted(rows, key=lambda row: (row["requested_at"], row["key"]))


def _links(state: PaymentState, actions: list[str]) -> dict[str, str]:
    """Which action each intent became, by intent key.

    An action can be told of before the answer that names it reaches us. Our key in its metadata settles it; else an
    equal amount does, until the answer says so, unless the action was known before ours was sent. Otherwise one refund
    would for a moment be two.
    """
    links = {key: mark.key for key, mark in state.accepted.items() if mark.key and key in state.intents}
    waiting = sorted(
        state.intents.keys() - links.keys(),
        key=lambda key: (state.intents[key].at, key),
    )
    free = [action for action in actions if action not in links.values()]

    def link(fits: Callable[[str, str], bool]) -> None:
        for action in list(free):
            key = next((key for key in waiting if fits(key, action)), None)
            if key is not None:
                links[key] = action
                waiting.remove(key)
                free.remove(action)

    link(lambda key, action: _key_of(state, action) == key)
    sent = {key: position for key in waiting if (position := stand(state, key)).sent}

    def may_have_become(key: str, action: str) -> bool:
        known = key in sent and key not in state.refused and action not in sent[key].told_before
        return known and state.intents[key].amount == _first(state, action).amount

    link(may_have_become)
    return links


def _told(state: PaymentState, action: str) -> list[tuple[Mark, str]]:
    """What was said of a refund action: its marks with the status each gives, earliest first."""
    held = [(marks[action], status) for marks, status in _by_status(state) if action in marks]
    return sorted(held, key=lambda pair: (pair[0].at, pair[0].fact, pair[1]))


def _by_status(state: PaymentState) -> tuple[tuple[dict[str, Mark], str], ...]:
    return (
        (state.pending, "pending"),
        (state.refunded, "refunded"),
        (state.declined, "declined"),
    )


def _first(state: PaymentState, action: str) -> Mark:
    return _told(state, action)[0][0]


def _key_of(state: PaymentState, action: str) -> str | None:
    return next((mark.key for mark, _ in _told(state, action) if mark.key), None)


def _refund(
    payment_id: str,
    state: PaymentState,
    key: str,
    action: str | None,
    intent: Intent | None,
    currency: str,
) -> dict[str, Any]:
    told = _told(state, action) if action else []
    final = next(((mark, status) for mark, status in reversed(told) if status != "pending"), None)
    refused = state.refused.get(key)
    here = stand(state, key)
    decided: Mark | Decided | None = None
    if final:
        decided, status = final
    elif action:
        status = "pending"
    elif refused:
        decided, status = refused, "failed"
    else:
        decided, status = here.ended, here.status
    answered_here = key in state.accepted or refused is not None
    said = final[0] if final else told[0][0] if told else None
    answered = state.accepted.get(key) or (told[0][0] if told else refused)
    amount = said.amount if said and said.amount is not None else intent.amount if intent else 0
    return {
        "key": key,
        "payment_id": payment_id,
        "action_id": action,
        "amount": amount,
        "currency": (said.currency if said else None) or (intent.currency if intent else None) or currency,
        "status": status,
        "reason": intent.reason if intent else None,
        "note": (intent.note or None) if intent else None,
        "requested_by": intent.by if intent else None,
        "requested_at": intent.at if intent else told[0][0].at,
        "answered_at": answered.at if answered else None,
        "decided_at": decided.at if decided else None,
        "response_code": decided.code if isinstance(decided, Mark) else None,
        "response_summary": decided.summary if isinstance(decided, Mark) else None,
        **here.columns,
        "send_at": None if answered_here else here.send_at,
    }


def _volumes(
    row: dict[str, Any],
    refunds: list[dict[str, Any]],
    currency: str,
) -> dict[Bucket, Measures]:
    """What this payment adds to the volumes. What only the balances tell of counts as money, not as a number of refunds."""
    found: dict[Bucket, Measures] = {}

    def add(moment: str, count: str | None, amount: str | None = None, minor: int = 0) -> None:
        measures = found.setdefault((quarter(moment), currency), {})
        if count:
            measures[count] = measures.get(count, 0) + 1
        if amount and minor:
            measures[amount] = measures.get(amount, 0) + minor

    add(row["requested_at"], "requested_count", "requested", row["amount"] or 0)
    if row["captured_at"]:
        add(row["captured_at"], "captured_count", "captured", row["captured"])
    if row["closed_at"]:
        add(row["closed_at"], f"{row['status'].lower()}_count")
    for refund in refunds:
        if refund["currency"] == currency and refund["status"] == "refunded":
            add(refund["decided_at"], "refunded_count", "refunded", refund["amount"])
        elif refund["currency"] == currency and refund["status"] == "declined":
            add(refund["decided_at"], "refund_declined_count")
    if row["untold"]:
        add(row["untold_at"], None, "refunded", row["untold"])
    return found


def _expiry(said: Mapping[str, str | int], requested_at: str) -> str | None:
    """When the customer's link ends: as Checkout.com says, else after the life that KakaoPay's links have."""
    if "expires_at" in said:
        return str(said["expires_at"])
    if "redirect_url" in said:
        life = timedelta(minutes=catalog.kakaopay().link_minutes)
        return time_text(datetime.fromisoformat(requested_at) + life)
    return None
