"""Reading what volumes are made of, by days of the ledger's own zone."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from lib.ledger.batch import Batch
from lib.ledger.parts import SECONDS
from lib.ledger.record import BREAKDOWN
from lib.money import Money


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Numbers by what they are parts of; keys are Checkout.com's words, "" where it said none.

    `refunds` has the money by currency and reason, `hours` the number of captures by weekday (Monday first) and hour.
    `zone` is where the days `first` to `last` were cut.
    """

    zone: str
    first: date
    last: date
    declines: dict[str, int]
    terminals: dict[str, int]
    reasons: dict[str, int]
    refunds: dict[str, dict[str, Money]]
    seconds: dict[str, int]
    hours: list[list[int]]

    @property
    def median_seconds(self) -> int | None:
        """Half of those who paid did so within so many seconds; None where nobody paid, or most took over a day."""
        half, seen = sum(self.seconds.values()), 0
        for limit in SECONDS:
            seen += self.seconds.get(str(limit), 0)
            if seen and 2 * seen >= half:
                return limit
        return None


def breakdown(connection: Connection, since: datetime, until: datetime) -> Breakdown | None:
    """The parts of all days of the ledger's zone that lie, if only in part, between the two; None until it knows its zone."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    refunds: dict[str, dict[str, Money]] = defaultdict(dict)
    hours = [[0] * 24 for _ in range(7)]
    batch = Batch(connection)
    zone = batch.zone()
    if zone is None:
        return None
    first = since.astimezone(ZoneInfo(zone)).date()
    last = (until - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()

    def read(columns: str, rest: str) -> list[Any]:
        after = (last + timedelta(days=1)).isoformat()
        return batch.span(BREAKDOWN, columns.split(), "day", (first.isoformat(), after), rest)

    counted = read("kind value sum(count)", "AND kind IN ('decline', 'terminal', 'seconds') GROUP BY kind, value")
    refunded = read("currency value sum(count) sum(amount)", "AND kind = 'reason' GROUP BY currency, value")
    hourly = read("day value count", "AND kind = 'hour'")
    for kind, value, count in counted:
        if count:
            found[kind][value] = int(count)
    for currency, value, count, amount in refunded:
        if count:
            found["reason"][value] += int(count)
            refunds[currency][value] = Money(int(amount), currency)
    of_day: dict[str, list[int]] = {}
    for day, hour, count in hourly:
        if day not in of_day:
            of_day[day] = hours[date.fromisoformat(day).weekday()]
        of_day[day][int(hour)] += count
    declines, terminals, reasons = (_largest(found[kind]) for kind in ("decline", "terminal", "reason"))
    return Breakdown(zone, first, last, declines, terminals, reasons, dict(refunds), dict(found["seconds"]), hours)


def rate(part: Money, whole: Money) -> Decimal | None:
    """`part` of `whole` in percent, to one decimal; None of nothing. Raises `CurrencyMismatch`."""
    if whole <= Money(0, part.currency):
        return None
    return (Decimal(part.minor) * 100 / whole.minor).quantize(Decimal("0.1"), ROUND_HALF_EVEN)


def _largest(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
