"""Spans of local days, the span before each, and how much a figure changed between the two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from lib.money import Money

Step = Literal["hour", "day", "week", "month"]


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
    return Period(first, last, start_of_day(first, zone), start_of_day(last + timedelta(days=1), zone))


def trailing(days: int, now: datetime, zone: ZoneInfo) -> Period:
    """The last `days` local days up to `now`; today is one of them, and not over yet."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    return Period(first, today, start_of_day(first, zone), now)


def preceding(period: Period, zone: ZoneInfo) -> Period:
    """As many days right before `period`, cut at the same time of day, so that a day half over is compared with half a day."""
    length = timedelta(days=len(period.days))
    end = period.until.astimezone(zone).replace(tzinfo=None) - length
    return Period(
        period.first - length,
        period.last - length,
        start_of_day(period.first - length, zone),
        end.replace(tzinfo=zone).astimezone(UTC),
    )


def edges(period: Period, zone: ZoneInfo, step: Step) -> list[datetime]:
    """The moments, in UTC, at which the bars of a period begin, and the end of the last one.

    The last bar goes to the end of the period's last day. Weeks begin on Mondays, and like months they are cut off
    where the period begins and ends. An hour that the clocks repeat is two.
    """
    end = start_of_day(period.last + timedelta(days=1), zone)
    if step == "hour":
        found, moment = [], period.since
        while moment < end:
            found.append(moment)
            # A change of half an hour leaves a short hour, after which hours begin at whole ones again.
            moment += timedelta(minutes=60 - moment.astimezone(zone).minute)
        return [*found, end]
    begin = [day for day in period.days if day == period.first or _begins(day, step)]
    return [*(start_of_day(day, zone) for day in begin), end]


def change(now: Money, before: Money) -> Decimal | None:
    """By how many percent `now` differs from `before`, to one decimal.

    None where a percentage would mislead: nothing or less than nothing before. Raises `CurrencyMismatch`.
    """
    difference = now - before
    if before.minor <= 0:
        return None
    return (Decimal(difference.minor) * 100 / before.minor).quantize(Decimal("0.1"), ROUND_HALF_EVEN)


def _begins(day: date, step: Step) -> bool:
    return step == "day" or (day.day == 1 if step == "month" else day.weekday() == 0)


@lru_cache(maxsize=1024)
def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a local day, in UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
