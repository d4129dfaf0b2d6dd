"""A payment's refund account: captured, refunded, on its way, remaining; and what may be asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib import catalog, money
from lib.ledger.refund_rules import too_small
from lib.ledger.tables import Payment, Refund
from lib.money import BadAmount, Money


@dataclass(frozen=True, slots=True)
class Account:
    """Four amounts in the payment's currency. `underway` is held back for refunds that are not decided yet."""

    captured: Money
    refunded: Money
    underway: Money
    remaining: Money


def account(payment: Payment) -> Account:
    """The refund account of a payment. `remaining` is never negative, also when more was refunded than captured."""
    remaining = payment.refundable
    currency = remaining.currency
    return Account(
        captured=Money(payment.captured, currency),
        refunded=Money(payment.refunded, currency),
        underway=Money(payment.refund_pending + payment.refund_reserved, currency),
        remaining=remaining,
    )


def share(amount: Money, percent: int) -> Money:
    """`percent` of an amount, rounded down to whole minor units, so that shares never add up to more than the whole."""
    return Money(amount.minor * percent // 100, amount.currency)


def read_refund(text: str, payment: Payment) -> Money:
    """The amount to refund that a person typed in major units. Raises `BadAmount` with a sentence for that person."""
    return fitting(money.parse(text, payment.refundable.currency), payment)


def fitting(amount: Money, payment: Payment) -> Money:
    """The amount, if it can be refunded. Raises `BadAmount` with a sentence for whoever chose it.

    A first check, to spare a round trip; whether the refund fits is decided when it is reserved.
    """
    left = payment.refundable
    if amount.minor <= 0:
        raise BadAmount("The amount must be more than zero.")
    problem = too_small(amount)
    if problem:
        raise BadAmount(problem)
    if amount > left:
        raise BadAmount(f"Only {left} is left to refund.")
    return amount


def stranded(amount: Money, payment: Payment) -> Money | None:
    """What would be left after refunding `amount` and could then never be refunded, being under KakaoPay's minimum."""
    rest = payment.refundable - amount
    minimum = catalog.currencies()[rest.currency].minimum_refund
    return rest if minimum and 0 < rest.minor < minimum else None


def earlier(refunds: Sequence[Refund], currency: str, *, listed: int) -> tuple[list[Refund], Money]:
    """Of `refunds`, oldest first, the paid out ones in `currency` but for the last `listed`, and what they come to."""
    paid = [refund for refund in refunds if refund.status == "refunded" and refund.currency == currency][:-listed]
    return paid, Money(sum(refund.amount for refund in paid), currency)
