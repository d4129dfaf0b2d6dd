"""Which payments somebody wants to see, how two wishes add up to one, and how a wish reads in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from lib.ledger.periods import whole_days

Sign = Literal["=", ">=", "<=", ">", "<"]

REFUND_STATES: Mapping[str, str] = {
    "pending": "Refund pending",
    "part": "Refunded in part",
    "whole": "Refunded whole",
    "declined": "Refund declined",
    "unretried": "Declined, not retried",
    "failed": "Refund not accepted",
    "awaiting": "Awaiting approval",
    "none": "No refund",
}
"""How a payment can stand with its refunds, and the words for it. `pending` includes what is still being sent."""

ANY = "any"
"""In `chain`: every recurring payment."""


class Contradiction(ValueError):
    """Two wishes that no payment can fulfil together; the message says which, and what to do."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A condition on an amount in major units: of `currency`, or of each payment's own where there is none."""

    sign: Sign
    major: Decimal
    currency: str | None = None

    def __str__(self) -> str:
        """`>=HKD1000.50`, as it can be typed."""
        return f"{'' if self.sign == '=' else self.sign}{self.currency or ''}{self.major:f}"


@dataclass(frozen=True)
class PaymentFilter:
    """Which payments; everything given must hold, and what is empty does not narrow.

    `text` finds any part of an id, a reference, an e-mail address or a name; a refund's whole action id; a stored
    source's whole id; and, where it is a number, an amount of so many major units. `id`, `reference`, `email` and `name`
    find any part of that one. `since` and `until` go by when the payment was asked for, the latter excluded, and
    `captured_since` and `captured_until` by when it was captured.
    """

    text: str = ""
    id: str = ""
    action: str = ""
    reference: str = ""
    email: str = ""
    name: str = ""
    statuses: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    terminal_type: str | None = None
    amounts: tuple[Bound, ...] = ()
    refunded: tuple[Bound, ...] = ()
    refund: str | None = None
    """One of `REFUND_STATES`."""
    chain: str | None = None
    """The id of a stored source, for the payments of one recurring chain; or `ANY`."""
    attention: bool = False
    """Only those that somebody should look at."""
    since: datetime | None = None
    until: datetime | None = None
    captured_since: datetime | None = None
    captured_until: datetime | None = None

    def impersonal(self) -> PaymentFilter:
        """The same with an ellipsis for what may name a customer, for records that must not."""
        hidden: dict[str, Any] = {
            name: "…" for name in ("text", "id", "action", "reference", "email", "name") if getattr(self, name)
        }
        return replace(self, **hidden)


_EITHER = {"statuses": "status", "currencies": "currency"}
_ALL = ("amounts", "refunded")
_LATEST = ("since", "captured_since")
_EARLIEST = ("until", "captured_until")
_WORDS = {"terminal_type": "terminal", "refund": "refund", "chain": "chain"}


def both(one: PaymentFilter, other: PaymentFilter) -> PaymentFilter:
    """What both want. Raises `Contradiction` when no payment can be in both."""
    together: dict[str, Any] = {}
    for name in (field.name for field in fields(PaymentFilter)):
        first, second = getattr(one, name), getattr(other, name)
        if not first or not second or first == second or second == ANY:
            together[name] = first or second
        elif first == ANY:
            together[name] = second
        elif name in _EITHER:
            together[name] = tuple(each for each in first if each in second)
            if not together[name]:
                raise _contradiction(_EITHER[name], ", ".join(first), ", ".join(second))
        elif name in _ALL:
            together[name] = tuple(dict.fromkeys(first + second))
        elif name in _LATEST:
            together[name] = max(first, second)
        elif name in _EARLIEST:
            together[name] = min(first, second)
        else:
            raise _contradiction(_WORDS.get(name, name), first, second)
    return PaymentFilter(**together)


def in_words(wanted: PaymentFilter, zone: ZoneInfo) -> str:
    """`status Captured or Refunded; requested from 1 Nov 2026 (HKT)`; `all payments` for no filter."""
    parts = [f"with “{wanted.text}”"] if wanted.text else []
    parts += [
        f"{name} with “{value}”" for name in ("id", "reference", "email", "name") if (value := getattr(wanted, name))
    ]
    if wanted.action:
        parts.append(f"refund action {wanted.action}")
    if wanted.statuses:
        parts.append(f"status {' or '.join(wanted.statuses)}")
    if wanted.currencies:
        parts.append(f"currency {' or '.join(wanted.currencies)}")
    if wanted.terminal_type:
        parts.append(f"terminal {wanted.terminal_type}")
    parts += [f"amount {_bound(bound)}" for bound in wanted.amounts]
    parts += [f"given back {_bound(bound)}" for bound in wanted.refunded]
    if wanted.refund:
        parts.append(REFUND_STATES[wanted.refund].lower())
    if wanted.chain:
        parts.append("recurring" if wanted.chain == ANY else f"recurring chain {wanted.chain}")
    if wanted.attention:
        parts.append("needs attention")
    parts += _span("requested", wanted.since, wanted.until, zone)
    parts += _span("captured", wanted.captured_since, wanted.captured_until, zone)
    return "; ".join(parts) or "all payments"


def _bound(bound: Bound) -> str:
    word = {"=": "of", ">=": "at least", "<=": "at most", ">": "over", "<": "under"}[bound.sign]
    return f"{word} {bound.currency + ' ' if bound.currency else ''}{bound.major:,f}"


def _span(word: str, since: datetime | None, until: datetime | None, zone: ZoneInfo) -> list[str]:
    first = day_or_moment(since, zone)
    last = day_or_moment(until, zone, ending=True)
    if first == last:
        return [f"{word} on {first} ({zone.key})"] if first else []
    return [" ".join([word, *([f"from {first}"] if first else []), *([f"to {last}"] if last else []), f"({zone.key})"])]


def day_or_moment(moment: datetime | None, zone: ZoneInfo, *, ending: bool = False) -> str:
    """`2026-11-01` for the midnight with which that day begins or, `ending`, ends in `zone`; else the moment itself, in ISO 8601."""
    if moment is None:
        return ""
    day = moment.astimezone(zone).date() - timedelta(days=ending)
    whole = whole_days(day, day, zone)
    return (
        day.isoformat() if moment == (whole.until if ending else whole.since) else moment.astimezone(zone).isoformat()
    )


def _contradiction(what: str, first: str, second: str) -> Contradiction:
    return Contradiction(
        f"The search box asks for {what} {first}, and the filters for {second}: no payment is both. Drop one of them."
    )
