"""What volumes are made of: declines by code, refunds by reason, captures by terminal, by hour and by the time to pay.

Each part is counted on the local day of the ledger's zone on which it happened, so that 90 days are few rows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from lib.ledger.quarters import quarter

Part = tuple[str, str, str, str]
"""A quarter of an hour, a currency, a kind and a value of that kind; currency "" where only numbers are counted."""
Parts = dict[Part, tuple[int, int]]
"""How many, and how much in minor units of the currency."""
Counts = dict[tuple[str, str, str, str], list[int]]
"""Number and minor units by kind, local day, currency and value."""

SECONDS = (
    *(5, 10, 15, 20, 25, 30, 40, 50, 60, 75, 90, 105, 120, 150, 180, 210, 240, 270, 300, 360, 420, 480, 540, 600),
    *(720, 900, 1200, 1800, 2700, 3600, 7200, 14400, 28800, 86400),
)
"""The times to pay that are told apart, each up to and including."""
LONGER = "longer"


def parts_of(payment: Mapping[str, Any], refunds: Iterable[Mapping[str, Any]]) -> Parts:
    """What one payment, with its refunds, is part of. Both are rows in the form that projections have."""
    currency = payment["currency"]
    found: Parts = {}
    if payment["captured_at"]:
        at = quarter(payment["captured_at"])
        found[at, currency, "terminal", payment["terminal_type"] or ""] = 1, payment["captured"]
        found[at, "", "seconds", _seconds(payment["requested_at"], payment["captured_at"])] = 1, 0
        found[at, "", "hour", ""] = 1, 0
    elif payment["status"] == "Declined":
        code = payment["response_code"] or ""
        found[quarter(payment["closed_at"]), currency, "decline", code[:40]] = 1, payment["amount"] or 0
    for refund in refunds:
        if refund["status"] == "refunded" and refund["currency"] == currency:
            part = quarter(refund["decided_at"]), currency, "reason", (refund["reason"] or "")[:40]
            count, amount = found.get(part, (0, 0))
            found[part] = count + 1, amount + refund["amount"]
    return found


def add_local(into: Counts, parts: Mapping[Part, tuple[int, int]], zone: str, sign: int = 1) -> None:
    """Add parts to the local days they lie in; captures by hour get the local hour."""
    for (at, currency, kind, value), (count, amount) in parts.items():
        day, hour = _local(at, zone)
        held = into[kind, day, currency, hour if kind == "hour" else value]
        held[0] += sign * count
        held[1] += sign * amount


def no_counts() -> Counts:
    """To be added to."""
    return defaultdict(lambda: [0, 0])


def _seconds(requested_at: str, captured_at: str) -> str:
    took = (datetime.fromisoformat(captured_at) - datetime.fromisoformat(requested_at)).total_seconds()
    place = bisect_left(SECONDS, took)
    return str(SECONDS[place]) if place < len(SECONDS) else LONGER


@lru_cache(maxsize=4096)
def _local(at: str, zone: str) -> tuple[str, str]:
    local = datetime.fromisoformat(at).astimezone(ZoneInfo(zone))
    return local.date().isoformat(), f"{local.hour:02}"
