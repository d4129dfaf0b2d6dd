"""The time machine: the simulator's clock, dragged forward to what comes next in the life of payments and money."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from lib import catalog
from lib.board import Clock
from lib.money import NBSP
from pages.parts import frame, live, words
from pages.parts.session import operator
from pages.parts.simulator import acts, attempt, board, outcome

UNITS = {"minutes": "Minutes", "hours": "Hours", "days": "Days"}
A_MOMENT = timedelta(seconds=1)
NOW = "Now"


@dataclass(frozen=True)
class Stop:
    """A moment to travel to, why, and the screen that shows it best: a file in `pages/` and what to see there."""

    name: str
    at: datetime
    meaning: str
    page: str
    see: str


def show(clock: Clock, zone: ZoneInfo) -> None:
    with st.container(border=True):
        st.subheader("Time machine", anchor=False)
        face(clock, zone)
        stops = {stop.name: stop for stop in stops_from(clock, zone)}
        if st.session_state.get("time_stop") not in (NOW, *stops):
            st.session_state["time_stop"] = NOW
        name = st.select_slider("Drag the clock to", [NOW, *stops], key="time_stop")
        chosen = stops.get(name)
        with frame.place():
            if chosen:
                st.markdown(
                    f"**{chosen.at.astimezone(zone):%-d %b %Y, %H:%M} {chosen.at.astimezone(zone):%Z}**: {chosen.meaning}"
                )
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Travel there",
                icon=":material/fast_forward:",
                disabled=chosen is None,
                on_click=travel,
                args=(stops,),
                key="travel",
            )
            further = st.popover("Further", icon=":material/more_time:", key="further", on_change="rerun")
            if further.open:  # what is in it is drawn only then
                with further:
                    offer_any_time()
        outcome("clock")
        with frame.place():
            if arrived := st.session_state.get("time_arrived"):
                st.page_link(arrived.page, label=arrived.see, icon=":material/arrow_forward:", width="content")
        st.caption(
            "The clock only moves forward, and everything due on the way happens and is delivered. "
            "A new run with the real clock brings it back to real time."
        )


def offer_any_time() -> None:
    number = st.number_input("How far", min_value=1, max_value=3650, value=1, key="far")
    unit = st.segmented_control(
        "Unit", list(UNITS), default="days", required=True, format_func=UNITS.__getitem__, key="far_unit"
    )
    if st.button("Move the clock", key="to_far"):
        advance(timedelta(**{unit or "days": number}))
        st.rerun()


@live.every(1)
def face(clock: Clock, zone: ZoneInfo) -> None:
    now = clock.now if clock.standing else datetime.now(UTC) + timedelta(seconds=clock.ahead_seconds)
    ahead = words.ago(now, now - timedelta(seconds=clock.ahead_seconds)).removeprefix("in ")
    figures = {
        f"Its clock, {now.astimezone(zone):%-d %b %Y}": f"{now.astimezone(zone):%H:%M:%S %Z}",
        "Ahead of real time": "Stands still" if clock.standing else ahead if clock.ahead_seconds else "In step",
        "Next due": coming(clock.next_happening, now),
        "Next delivery": coming(clock.next_delivery, now),
    }
    with st.grid(2, min_column_width=120, gap="small"):
        for name, value in figures.items():
            st.metric(name, value)


def coming(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "Nothing"
    seconds = max(0, round((moment - now).total_seconds()))
    return f"in {seconds}{NBSP}s" if seconds < 60 else words.ago(moment, now)


def stops_from(clock: Clock, zone: ZoneInfo) -> list[Stop]:
    """Where the clock can be dragged to, the nearest first."""
    now, minutes = clock.now, catalog.kakaopay().link_minutes
    local = now.astimezone(zone)
    month = local.month % 12 + 1
    year = local.year + (month == 1)
    in_a_month = local.replace(year=year, month=month, day=min(local.day, calendar.monthrange(year, month)[1]))
    payout = datetime.combine(local.date() + timedelta(days=2), time(), zone).astimezone(UTC)
    window = catalog.kakaopay().refund_window_days
    stops = [
        Stop(
            "Link expiry",
            now + timedelta(minutes=minutes) + A_MOMENT,
            f"links that nobody has paid expire, {minutes}{NBSP}minutes after they were made.",
            "payments.py",
            "See them expired among the payments",
        ),
        Stop(
            "Payout day",
            payout + A_MOMENT,
            "two midnights on: today is cut and reported, and its payout is paid a day later.",
            "reconcile.py",
            "Import its reports under Reconcile",
        ),
        Stop(
            "Next charge",
            in_a_month,
            "a month on, when recurring payments are charged again.",
            "payments.py",
            "Open a recurring payment and charge it again",
        ),
        Stop(
            f"Day {window + 1}",
            now + timedelta(days=window + 1),
            f"the {window} days in which KakaoPay takes refunds are over for everything paid until now.",
            "payments.py",
            "Open a payment: it says why it cannot be refunded",
        ),
    ]
    if clock.next_delivery:
        meaning = "what waits longest to be delivered is tried again."
        at = max(clock.next_delivery, now) + A_MOMENT
        stops.append(Stop("Next retry", at, meaning, "webhook_events.py", "See it arrive among the deliveries"))
    return sorted(stops, key=lambda stop: stop.at)


def travel(stops: Mapping[str, Stop]) -> None:
    """Go where the slider stands by now, as it may have been dragged on since the button was drawn; once, if asked twice."""
    stop = stops.get(st.session_state["time_stop"])
    if stop is None:
        return

    def go() -> str:
        by = stop.at - board().state().clock.now
        if by > timedelta():
            acts().advance(operator(), by)
        return f"{stop.name}: the clock was moved. Everything due on the way has happened."

    if move(go):
        st.session_state["time_arrived"] = stop
        st.session_state["time_stop"] = NOW


def advance(by: timedelta) -> None:
    def go() -> str:
        acts().advance(operator(), by)
        return "The clock was moved."

    move(go)


def move(go: Callable[[], str]) -> bool:
    """Without a spinner: whatever is drawn before the act can end this run, when the browser has more to tell, and the
    click would be lost."""
    st.session_state.pop("time_arrived", None)
    return attempt("clock", go)
