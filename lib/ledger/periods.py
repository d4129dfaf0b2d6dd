"""Spans of local days, the span before each, and how much a figure changed between the two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from lib.money import Money


@dataclass(frozen=True, slots=True)
class Period:
    """The local days `first` to `last`, both included, and the moments they cover: `since` included, `until` not."""

    first: date
    last: date
    since: datetime
    until: datetime

    @property
    def days(self) -> list[date]:
        """Every local day of the period, oldest first."""
        return [self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1)]


def whole_days(first: date, last: date, zone: ZoneInfo) -> Period:
    """The days `first` to `last` from midnight to midnight in `zone`, as long as they are there."""
    return Period(first, last, _midnight(first, zone), _midnight(last + timedelta(days=1), zone))


def trailing(days: int, now: datetime, zone: ZoneInfo) -> Period:
    """The last `days` local days up to `now`; today is one of them, and not over yet."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    return Period(first, today, _midnight(first, zone), now)


def preceding(period: Period, zone: ZoneInfo) -> Period:
    """As many days right before `period`, cut at the same time of day, so that a day half over is compared with half a day."""
    length = timedelta(days=len(period.days))
    end = period.until.astimezone(zone).replace(tzinfo=None) - length
    return Period(
        period.first - length,
        period.last - length,
        _midnight(period.first - length, zone),
        end.replace(tzinfo=zone).astimezone(UTC),
    )


def change(now: Money, before: Money) -> Decimal | None:
    """By how many percent `now` differs from `before`, to one decimal.

    None where a percentage would mislead: nothing or less than nothing before. Raises `CurrencyMismatch`.
    """
    difference = now - before
    if before.minor <= 0:
        return None
    return (Decimal(difference.minor) * 100 / before.minor).quantize(Decimal("0.1"), ROUND_HALF_EVEN)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
