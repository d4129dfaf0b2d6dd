"""Which time the overview shows, in which zone and in which steps; all of it is in the address."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st

from lib.ledger.periods import Period, Step, trailing, whole_days
from pages.parts.custom_days import custom_days
from pages.parts.session import desk

PERIODS = ("Today", "7 days", "30 days", "90 days", "Whole month", "Custom")
TRAILING = {"Today": 1, "7 days": 7, "30 days": 30, "90 days": 90}
MONTHS = 24
STEPS: tuple[Step, ...] = ("hour", "day", "week", "month")
BARS: dict[Step, str] = {"hour": "an hour", "day": "a day", "week": "a week", "month": "a month"}
MOST_HOURS = 31
LONGEST = 1100
"""Days of one's own choice, at most: three years."""


@dataclass(frozen=True, slots=True)
class View:
    """A period, the zone in which its days are cut, and how long a bar is."""

    period: Period
    zone: ZoneInfo
    step: Step


def choose() -> View:
    """The controls above the figures, and the line that says what they come to."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        span = st.segmented_control(
            "Period",
            PERIODS,
            default="30 days",
            required=True,
            key="span",
            bind="query-params",
            label_visibility="collapsed",
            wrap=True,
            width=475,  # fills both lines on a phone, where the words by themselves would leave the last line ragged
        )
        zone = choose_zone()
        period = choose_period(span or "30 days", zone)
        step = choose_step(period)
    same_year = period.first.year == period.last.year
    first = f"{period.first:%-d %b}" if same_year else f"{period.first:%-d %b %Y}"
    days = f"{first} – " if period.first < period.last else ""
    st.caption(
        f"{days}{period.last:%-d %b %Y}, {zone.key} ({period.until.astimezone(zone):%Z}). A bar is {BARS[step]}: captured "
        "above the line, refunded below. Every currency has its own scale; click a bar for its rows."
    )
    return View(period, zone, step)


def choose_zone() -> ZoneInfo:
    own = desk().settings.timezone
    name = st.selectbox(
        "Time zone", zones(own), key="zone", bind="query-params", label_visibility="collapsed", width=168
    )
    return ZoneInfo(name or own)


@cache
def zones(own: str) -> list[str]:
    """Our own zone, UTC, then all that a person might name."""
    named = sorted(name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix/")))
    return list(dict.fromkeys([own, "UTC", *named]))


def choose_period(span: str, zone: ZoneInfo) -> Period:
    now = datetime.now(UTC)
    today = now.astimezone(zone).date()
    if span == "Whole month":
        months = [today.replace(day=1)]
        while len(months) < MONTHS:
            months.append((months[-1] - timedelta(days=1)).replace(day=1))
        named = {f"{month:%Y-%m}": month for month in months}
        chosen = st.selectbox(
            "Month", list(named), key="month", bind="query-params", label_visibility="collapsed", width=130
        )
        first = named.get(chosen or "", months[0])
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return trailing((today - first).days + 1, now, zone) if last >= today else whole_days(first, last, zone)
    if span == "Custom":
        first, last = custom_days(today, 14)
        return whole_days(max(first, last - timedelta(days=LONGEST - 1)), last, zone)
    return trailing(TRAILING[span], now, zone)


def choose_step(period: Period) -> Step:
    length = len(period.days)
    fitting = [step for step in STEPS if fits(step, length)]
    if len(fitting) == 1:  # nothing to choose
        return fitting[0]
    default: Step = "hour" if length <= 2 else "day" if length <= 92 else "week" if length <= 400 else "month"
    chosen = st.segmented_control(
        "Bars",
        fitting,
        default=default,
        required=True,
        format_func=str.capitalize,
        key="step",
        bind="query-params",
        label_visibility="collapsed",
    )
    return chosen or default


def fits(step: Step, days: int) -> bool:
    """Whether so many days make neither too many bars nor a single one."""
    return {"hour": days <= MOST_HOURS, "day": 1 < days <= 400, "week": days > 7, "month": days > 31}[step]
