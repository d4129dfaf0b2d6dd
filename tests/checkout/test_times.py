"""Checkout.com's times in all their spellings, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lib.checkout.times import parse_time


@pytest.mark.parametrize("digits", range(12))
@pytest.mark.parametrize("zone", ["Z", "+00:00", "-00:00", "+0000"])
def test_any_number_of_fractional_digits(digits: int, zone: str) -> None:
    fraction = "123456789012"[:digits]
    expected = datetime(2026, 3, 2, 4, 11, 9, int(fraction[:6].ljust(6, "0")), UTC)
    assert parse_time(f"2026-03-02T04:11:09{'.' if digits else ''}{fraction}{zone}") == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2023-06-34T10:00:00Z",
        "2023-02-29T10:00:00Z",
        "2023-06-03T25:00:00Z",
        "2023-06-03T10:00:61Z",
        "2023-06-03",
        "2023-06-03T10:00:00",
        "2023-06-03 10:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "２023-06-03T10:00:00Z",
        "yesterday",
        None,
        1685786400,
        True,
        ["2023-06-03T10:00:00Z"],
    ],
)
def test_what_names_no_instant_is_none(text: object) -> None:
    assert parse_time(text) is None


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=offsets))
def test_round_trip_in_any_zone(moment: datetime) -> None:
    assume(1 < moment.year < 9999)  # the first and last hours of time have no UTC in Python
    read = parse_time(moment.isoformat())
    assert read == moment
    assert read is not None
    assert read.utcoffset() == timedelta(0)


@given(st.text() | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.,+-]{0,20}Z?", fullmatch=True))
def test_no_text_raises(text: str) -> None:
    read = parse_time(text)
    assert read is None or read.utcoffset() == timedelta(0)
