"""Simulator: what goes wrong on purpose, what time it is there, and runs that repeat."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import streamlit as st

from lib import catalog
from lib.board import Account, Board, BoardError, Clock
from lib.ledger.queries import pulse
from lib.money import NBSP
from pages.parts import fault_rows, frame, live, parcels, words
from pages.parts.session import desk, operator
from pages.parts.simulator import acts, attempt, board, hold, outcome

OFFERS = {
    "2022-08": "As documented in August 2022",
    "2024-07": "As documented since July 2024",
    "default": "Both together",
}
UNITS = {"minutes": "Minutes", "hours": "Hours", "days": "Days"}
A_MOMENT = timedelta(seconds=1)


def screen() -> None:
    frame.page(
        "Simulator",
        "Let things go wrong on purpose, move its clock, and repeat a run: the dashboard must come out right.",
    )
    if not frame.allowed("simulate"):
        return
    try:
        drawn, minute = version(), live.this_minute()
        show(board())
    except BoardError as error:
        frame.empty("power_off", "The simulator does not answer", words.plain(str(error)))
        return
    live.redraw_on_change(version, drawn, minute)


def version() -> int:
    """What a redraw depends on; -1 when the simulator does not say."""
    try:
        return board().pulse() + pulse(desk().database)
    except BoardError:
        return -1


def show(simulator: Board) -> None:
    account = simulator.account()
    left, right = st.columns([4, 3], gap="medium")
    with left:
        fault_rows.show(simulator.faults())
    with right:
        show_clock(simulator.clock(), account.timezone)
        parcels.show_deliveries(account.timezone)
        show_account(account)
        parcels.show_sources()
        show_run(simulator)


def show_clock(clock: Clock, zone: ZoneInfo) -> None:
    with st.container(border=True):
        st.subheader("Clock", anchor=False)
        face(clock, zone)
        with st.container(horizontal=True, gap="small"):
            for label, icon, to, meaning in moves(clock, zone):
                if (
                    st.button(label, icon=f":material/{icon}:", help=meaning, disabled=to is None, key=f"to_{icon}")
                    and to
                ):
                    advance(to - clock.now)
            with st.popover("Further", icon=":material/fast_forward:"):
                number = st.number_input("How far", min_value=1, max_value=3650, value=1, key="far")
                unit = st.segmented_control(
                    "Unit", list(UNITS), default="days", required=True, format_func=UNITS.__getitem__, key="far_unit"
                )
                if st.button("Move the clock", key="to_far"):
                    advance(timedelta(**{unit or "days": number}))
        outcome("clock")
        st.caption(
            "The clock only moves forward, and everything due on the way happens and is delivered. "
            "A new run with the real clock brings it back to real time."
        )


@st.fragment(run_every="1s")
def face(clock: Clock, zone: ZoneInfo) -> None:
    now = clock.now if clock.standing else datetime.now(UTC) + timedelta(seconds=clock.ahead_seconds)
    ahead = words.ago(now, now - timedelta(seconds=clock.ahead_seconds)).removeprefix("in ")
    figures = {
        "Its date": f"{now.astimezone(zone):%-d %b %Y}",
        f"Its time, {now.astimezone(zone):%Z}": f"{now.astimezone(zone):%H:%M:%S}",
        "Ahead of real time": "Stands still" if clock.standing else ahead if clock.ahead_seconds else "No",
        "Next by itself": coming(clock.next_happening, now),
        "Next delivery": coming(clock.next_delivery, now),
    }
    with st.grid(3, min_column_width=120, gap="small"):
        for name, value in figures.items():
            st.metric(name, value)


def coming(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "Nothing"
    seconds = max(0, round((moment - now).total_seconds()))
    return f"in {seconds}{NBSP}s" if seconds < 60 else words.ago(moment, now)


def moves(clock: Clock, zone: ZoneInfo) -> list[tuple[str, str, datetime | None, str]]:
    """Label, icon, where to (None: nowhere) and meaning of each button."""
    now, minutes = clock.now, catalog.kakaopay().link_minutes
    local = now.astimezone(zone)
    month = local.month % 12 + 1
    year = local.year + (month == 1)
    in_a_month = local.replace(year=year, month=month, day=min(local.day, calendar.monthrange(year, month)[1]))
    payout = datetime.combine(local.date() + timedelta(days=2), time(), zone)
    retry = max(clock.next_delivery, now) + A_MOMENT if clock.next_delivery else None
    window = catalog.kakaopay().refund_window_days
    return [
        (
            f"Link expiry, +{minutes}{NBSP}min",
            "timer_off",
            now + timedelta(minutes=minutes) + A_MOMENT,
            "Links that nobody has paid expire.",
        ),
        (
            "Next retry",
            "replay",
            retry,
            "What waits longest is delivered." if retry else "Nothing waits to be delivered.",
        ),
        ("Next month", "event_repeat", in_a_month, "The day of the next recurring charge."),
        (
            "Payout day",
            "account_balance",
            payout + A_MOMENT,
            f"Two midnights on ({local:%Z}): today is cut and reported, and its payout is paid a day later.",
        ),
        (
            f"Day {window + 1}",
            "event_busy",
            now + timedelta(days=window + 1),
            f"The {window} days in which KakaoPay takes refunds are over for everything paid until now.",
        ),
    ]


def advance(by: timedelta) -> None:
    def move() -> str:
        acts().advance(operator(), by)
        return "The clock was moved. Everything due on the way has happened."

    with st.spinner("Moving the clock; everything due on the way happens now"):
        attempt("clock", move)
    st.rerun()


def show_account(account: Account) -> None:
    with st.container(border=True):
        st.subheader("Account", anchor=False)
        hold("account_kakaopay", account.kakaopay)
        st.toggle(
            "KakaoPay is switched on",
            key="account_kakaopay",
            on_change=change_account,
            args=("kakaopay",),
            help="Off, every payment is refused as `payee_not_onboarded`.",
        )
        hold("account_currencies", account.currencies)
        st.selectbox(
            "Currencies the account takes",
            list(account.offers),
            format_func=lambda name: f"{OFFERS.get(name, name)}: {', '.join(account.offers[name])}",
            key="account_currencies",
            on_change=change_account,
            args=("currencies",),
            help="The dashboard goes on offering those of its settings, so a payment in another currency is refused.",
        )
        outcome("account")


def change_account(field: str) -> None:
    value = st.session_state[f"account_{field}"]

    def change() -> str:
        acts().set_account(operator(), **{field: value})
        return ""

    attempt("account", change)


def show_run(simulator: Board) -> None:
    with st.container(border=True):
        st.subheader("Run", anchor=False)
        st.caption("Ids, times and faults follow from the seed: the same seed and the same steps bring the same run.")
        st.code(simulator.seed(), language=None, wrap_lines=True)
        with st.container(horizontal=True, gap="small"):
            with st.popover("New run", icon=":material/restart_alt:", key="new_run", on_change="rerun"):
                st.warning(
                    "This empties the simulator. The dashboard keeps what it has recorded; a seed used before brings the "
                    "same ids again, whose events it takes for copies.",
                    icon=":material/warning:",
                )
                st.text_input("Seed", key="new_seed", placeholder="Any", max_chars=80)
                st.toggle(
                    "The clock stands still",
                    key="new_standing",
                    help="Then times repeat too. Nothing expires or is tried again until you move the clock. Needs a seed.",
                )
                st.button("Empty and start", on_click=begin, key="begin")
            st.download_button(
                "Save run",
                partial(acts().save, operator()),
                file_name="simulator-run.json",
                mime="application/json",
                icon=":material/download:",
                on_click="ignore",
            )
            with st.popover("Replay", icon=":material/play_circle:", key="replay_run", on_change="rerun"):
                st.warning(
                    "This empties the simulator and lives the saved run again; its events are delivered once more.",
                    icon=":material/warning:",
                )
                saved = st.file_uploader("Saved run", type="json", key="saved_run")
                if st.button("Empty and replay", disabled=saved is None, key="replay") and saved:
                    with st.spinner("Living the run again"):
                        attempt("run", lambda: replay(saved.getvalue()))
                    st.rerun()
        outcome("run")


def begin() -> None:
    seed = st.session_state["new_seed"].strip() or None
    standing = bool(st.session_state["new_standing"]) and seed is not None

    def start() -> str:
        acts().begin(operator(), seed, standing=standing)
        words_of_seed = f"on seed {words.plain(seed)}" if seed else "on a seed of its own"
        return f"A new run {words_of_seed} has begun, {'its clock stands still' if standing else 'in real time'}."

    if attempt("run", start):
        st.session_state["new_run"] = False


def replay(saved: bytes) -> str:
    run = acts().replay(operator(), saved)
    came_out = (
        "every event came out the same, to the byte"
        if run.same
        else "but the events differ from those of the saved run; a newer simulator may tell them otherwise"
    )
    return f"Replayed {run.inputs:,} inputs, which brought {run.events:,} events: {came_out}."


screen()
