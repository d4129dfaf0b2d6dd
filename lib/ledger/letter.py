"""A sentence ready to send to the customer about their payment, in their language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from lib import catalog
from lib.catalog import Language
from lib.ledger.refunds import expected_between
from lib.ledger.tables import Payment, Refund
from lib.money import Money

_DOUBTS = frozenset({"contradiction", "refund_contradiction", "currency_conflict", "over_refunded"})
"""What must be cleared up before a customer is told anything."""
_COUNTED = ("submitting", "awaiting_approval", "pending", "refunded")


def letter(payment: Payment, refunds: Sequence[Refund], language: str, *, zone: ZoneInfo, now: datetime) -> str:
    """What to tell the customer now, in `language` of `catalog.customer_words()`.

    `refunds` are the payment's, oldest first; the newest is what is spoken of. Names the order's reference, amounts and
    dates (in `zone`), and nothing else of the customer.
    """
    words = catalog.customer_words()[language]
    newest = refunds[-1] if refunds else None
    state = state_of(payment, newest, now)
    given_back = payment.refunded + payment.refund_pending + payment.refund_reserved
    reference = " ".join((payment.reference or "").split())
    values = {
        "amount": _money(words, Money(payment.captured or payment.amount or 0, payment.money.currency)),
        "order": words.order.format(reference=reference) if reference else "",
        "total": _money(words, Money(given_back, payment.money.currency)),
    }
    if payment.expires_at:
        values["until"] = words.moment.format(payment.expires_at.astimezone(zone))
    if payment.captured_at:
        values["paid"] = words.date.format(payment.captured_at.astimezone(zone))
    if newest:
        first, last = expected_between(newest)
        decided = newest.decided_at or newest.requested_at
        values |= {
            "refund": _money(words, newest.money),
            "decided": words.date.format(decided.astimezone(zone)),
            "first": words.date.format(first),
            "last": words.date.format(last),
        }
    said = words.texts[state].format(**values)
    several = sum(refund.status in _COUNTED for refund in refunds) > 1
    if several and newest and newest.status in _COUNTED and state != "checking":
        said = f"{said} {words.texts['total'].format(**values)}"
    return said


def state_of(payment: Payment, newest: Refund | None, now: datetime) -> str:
    """Which of the texts fits: a payment's status, or what became of its newest refund."""
    if _DOUBTS.intersection((payment.attention or "").split(",")):
        return "checking"
    if newest:
        if newest.status == "refunded" and expected_between(newest)[1] < now.date():
            return "refund_arrived"
        return f"refund_{newest.status}"
    if payment.status == "Pending" and not (payment.expires_at and payment.expires_at > now):
        return "pending_unanswered"
    return payment.status


def _money(words: Language, money: Money) -> str:
    """With plain spaces: a text message with others may cost twice as much."""
    form = words.money.get(money.currency, words.money["default"])
    return form.format(code=money.currency, figure=money.figure)
