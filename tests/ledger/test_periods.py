"""Periods and their slots, also where clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from lib.ledger.periods import change, preceding, trailing, whole_days
from lib.money import CurrencyMismatch, Money

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
LONDON = ZoneInfo("Europe/London")


def test_trailing_days_start_at_local_midnight_and_end_now() -> None:
    now = datetime(2026, 10, 14, 17, 30, tzinfo=UTC)  # 01:30 on the 15th in Hong Kong
    week = trailing(7, now, HONG_KONG)
    assert (week.first, week.last) == (date(2026, 10, 9), date(2026, 10, 15))
    assert week.since == datetime(2026, 10, 8, 16, tzinfo=UTC)
    assert week.until == now
    assert len(week.days) == 7


def test_the_period_before_ends_at_the_same_time_of_day() -> None:
    now = datetime(2026, 10, 14, 17, 30, tzinfo=UTC)
    before = preceding(trailing(7, now, HONG_KONG), HONG_KONG)
    assert (before.first, before.last) == (date(2026, 10, 2), date(2026, 10, 8))
    assert before.until == now - timedelta(days=7)


def test_the_period_before_follows_the_clock_across_a_change_of_time() -> None:
    now = datetime(2026, 10, 28, 12, 0, tzinfo=UTC)  # London put its clocks back on the 25th
    before = preceding(trailing(7, now, LONDON), LONDON)
    assert before.until == datetime(2026, 10, 21, 11, 0, tzinfo=UTC)
    assert before.since == datetime(2026, 10, 14, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)])
def test_whole_days_are_as_long_as_they_are_in_their_zone(day: date, hours: int) -> None:
    span = whole_days(day, day, LONDON)
    assert span.until - span.since == timedelta(hours=hours)
    assert span.days == [day]


@pytest.mark.parametrize(
    ("now", "before", "percent"),
    [
        (1124, 1000, "12.4"),
        (969, 1000, "-3.1"),
        (1000, 1000, "0.0"),
        (0, 700, "-100.0"),
        (-500, 1000, "-150.0"),
        (1, 3, "-66.7"),
    ],
)
def test_change_in_percent(now: int, before: int, percent: str) -> None:
    assert change(Money(now, "HKD"), Money(before, "HKD")) == Decimal(percent)


@pytest.mark.parametrize("before", [0, -100])
def test_no_percentage_of_nothing_or_less(before: int) -> None:
    assert change(Money(100, "HKD"), Money(before, "HKD")) is None


def test_currencies_are_not_compared() -> None:
    with pytest.raises(CurrencyMismatch):
        change(Money(1, "HKD"), Money(1, "KRW"))
