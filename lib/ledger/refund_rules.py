"""What may be refunded: KakaoPay's rules with where each is written, and what is left of the payment. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from lib import catalog
from lib.ledger.tables import Payment, Refund
from lib.money import Money

COMMITTED = ("submitting", "awaiting_approval", "pending", "refunded")
"""Refunds that take their amount from what is left; all others have given it back."""


class RefundProblem(ValueError):
    """What was asked for was not done, and nothing was sent. The message is a sentence for the person who asked."""


class PaymentUnknown(RefundProblem):
    """There is no such payment here."""


class NotRefundable(RefundProblem):
    """The payment, or what was asked of it, is of a kind that cannot be refunded."""


class ExceedsRefundable(RefundProblem):
    """More than is left; the message names what is left and why."""


class KeyReused(RefundProblem):
    """The form's key was used for another refund."""


class RemainingMoved(RefundProblem):
    """The remaining amount moved since the form was drawn. `latest` is the refund that moved it, where one did."""

    def __init__(self, drawn_with: Money, left: Money, latest: Refund | None, zone: ZoneInfo) -> None:
        if latest is None:
            what = f"This form was drawn when {drawn_with} was left"
        elif left < drawn_with:
            who = latest.requested_by or "Someone outside this dashboard"
            what = f"{who} refunded {latest.money} meanwhile, {moment(latest.requested_at, zone)}"
        else:
            who = latest.requested_by or "someone outside this dashboard"
            ended = moment(latest.decided_at or latest.requested_at, zone)
            what = f"A refund of {latest.money} by {who} gave its amount back meanwhile, {ended}"
        super().__init__(f"{what}. {left} is left now. Nothing was sent; look at the new figures and ask again.")
        self.latest = latest


def check(
    payment: Payment, refunds: Sequence[Refund], amount: Money, *, drawn_with: Money, now: datetime, zone: ZoneInfo
) -> None:
    """Raise a `RefundProblem` unless `amount` of `payment` may be refunded. `refunds` are all of the payment's.

    `drawn_with` is what the person saw as left. `zone` is for the times in the sentences.
    """
    if not payment.captured:
        raise NotRefundable(f"Only a captured payment can be refunded, and this one is {payment.status}.")
    if amount.currency != payment.currency or drawn_with.currency != payment.currency:
        raise NotRefundable(
            f"This payment was made in {payment.currency}; it can only be refunded in {payment.currency}."
        )
    if amount.minor <= 0:
        raise NotRefundable("The amount must be more than zero.")
    problem = barred(payment, refunds, now, zone) or too_small(amount)
    if problem:
        raise NotRefundable(problem)
    left = payment.refundable
    if drawn_with != left:
        raise RemainingMoved(drawn_with, left, _mover(refunds, fell=left < drawn_with), zone)
    if amount > left:
        raise ExceedsRefundable(_why(payment, left))


def barred(payment: Payment, refunds: Sequence[Refund], now: datetime, zone: ZoneInfo) -> str | None:
    """Why nothing of the payment can be refunded any more, whatever is left, if that is so."""
    rules = catalog.kakaopay()
    ends = (payment.captured_at or payment.requested_at) + timedelta(days=rules.refund_window_days)
    if now > ends:
        return (
            f"KakaoPay refunds within {rules.refund_window_days} days ({rules.refund_sources.window}); this payment "
            f"could be refunded until {ends.astimezone(zone):%-d %b %Y}. Give the money back another way, such as a "
            "bank transfer."
        )
    if sum(refund.status in COMMITTED for refund in refunds) >= rules.maximum_partial_actions:
        return (
            f"Checkout.com takes at most {rules.maximum_partial_actions} partial refunds of one payment "
            f"({rules.refund_sources.partial_actions}), and this one has had them. Give the rest back another way."
        )
    return None


def too_small(amount: Money) -> str | None:
    """Why KakaoPay would refuse so small a refund, if it would."""
    known = catalog.currencies().get(amount.currency)
    if known is None or known.minimum_refund is None or amount.minor >= known.minimum_refund:
        return None
    source = catalog.kakaopay().refund_sources.minimum
    return f"KakaoPay refuses refunds under {Money(known.minimum_refund, amount.currency)} ({source})."


def moment(at: datetime, zone: ZoneInfo) -> str:
    """`on 2 Mar at 14:02:11 HKT`."""
    local = at.astimezone(zone)
    return f"on {local.day} {local:%b} at {local:%H:%M:%S %Z}"


def _mover(refunds: Sequence[Refund], *, fell: bool) -> Refund | None:
    """The refund that moved what is left: the newest asked for when it fell, the last to give back when it rose."""
    if fell:
        return max(
            (refund for refund in refunds if refund.status in COMMITTED),
            key=lambda refund: (refund.requested_at, refund.key),
            default=None,
        )
    return max(
        (refund for refund in refunds if refund.status not in COMMITTED),
        key=lambda refund: (refund.decided_at or refund.requested_at, refund.key),
        default=None,
    )


def _why(payment: Payment, left: Money) -> str:
    parts = [f"{Money(payment.captured, left.currency)} was captured"]
    for minor, words in (
        (payment.refunded, "is refunded"),
        (payment.refund_pending, "is accepted and pending"),
        (payment.refund_reserved, "is reserved for refunds that are not sent or not answered yet"),
    ):
        if minor:
            parts.append(f"{Money(minor, left.currency)} {words}")
    return f"Only {left} is left to refund: {', '.join(parts)}."
