"""The fields of the search language: what may stand before a colon, and how the value after it is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from lib import catalog
from lib.ledger.payment_filter import ANY, REFUND_STATES, Bound, Sign
from lib.ledger.periods import whole_days
from lib.ledger.tables import STATUSES

_FIRST, _LAST = date(2000, 1, 1), date(2099, 12, 31)
_NUMBER = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:\.[0-9]{1,4})?", re.ASCII)
_AGE = re.compile(r"([<>])\s*([0-9]{1,3})\s*(m|min|h|d|w)", re.ASCII)
_TRAILING = re.compile(r"([0-9]{1,4})d", re.ASCII)
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Unclear(ValueError):
    """A value that cannot be read; the message is the end of a sentence about its field."""


@dataclass(frozen=True, slots=True)
class Field:
    """A word that may stand before a colon: what it narrows to and how it is used, both for people."""

    meaning: str
    example: str
    read: Callable[[str, Clock], dict[str, Any]] = field(repr=False)


class Clock(NamedTuple):
    now: datetime
    zone: ZoneInfo


def number(text: str) -> Decimal | None:
    """`text` as an amount of major units, such as `1100` or `1,100.00`; None where it is none."""
    return Decimal(text.replace(",", "")) if _NUMBER.fullmatch(text) else None


def is_amount(text: str) -> bool:
    """Whether `text` can be read as a condition on an amount, such as `HKD 1,100`, `>= 1100` or `100..200`."""
    try:
        return bool(bounds("", text))
    except Unclear:
        return False


def _money(text: str) -> tuple[Decimal, str | None] | None:
    currency = None
    for code in catalog.currencies():
        if text[:3].upper() == code:
            currency, text = code, text[3:].strip()
        elif text[-3:].upper() == code:
            currency, text = code, text[:-3].strip()
    amount = number(text)
    return None if amount is None else (amount, currency)


def _some(name: str, value: str, _clock: Clock) -> dict[str, Any]:
    if not value:
        raise Unclear("needs something to look for, with no space in it or in quotation marks.")
    return {name: value}


def _one_of(name: str, what: str, choices: Mapping[str, str], value: str, _clock: Clock) -> dict[str, Any]:
    return {name: _choice(what, choices, value)}


def _several(name: str, what: str, choices: Mapping[str, str], value: str, _clock: Clock) -> dict[str, Any]:
    return {name: tuple(_choice(what, choices, each) for each in value.split(","))}


def _choice(what: str, choices: Mapping[str, str], value: str) -> str:
    """The key of `choices` whose key or word was typed, whatever its case, spaces and hyphens."""
    plain = _letters(value)
    for key, word in choices.items():
        if plain and plain in (_letters(key), _letters(word)):
            return key
    raise Unclear(f"takes {what}: {', '.join(choices)}{f'; “{value}” is none of them' if value else ''}.")


def _letters(text: str) -> str:
    return "".join(letter for letter in text.casefold() if letter.isalnum()).replace("cancelled", "canceled")


def _chain(value: str, _clock: Clock) -> dict[str, Any]:
    if value.lower() != ANY and not value.startswith("src_"):
        raise Unclear(f"takes the id of a stored source, src_…, or {ANY} for every recurring payment.")
    return {"chain": ANY if value.lower() == ANY else value}


def _attention(value: str, _clock: Clock) -> dict[str, Any]:
    if _letters(value) != "yes":
        raise Unclear("takes yes.")
    return {"attention": True}


def bounds(name: str, value: str, _clock: Clock | None = None) -> dict[str, Any]:
    sign, rest = next(
        ((each, value[len(each) :]) for each in (">=", "<=", ">", "<", "=") if value.startswith(each)), ("", value)
    )
    first, dots, last = rest.partition("..")
    ends = [_money(end.strip()) for end in (first, last) if end.strip()]
    if not ends or None in ends or (dots and sign):
        raise Unclear(
            f"takes an amount in major units, such as 1100, HKD1,100.00, >=500 or 100..200{f'; not “{value}”' if value else ''}."
        )
    known = cast("list[tuple[Decimal, str | None]]", ends)
    currency = next((code for _, code in known if code), None)
    if any(code not in (None, currency) for _, code in known):
        raise Unclear("names two currencies; keep one.")
    if not dots:
        return {name: (Bound(cast("Sign", sign or "="), known[0][0], currency),)}
    signs: list[Sign] = [*([">="] if first.strip() else []), *(["<="] if last.strip() else [])]  # type: ignore[list-item]
    return {name: tuple(Bound(each, amount, currency) for each, (amount, _) in zip(signs, known, strict=True))}


def _age(value: str, clock: Clock) -> dict[str, Any]:
    match = _AGE.fullmatch(value.lower())
    if not match:
        raise Unclear("takes an age, such as >1h, <30min, >2d or <1w.")
    moment = clock.now - timedelta(**{_UNITS[match[3]]: int(match[2])})
    return {"until" if match[1] == ">" else "since": moment}


def _edge(name: str, value: str, clock: Clock) -> dict[str, Any]:
    since, until = _day(value, clock)
    return {name: since if name == "since" else until}


def _days(name: str, value: str, clock: Clock) -> dict[str, Any]:
    first, dots, last = value.partition("..")
    for sign, place in ((">=", 0), ("<=", 1)):
        if value.startswith(sign) and not dots:
            return {(f"{name}_since", f"{name}_until")[place]: _day(value[2:], clock)[place]}
    if not dots:
        last = first
    ends = {
        f"{name}_since": _day(first, clock)[0] if first else None,
        f"{name}_until": _day(last, clock)[1] if last else None,
    }
    if not any(ends.values()):
        raise Unclear(_DAYS)
    return {key: moment for key, moment in ends.items() if moment}


_DAYS = "takes a day such as 2026-11-25, today, yesterday, 7d for the last seven days, or two days with .. between."


def _day(value: str, clock: Clock) -> tuple[datetime, datetime]:
    """Where the day (or days) of `value` begins and ends; a moment is both."""
    today = clock.now.astimezone(clock.zone).date()
    text = value.strip().lower()
    trailing = _TRAILING.fullmatch(text)
    try:
        if trailing and int(trailing[1]):
            first, last = today - timedelta(days=int(trailing[1]) - 1), today
        elif text in ("today", "yesterday"):
            first = last = today - timedelta(days=text == "yesterday")
        elif len(text) > len("2026-11-25"):
            moment = datetime.fromisoformat(value.strip())
            moment = moment if moment.tzinfo else moment.replace(tzinfo=clock.zone)
            if not _FIRST < moment.date() < _LAST:
                raise ValueError("out of reach")
            return moment.astimezone(UTC), moment.astimezone(UTC)
        else:
            first = last = date.fromisoformat(text)
        if not (first > _FIRST and last < _LAST):
            raise ValueError("out of reach")
    except (ValueError, OverflowError):
        raise Unclear(_DAYS) from None
    period = whole_days(first, last, clock.zone)
    return period.since, period.until


AMOUNTS = ("amount", "refunded")
FIELDS: Mapping[str, Field] = {
    "id": Field("Payment id, or a part of it", "id:pay_sxzr", partial(_some, "id")),
    "reference": Field("Part of your reference", "reference:ORD-10", partial(_some, "reference")),
    "email": Field("Part of the customer's e-mail address", "email:minji@", partial(_some, "email")),
    "name": Field("Part of the customer's name", 'name:"Kim Minji"', partial(_some, "name")),
    "action": Field("A refund's action id", "action:act_q3fz", partial(_some, "action")),
    "amount": Field(
        "Amount asked for, in major units; without a currency, in any", "amount:>=HKD1,000", partial(bounds, "amounts")
    ),
    "refunded": Field("Amount given back so far", "refunded:100..200", partial(bounds, "refunded")),
    "status": Field(
        "One or several",
        "status:captured,refunded",
        partial(_several, "statuses", "statuses", {each: each for each in STATUSES}),
    ),
    "currency": Field(
        "One or several",
        "currency:hkd,krw",
        partial(_several, "currencies", "currencies", {code: code for code in catalog.currencies()}),
    ),
    "terminal": Field(
        "Where the customer pays",
        "terminal:app",
        partial(_one_of, "terminal_type", "a terminal", catalog.kakaopay().terminal_types),
    ),
    "refund": Field(
        "How it stands with refunds", "refund:declined", partial(_one_of, "refund", "a state", REFUND_STATES)
    ),
    "chain": Field("Payments of one stored source, or any recurring ones", "chain:any", _chain),
    "attention": Field("Something about it needs a person", "attention:yes", _attention),
    "since": Field("Asked for on this day or later", "since:2026-11-01", partial(_edge, "since")),
    "until": Field("Asked for on this day or earlier", "until:yesterday", partial(_edge, "until")),
    "age": Field("How long ago it was asked for", "age:>1h", _age),
    "captured": Field("Captured on these days", "captured:2026-11-01..2026-11-07", partial(_days, "captured")),
}
"""Every field, in the order in which the help tells of them."""
