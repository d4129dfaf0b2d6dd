"""Where a payment stands, in plain words: what it means, what happens next and when, and who has to act."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from lib import catalog
from lib.ledger.refunds import expected_between
from lib.ledger.tables import Payment, Refund
from pages.parts import words

NOBODY = "Nobody has to act"


@dataclass(frozen=True, slots=True)
class Standing:
    """Two sentences and a badge's text, all ready to be shown as Markdown."""

    means: str
    next: str
    who: str


def standing(payment: Payment, refunds: Sequence[Refund], zone: ZoneInfo, now: datetime) -> Standing:
    """Where the payment stands now. `refunds` are all of it, oldest first: one that is open comes before the rest."""
    for status in ("awaiting_approval", "submitting", "pending"):
        waiting = [refund for refund in refunds if refund.status == status]
        if waiting:
            return _open(waiting[-1], len(waiting) - 1, zone, now)
    newest = refunds[-1] if refunds else None
    if newest and newest.status in ("declined", "failed") and payment.refundable:
        said = words.refund_status(newest.status)
        return Standing(
            f"The refund of {newest.money} did not happen: {said.meaning}",
            "Nothing happens by itself. It can be tried again.",
            "Support decides whether to try again",
        )
    if payment.status == "Pending":
        return _unpaid(payment, zone, now)
    means = words.status(payment.status).meaning
    if not payment.captured:
        return Standing(means, "It has ended; paying takes a new payment.", NOBODY)
    paid = [refund for refund in refunds if refund.status == "refunded"]
    if paid:
        first, last = expected_between(paid[-1])
        arrives = "should have arrived by" if last < now.date() else f"arrives between {words.day(first)} and"
        return Standing(means, f"The last {paid[-1].money} {arrives} {words.day(last)}.", NOBODY)
    until = (payment.captured_at or payment.requested_at) + timedelta(days=catalog.kakaopay().refund_window_days)
    if not payment.refundable:
        return Standing(means, "Nothing more happens.", NOBODY)
    if until < now:
        return Standing(means, f"It could be refunded until {words.day(until.astimezone(zone))}.", NOBODY)
    return Standing(
        means, f"Nothing more happens by itself; it can be refunded until {words.day(until.astimezone(zone))}.", NOBODY
    )


def _open(refund: Refund, others: int, zone: ZoneInfo, now: datetime) -> Standing:
    more = f" So is {others} more." if others == 1 else f" So are {others} more." if others else ""
    by = f" by {words.stamp(refund.approve_by, zone, now)}" if refund.approve_by else ""
    if refund.status == "awaiting_approval":
        return Standing(
            f"A refund of {refund.money} is not sent yet.{more}",
            f"It goes to Checkout.com once a second person agrees{by}.",
            "An approver has to act",
        )
    if refund.status == "submitting" and refund.held_until and refund.held_until > now:
        return Standing(
            f"A refund of {refund.money} is kept back.{more}",
            f"It is sent {words.when(refund.held_until, zone, now)}; until then it can be cancelled.",
            NOBODY,
        )
    if refund.status == "submitting":
        return Standing(
            f"A refund of {refund.money} is sent, and Checkout.com has not answered.{more}",
            "It is asked again by itself; do not refund again.",
            NOBODY,
        )
    first, last = expected_between(refund)
    return Standing(
        f"A refund of {refund.money} is on its way: Checkout.com accepted it.{more}",
        f"KakaoPay decides, mostly within minutes; the money arrives between {words.day(first)} and {words.day(last)}.",
        "KakaoPay has to act",
    )


def _unpaid(payment: Payment, zone: ZoneInfo, now: datetime) -> Standing:
    if payment.expires_at and payment.expires_at > now:
        return Standing(
            "The customer has not paid yet, or the capture is on its way.",
            f"The link runs out {words.when(payment.expires_at, zone, now)}.",
            "The customer has to act",
        )
    return Standing(
        "We have not heard whether the customer paid, and the link has run out.",
        "Checkout.com is asked again by itself. Do not send a second link before it has answered.",
        "Support can ask Checkout.com now",
    )
