"""The language of the search box: words, amounts and `field:value`, read into a filter, and a filter written back.

Reading never fails: what cannot be understood is told in a sentence, and the rest holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from lib.ledger.payment_filter import PaymentFilter, day_or_moment
from lib.ledger.query_fields import AMOUNTS, FIELDS, Clock, Unclear, is_amount, number

LONGEST = 300
"""Characters that are read of a search; more is told."""

_TOKEN = re.compile(
    r'\s*(?:(?P<field>[A-Za-z]+):(?![A-Za-z]+:|\s+[A-Za-z]+:)\s*)?(?:"(?P<quoted>(?:[^"\\]|\\.)*)(?:"|\\?$)|(?P<plain>(?:[<>]=?|=)\s*\S+|\S+))?',
    re.DOTALL,
)
_FIELD = re.compile(r"([A-Za-z]+):")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a search comes to, and a sentence for each part of it that was not understood."""

    wanted: PaymentFilter
    problems: tuple[str, ...] = ()


class _Token(NamedTuple):
    field: str | None
    value: str
    quoted: bool


def read(typed: str, *, now: datetime, zone: ZoneInfo) -> Reading:
    """What somebody typed, as a filter. Days are days of `zone`, and `now` is what ages and `today` are counted from."""
    text = "".join(letter for letter in typed if letter.isprintable() or letter.isspace())
    problems = [] if len(text) <= LONGEST else [f"Only the first {LONGEST} characters are looked for."]
    found: dict[str, Any] = {}
    words: list[str] = []
    clock = Clock(now, zone)
    for token in _with_amounts(_tokens(text[:LONGEST])):
        if token.field is None:
            words.append(token.value)
        elif token.field not in FIELDS:
            problems.append(
                f"There is no field “{token.field}”. The fields are {', '.join(FIELDS)}. "
                f'To look for the text itself, put it in quotation marks: "{token.field}:{token.value}".'
            )
        else:
            try:
                _add(found, FIELDS[token.field].read(token.value, clock))
            except Unclear as unclear:
                problems.append(f"“{token.field}:” {unclear}")
    return Reading(PaymentFilter(text=" ".join(words), **found), tuple(dict.fromkeys(problems)))


def write(wanted: PaymentFilter, zone: ZoneInfo) -> str:
    """A search that reads as `wanted`, in any later year too: days and ages are written as what they came to."""
    parts = [_free(wanted.text, zone)] if wanted.text else []
    single = ("id", "action", "reference", "email", "name", "refund", "chain")
    parts += [f"{name}:{_value(value)}" for name in single if (value := getattr(wanted, name))]
    for name, values in (("status", wanted.statuses), ("currency", wanted.currencies)):
        if values:
            parts.append(f"{name}:{_value(','.join(values))}")
    if wanted.terminal_type:
        parts.append(f"terminal:{_value(wanted.terminal_type)}")
    parts += [f"amount:{bound}" for bound in wanted.amounts]
    parts += [f"refunded:{bound}" for bound in wanted.refunded]
    if wanted.attention:
        parts.append("attention:yes")
    if wanted.since:
        parts.append(f"since:{day_or_moment(wanted.since, zone)}")
    if wanted.until:
        parts.append(f"until:{day_or_moment(wanted.until, zone, ending=True)}")
    if wanted.captured_since or wanted.captured_until:
        first = day_or_moment(wanted.captured_since, zone)
        parts.append(f"captured:{first}..{day_or_moment(wanted.captured_until, zone, ending=True)}")
    return " ".join(parts)


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while (match := _TOKEN.match(text, place)) and match.end() > place:
        quoted, plain, name = match["quoted"], match["plain"], match["field"]
        if quoted is None and plain is None and name is None:
            return
        value = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL) if quoted is not None else plain or ""
        if name is None and quoted is None and (unread := _FIELD.match(value)):
            yield _Token(unread[1].lower(), value[unread.end() :], quoted=False)
        elif name or value.strip():
            yield _Token(name.lower() if name else None, value.strip(), quoted is not None)
        place = match.end()


def _with_amounts(tokens: Iterable[_Token]) -> Iterator[_Token]:
    """The same, but `HKD 1,100`, `1,100 HKD` and `HKD1100` are amounts, as is all of `amount:>= HKD 1,100`."""
    waiting: _Token | None = None
    for token in tokens:
        if waiting and waiting.field in (None, *AMOUNTS) and not (waiting.quoted or token.field or token.quoted):
            joined = f"{waiting.value} {token.value}"
            if is_amount(joined):
                waiting = _Token(waiting.field or "amount", joined, quoted=False)
                continue
        if waiting:
            yield _alone(waiting)
        waiting = token
    if waiting:
        yield _alone(waiting)


def _alone(token: _Token) -> _Token:
    """A free token that names a currency beside its number is an amount; a mere number may be part of a reference too."""
    if token.field or token.quoted or number(token.value) is not None or not is_amount(token.value):
        return token
    return token._replace(field="amount")


def _add(found: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, tuple):
            found[key] = tuple(dict.fromkeys((*found.get(key, ()), *value)))
        elif found.get(key, value) != value:
            raise Unclear("is given twice; keep one.")
        else:
            found[key] = value


def _free(text: str, zone: ZoneInfo) -> str:
    """Free text so that it reads as nothing else, whatever follows it."""
    again = read(f"{text} id:x", now=datetime.now(UTC), zone=zone)
    return text if again == Reading(PaymentFilter(text=text, id="x")) and '"' not in text else _quoted(text)


def _value(text: str) -> str:
    return text if re.fullmatch(r'[^\s"\\<>=][^\s"\\]*', text) and not _FIELD.match(text) else _quoted(text)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
