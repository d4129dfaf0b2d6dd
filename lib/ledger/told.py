"""Single values as Checkout.com tells them: taken for what they are, or for nothing. Whatever is told, none of these fails."""

from __future__ import annotations

from functools import lru_cache

from lib.checkout.times import parse_time
from lib.ledger.tables import time_text

_MOST = 10**15  # amounts beyond this are not money
TEXT = 255
"""Characters of a text, at most."""
_TIME_TEXT = 40


def amount_in(value: object) -> int | None:
    """A number of minor units, or None for what cannot be one. Nothing is rounded and nothing invented."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST:
        return value
    return None


def text_in(value: object, limit: int = TEXT) -> str | None:
    """A text as a database can hold it, cut at `limit` characters; None for an empty one."""
    if not isinstance(value, str):
        return None
    if len(value) <= limit and value.isascii() and value.isprintable():
        return value or None
    # NUL and lone surrogates are legal in JSON, but not in a database's text.
    return value.replace("\x00", "").encode("utf-8", "replace").decode()[:limit] or None


def currency_in(value: object) -> str | None:
    """A currency's code, known to us or not."""
    return value if isinstance(value, str) and len(value) <= 8 and value.isascii() and value.isalnum() else None


def time_in(value: object) -> str | None:
    """A moment as `time_text`, or None for what is none."""
    if not isinstance(value, str):
        return None
    return _known_time(value) if len(value) <= _TIME_TEXT else _time_in_text(value)


def _time_in_text(value: str) -> str | None:
    moment = parse_time(value)
    return time_text(moment) if moment else None


_known_time = lru_cache(maxsize=4096)(_time_in_text)  # an event says the same moment two or three times
