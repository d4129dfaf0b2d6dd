"""The fold: from the set of facts about one payment to its state. No clock, no database, and no order in it.

Every piece of the state is the greatest of what the facts said about it, under an order that the facts carry in
themselves (their own times, then their ids). The greatest of a set does not depend on the order in which its members
are seen, nor on how often; so the state can be kept, and go on from where it was when the next fact arrives.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

import msgspec

from lib.ledger.facts import Decision, Fact
from lib.ledger.state import Balances, Decided, Intent, Mark, PaymentState, Said, Terms, decode, encode
from lib.ledger.tables import time_text
from lib.ledger.told import TEXT, amount_in, currency_in, text_in, time_in

_CLOSING = {"payment_declined": "Declined", "payment_expired": "Expired", "payment_canceled": "Canceled"}
_REFUNDS = {"payment_refund_pending": "pending", "payment_refunded": "refunded", "payment_refund_declined": "declined"}
_CLOSED_STATUSES = frozenset(_CLOSING.values())
_MONEY_STATUSES = frozenset({"Captured", "Paid", "Partially Refunded", "Refunded"})


def fold(facts: Iterable[Fact], start: PaymentState | None = None) -> PaymentState:
    """The state of the payment that all `facts` speak of.

    `start` is the state of other facts about the same payment: `fold(a + b) == fold(b, start=fold(a))`. It is not
    changed. Facts with one id are one fact, of which the first stands.
    """
    state = decode(encode(start)) if start else PaymentState()
    extend(state, facts)
    return state


def extend(state: PaymentState, facts: Iterable[Fact]) -> None:
    """Take more facts into a state, in place."""
    seen: set[str] = set()
    for fact in facts:
        if fact.id not in seen:
            seen.add(fact.id)
            _join(state, fact)
    if state.erased_at:
        _forget_customer(state)


def _join(state: PaymentState, fact: Fact) -> None:
    at = time_text(fact.occurred_at)
    state.facts += 1
    state.first_at = min(state.first_at, at)
    state.updated_at = max(state.updated_at, time_text(fact.recorded_at))
    reader = _READERS.get(fact.type, _join_event) if fact.source != "webhook" else _join_event
    reader(state, fact, at)


def _join_event(state: PaymentState, fact: Fact, at: str) -> None:
    data, kind = fact.data, fact.type
    _describe(state, data, rank=1 if kind.startswith("payment_refund") else 2, at=at, fact=fact.id)
    moment = time_in(data.get("processed_on")) or at
    if kind == "payment_captured":
        _latest(state.captures, fact.action_id or "", _mark(data, moment, fact.id))
    elif kind in _CLOSING:
        _latest(state.closings, _CLOSING[kind], _mark(data, moment, fact.id))
    elif kind in _REFUNDS and fact.action_id:
        # Without an action id nobody can say which refund it was; its balances are weighed below all the same.
        _latest(getattr(state, _REFUNDS[kind]), fact.action_id, _mark(data, moment, fact.id))
    elif kind == "payment_pending":
        state.requested_at = min(state.requested_at, moment)
    _weigh(state, data.get("balances"), moment, fact.id)


def _join_payment_requested(state: PaymentState, fact: Fact, at: str) -> None:
    request = fact.body.get("request")
    if isinstance(request, dict):
        _describe(state, request, rank=2, at=at, fact=fact.id)
    _say(state, "requested_by", fact.body.get("requested_by"), 3, at, fact.id)


def _join_payment_accepted(state: PaymentState, fact: Fact, at: str) -> None:
    state.requested_at = min(state.requested_at, at)
    for part in ("request", "response"):
        inner = fact.body.get(part)
        if isinstance(inner, dict):
            _describe(state, inner, rank=3, at=at, fact=fact.id)


def _join_refund_requested(state: PaymentState, fact: Fact, at: str) -> None:
    body = fact.body
    intent = Intent(at, body["amount"], body["currency"], body["reason"], body["note"], body["requested_by"])
    state.intents[body["key"]] = max(intent, state.intents.get(body["key"], intent))
    if not body.keys().isdisjoint(_TERMS):
        terms = Terms(
            at,
            body.get("reason_label", ""),
            body.get("retry_of", ""),
            msgspec.json.encode(body["lines"]).decode() if "lines" in body else "",
            body.get("limit", 0),
            time_in(body.get("approve_by")) or "",
            time_in(body.get("held_until")) or "",
            tuple(body.get("told_before", ())),
        )
        state.terms = state.terms or {}
        state.terms[body["key"]] = max(terms, state.terms.get(body["key"], terms))


_TERMS = frozenset({"reason_label", "retry_of", "lines", "limit", "approve_by", "held_until", "told_before"})


def _join_refund_decided(state: PaymentState, fact: Fact, at: str) -> None:
    body = fact.body
    decided = Decided(
        at,
        fact.id,
        body.get("by", ""),
        body.get("why", ""),
        time_in(body.get("held_until")) or "",
        tuple(body.get("told_before", ())),
    )
    state.decided = state.decided or {}
    of_refund = state.decided.setdefault(body["key"], {})
    of_refund[fact.type] = max(decided, of_refund.get(fact.type, decided))


def _join_refund_accepted(state: PaymentState, fact: Fact, at: str) -> None:
    _latest(state.accepted, fact.body["key"], Mark(at, fact.id, key=fact.action_id))


def _join_refund_refused(state: PaymentState, fact: Fact, at: str) -> None:
    codes = fact.body.get("error_codes") or [fact.body.get("status")]
    _latest(
        state.refused,
        fact.body["key"],
        Mark(at, fact.id, code=text_in(str(codes[0])), summary=text_in(fact.body.get("sentence"))),
    )


def _join_payment_read(state: PaymentState, fact: Fact, at: str) -> None:
    payment = fact.body.get("payment")
    if not isinstance(payment, dict):
        return
    _describe(state, payment, rank=3, at=at, fact=fact.id)
    requested = time_in(payment.get("requested_on"))
    if requested:
        state.requested_at = min(state.requested_at, requested)
    status, amount = payment.get("status"), amount_in(payment.get("amount"))
    if status in _CLOSED_STATUSES:
        moment = time_in(payment.get("processed_on")) or at
        _latest(state.closings, status, _mark(payment, moment, fact.id))
    balances = payment.get("balances")
    if not isinstance(balances, dict) and status in _MONEY_STATUSES and amount is not None:
        balances = {"total_captured": amount, "total_refunded": amount if status == "Refunded" else 0}
    _weigh(state, balances, at, fact.id)


def _join_customer_erased(state: PaymentState, _fact: Fact, at: str) -> None:
    state.erased_at = min(state.erased_at or at, at)


def _forget_customer(state: PaymentState) -> None:
    for name in _PERSONAL:
        state.said.pop(name, None)
    state.intents = {key: msgspec.structs.replace(intent, note="") for key, intent in state.intents.items()}
    if state.decided:
        for decisions in state.decided.values():
            for name, decided in decisions.items():
                decisions[name] = msgspec.structs.replace(decided, why="")


_PERSONAL = ("customer_email", "customer_name")


def _join_actions_read(state: PaymentState, fact: Fact, at: str) -> None:
    actions = fact.body.get("actions")
    for action in actions if isinstance(actions, list) else ():
        identity = text_in(action.get("id"), 100) if isinstance(action, dict) else None
        if not identity:
            continue
        mark = _mark(action, time_in(action.get("processed_on")) or at, fact.id)
        approved = action.get("approved")
        if action.get("type") == "Capture" and approved is not False:
            _latest(state.captures, identity, mark)
        elif action.get("type") == "Refund":
            into = state.pending if approved is None else state.refunded if approved else state.declined
            _latest(into, identity, mark)


_READERS = {
    "payment_requested": _join_payment_requested,
    "payment_accepted": _join_payment_accepted,
    "refund_requested": _join_refund_requested,
    "refund_accepted": _join_refund_accepted,
    "refund_refused": _join_refund_refused,
    **dict.fromkeys((f"refund_{decision}" for decision in get_args(Decision)), _join_refund_decided),
    "customer_erased": _join_customer_erased,
    "payment_read": _join_payment_read,
    "actions_read": _join_actions_read,
}


def _latest(into: dict[str, Mark], name: str, mark: Mark) -> None:
    held = into.get(name)
    if held is None or _order(mark) > _order(held):
        into[name] = mark


def _order(mark: Mark) -> tuple[str, bool, str]:
    return mark.at, mark.amount is not None, mark.fact


def _weigh(state: PaymentState, balances: object, at: str, fact: str) -> None:
    if not isinstance(balances, dict):
        return
    captured, refunded = amount_in(balances.get("total_captured")), amount_in(balances.get("total_refunded"))
    if captured is None or refunded is None:
        return
    new = Balances(at, refunded, captured, fact)
    state.balances = max(new, state.balances or new)


def _describe(state: PaymentState, said: dict[str, Any], *, rank: int, at: str, fact: str) -> None:
    """Take up what a fact says of the payment itself. A refund's amount and reference are not the payment's."""
    _say(state, "currency", currency_in(said.get("currency")), rank, at, fact)
    if rank > 1:
        amount = amount_in(said.get("amount"))
        if amount is not None and _stronger(state.said.get("amount"), rank, at, fact):
            state.said["amount"] = Said(rank, at, fact, amount)
        _say(state, "reference", said.get("reference"), rank, at, fact)
        _say(state, "payment_type", said.get("payment_type"), rank, at, fact)
    for part, names in _PARTS.items():
        inner = said.get(part)
        if isinstance(inner, dict):
            for name, column in names.items():
                _say(state, column, inner.get(name), rank, at, fact)
    if "expires_on" in said:
        _say(state, "expires_at", time_in(said["expires_on"]), rank, at, fact)
    links = said.get("_links")
    redirect = links.get("redirect") if isinstance(links, dict) else None
    href = redirect.get("href") if isinstance(redirect, dict) else None
    if isinstance(href, str) and href.lower().startswith(("https://", "http://")):
        _say(state, "redirect_url", href, rank, at, fact, limit=2000)


_PARTS = {
    "customer": {"id": "customer_id", "email": "customer_email", "name": "customer_name"},
    "source": {"id": "source_id"},
    "processing": {"terminal_type": "terminal_type"},
}


def _say(state: PaymentState, name: str, value: object, rank: int, at: str, fact: str, *, limit: int = TEXT) -> None:
    if value is None or not _stronger(state.said.get(name), rank, at, fact):
        return
    text = text_in(value, limit)
    if text:
        state.said[name] = Said(rank, at, fact, text)


def _stronger(held: Said | None, rank: int, at: str, fact: str) -> bool:
    """Whether what this fact says goes before what is held."""
    return held is None or (-rank, at, fact) < (-held.rank, held.at, held.fact)


def _mark(said: dict[str, Any], at: str, fact: str) -> Mark:
    metadata = said.get("metadata")
    return Mark(
        at,
        fact,
        amount_in(said.get("amount")),
        currency_in(said.get("currency")),
        text_in(said.get("response_code")),
        text_in(said.get("response_summary")),
        text_in(metadata.get("refund_key")) if isinstance(metadata, dict) else None,
    )
