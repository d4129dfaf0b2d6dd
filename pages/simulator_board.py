"""Simulator: what goes wrong on purpose, what time it is there, and runs that repeat."""

from __future__ import annotations

from functools import partial

import streamlit as st

from lib.board import Account, BoardError, Run, State
from lib.ledger.queries import pulse
from pages.parts import fault_rows, frame, live, parcels, time_machine, words
from pages.parts.kept import kept
from pages.parts.session import desk, operator
from pages.parts.simulator import acts, attempt, board, change, hold, outcome

OFFERS = {
    "2022-08": "As documented in August 2022",
    "2024-07": "As documented since July 2024",
    "default": "Both together",
}
SILENT = -1
"""Not a version of anything: drawn while the simulator did not answer, and drawn again once it does."""


def screen() -> None:
    frame.page(
        "Simulator",
        "Let things go wrong on purpose, move its clock, and repeat a run: the dashboard must come out right.",
    )
    if not frame.allowed("simulate"):
        return
    minute = live.this_minute()
    try:
        state = board().state(parcels.chosen())
        drawn = version_of(state)
        show(state)
    except BoardError as error:
        drawn = SILENT
        frame.empty("power_off", "The simulator does not answer", words.plain(str(error)))
    live.redraw_on_change(version, drawn, minute)


def version() -> int:
    """What a redraw depends on; `SILENT` when the simulator does not say."""
    try:
        return version_of(board().state())
    except BoardError:
        return SILENT


def version_of(state: State) -> int:
    return state.pulse + pulse(desk().database)


def show(state: State) -> None:
    account = state.account
    left, right = st.columns([4, 3], gap="medium")
    with left:
        fault_rows.show(state.faults)
    with right:
        time_machine.show(state.clock, account.timezone)
        parcels.show_deliveries(state.deliveries, account.timezone)
        show_account(account)
        parcels.show_sources()
        show_run(state.run)


def show_account(account: Account) -> None:
    with st.container(border=True):
        st.subheader("Account", anchor=False)
        kakaopay = hold("account_kakaopay", account.kakaopay)
        st.toggle(
            "KakaoPay is switched on",
            account.kakaopay,
            key=kakaopay,
            on_change=change_account,
            args=("kakaopay", kakaopay),
            help="Off, every payment is refused as `payee_not_onboarded`.",
        )
        offers, currencies = list(account.offers), hold("account_currencies", account.currencies)
        st.selectbox(
            "Currencies the account takes",
            offers,
            offers.index(account.currencies),
            format_func=lambda name: f"{OFFERS.get(name, name)}: {', '.join(account.offers[name])}",
            key=currencies,
            on_change=change_account,
            args=("currencies", currencies),
            help="The dashboard goes on offering those of its settings, so a payment in another currency is refused.",
        )
        outcome("account")


def change_account(field: str, key: str) -> None:
    change("account", f"account_{field}", key, lambda value: acts().set_account(operator(), **{field: value}))


@kept
def head_of_run(seed: str) -> None:
    st.subheader("Run", anchor=False)
    st.caption("Ids, times and faults follow from the seed: the same seed and the same steps bring the same run.")
    st.code(seed, language=None, wrap_lines=True)


def show_run(run: Run) -> None:
    with st.container(border=True):
        head_of_run(run.seed)
        with st.container(horizontal=True, gap="small"):
            # What is in them is drawn once they are opened.
            new = st.popover("New run", icon=":material/restart_alt:", key="new_run", on_change="rerun")
            if new.open:
                with new:
                    offer_new_run()
            st.download_button(
                "Save run",
                partial(acts().save, operator()),
                file_name="simulator-run.json",
                mime="application/json",
                icon=":material/download:",
                on_click="ignore",
            )
            again = st.popover("Replay", icon=":material/play_circle:", key="replay_run", on_change="rerun")
            if again.open:
                with again:
                    offer_replay()
        outcome("run")


def offer_new_run() -> None:
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


def offer_replay() -> None:
    st.warning(
        "This empties the simulator and lives the saved run again; its events are delivered once more.",
        icon=":material/warning:",
    )
    saved = st.file_uploader("Saved run", type="json", key="saved_run")
    if st.button("Empty and replay", disabled=saved is None, key="replay") and saved:
        with st.spinner("Living the run again"):
            attempt("run", lambda: replay(saved.getvalue()))
        st.rerun()


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
