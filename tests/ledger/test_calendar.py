"""Settlement days across cut-offs, changes of the clocks, and zones off the hour."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ledger.calendar import SettlementDays

ZONES = (
    "Asia/Hong_Kong",
    "Europe/London",
    "America/New_York",
    "Asia/Kathmandu",  # +5:45
    "Australia/Adelaide",  # +9:30 and +10:30
    "Australia/Lord_Howe",  # +10:30 and +11
    "Pacific/Chatham",  # +12:45 and +13:45
    "America/Sao_Paulo",  # its summer began at midnight, so that there was none
)
moments = st.integers(0, 20 * 365 * 86400).map(
    lambda seconds: datetime(2015, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
days = st.builds(SettlementDays, st.sampled_from(ZONES).map(ZoneInfo), st.integers(0, 23))


def test_what_moves_at_the_cutoff_belongs_to_the_next_day() -> None:
    calendar = SettlementDays(ZoneInfo("Asia/Hong_Kong"), 18)
    cut = datetime(2026, 3, 2, 10, tzinfo=UTC)  # 18:00 in Hong Kong
    assert calendar.day_of(cut - timedelta(microseconds=1)) == date(2026, 3, 2)
    assert calendar.day_of(cut) == date(2026, 3, 3)
    assert calendar.span(date(2026, 3, 3), date(2026, 3, 4)) == (cut, cut + timedelta(days=2))


def test_without_a_cutoff_the_day_is_the_calendars() -> None:
    calendar = SettlementDays(ZoneInfo("Asia/Kathmandu"))
    assert calendar.start(date(2026, 3, 2)) == datetime(2026, 3, 1, 18, 15, tzinfo=UTC)
    assert str(calendar) == "from midnight to midnight, Asia/Kathmandu"


@pytest.mark.parametrize(
    ("zone", "hour", "day", "hours"),
    [
        ("Europe/London", 0, date(2026, 3, 29), 23),
        ("Europe/London", 0, date(2026, 10, 25), 25),
        ("Europe/London", 1, date(2026, 3, 29), 24),  # cut where the clocks jump from 1:00 to 2:00
        ("Europe/London", 1, date(2026, 3, 30), 23),
        ("Europe/London", 1, date(2026, 10, 25), 24),  # cut at the first of two 1:00s
        ("Europe/London", 1, date(2026, 10, 26), 25),
        ("Australia/Lord_Howe", 18, date(2026, 4, 5), 24.5),
        ("America/Sao_Paulo", 0, date(2018, 11, 4), 23),
    ],
)
def test_days_on_which_the_clocks_change(zone: str, hour: int, day: date, hours: float) -> None:
    since, until = SettlementDays(ZoneInfo(zone), hour).span(day, day)
    assert until - since == timedelta(hours=hours)


@given(days, moments)
def test_every_moment_lies_on_exactly_one_day_which_begins_on_a_quarter(calendar: SettlementDays, at: datetime) -> None:
    day = calendar.day_of(at)
    since, until = calendar.span(day, day)
    assert since <= at < until
    assert since.minute % 15 == since.second == since.microsecond == 0
    assert abs((day - at.astimezone(calendar.zone).date()).days) <= 1
