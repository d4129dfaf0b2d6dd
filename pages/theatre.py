"""Incident theatre: webhooks go down in the lunch rush, and everybody watches that nothing is lost."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from lib.demo.calendar import ZONE
from lib.demo.filling import SampleProblem, check_world
from lib.demo.theatre import Scene, Theatre
from lib.money import Money
from lib.operators import NotAllowed
from pages.parts import charts, frame, live, words
from pages.parts.session import desk, operator

ACTS = {
    "setting": ("theater_comedy", "The stage is being set: a simulator, a receiver and a ledger of their own"),
    "rush": ("restaurant", "Noon. Customers pay, and every payment is known here at once"),
    "outage": (
        "cloud_off",
        "Webhooks are down for ten minutes. Customers go on paying, and the watchdog asks by itself",
    ),
    "healing": ("healing", "Webhooks are back. What was lost comes again, late; the watchdog has not waited for it"),
    "proof": ("fact_check", "The curtain falls. All facts are folded again and compared"),
}
_SAID = "theatre_said"


@st.cache_resource(show_spinner=False)
def theatre() -> Theatre:
    """The one theatre of this process, which all sessions watch."""
    return Theatre(desk())


def screen() -> None:
    frame.page(
        "Incident theatre",
        "Webhooks are down for ten minutes in the lunch rush. Watch what the desk knows, and what it does about it.",
    )
    if not frame.allowed("simulate"):
        return
    try:
        check_world(desk().settings)
    except SampleProblem as why:
        frame.empty("block", "Not here", str(why))
        return
    with frame.place():
        if problem := st.session_state.pop(_SAID, ""):
            st.error(words.plain(problem), icon=":material/error:")
    scene = theatre().scene
    if theatre().playing:
        watch()
        return
    again = scene is not None
    label = frame.primary("Play it again" if again else "Play", "replay" if again else "play_arrow")
    st.button(label, type="primary", on_click=attempt, args=(theatre().play,), key="play")
    if scene is None:
        introduce()
    elif scene.problem:
        st.warning(f"No ending. {words.plain(scene.problem)}", icon=":material/info:")
    else:
        ending(scene)


def introduce() -> None:
    with st.container(border=True):
        st.markdown(
            "About 180 customers pay between 12:00 and 12:12 on the simulator's clock, in a minute or two of yours. From "
            "12:02 on the fault board drops every webhook. After ten seconds of silence the watchdog fires, and the backfill "
            "asks for what nobody told us. In the end all facts are folded again, and the currency totals of both sides are "
            "laid side by side."
        )
        st.caption(
            "The play has a simulator, a receiver and a ledger of its own and leaves nothing behind: yours are not touched. "
            "It runs on a fixed seed, so the same payments, events and totals come out every time, to the byte; only how "
            "quickly the watchdog gets to each of them differs."
        )


@live.every(0.5)
def watch() -> None:
    scene = theatre().scene
    if scene is None or not theatre().playing:
        st.rerun()
        return
    icon, sentence = ACTS.get(scene.act, ACTS["proof"])
    st.subheader(f":material/{icon}: {sentence}", anchor=False)
    figures(scene)
    lines(scene)
    st.button("Stop", icon=":material/stop:", on_click=attempt, args=(theatre().stop,), key="stop")


def figures(scene: Scene) -> None:
    values = {
        f"Its clock, {scene.clock.astimezone(ZONE):%Z}": f"{scene.clock.astimezone(ZONE):%H:%M:%S}",
        "Paid by customers": f"{scene.paid:,}",
        "Known here": f"{scene.known:,}",
        "Missing": f"{scene.missing:,}",
        "Overdue": f"{scene.overdue:,}",
        "Facts found by asking": f"{scene.found:,}",
        "Webhooks received": f"{scene.deliveries:,}",
    }
    with st.grid(len(values), min_column_width=120, gap="small"):
        for name, value in values.items():
            st.metric(name, value)


def lines(scene: Scene) -> None:
    st.markdown("**Is every payment known here once its customer has paid?** :gray[:small[Payments, by the minute]]")
    charts.two_lines(
        [second / 60 for second, _, _ in scene.history],
        {"Paid by customers": [paid for _, paid, _ in scene.history], "Known here": [k for _, _, k in scene.history]},
        title="Minutes after noon",
        until=18,
        alt=f"Payments over time: {scene.paid} paid by customers, {scene.known} known here.",
        key="theatre_lines",
    )


def ending(scene: Scene) -> None:
    figures(scene)
    found = scene.comparison
    if found and scene.ties and not found.differing:
        st.success(
            f"**Nothing is missing.** {found.events:,} facts, {found.payments:,} payments, "
            f"{found.differing:,} rows differ. The currency totals tie.",
            icon=":material/verified:",
        )
    else:
        st.error(
            f"**Something differs.** {scene.missing:,} payments are missing, "
            f"{found.differing if found else 0:,} rows differ. Have somebody look at the log.",
            icon=":material/difference:",
        )
    lines(scene)
    left, right = st.columns(2, gap="medium")
    with left:
        st.subheader("Captured by currency", anchor=False)
        both_sides(scene)
    with right:
        st.subheader("Fingerprint of the play", anchor=False)
        st.code(scene.fingerprint or "", language=None, wrap_lines=True)
        if scene.before is None:
            st.caption("SHA-256 of every event and every payment's figures. Play it again: it comes out the same.")
        elif scene.before == scene.fingerprint:
            st.markdown(":material/check_circle: The same as that of the play before, to the byte.")
        else:
            st.markdown(
                ":material/difference: Not that of the play before. The settings or the program changed meanwhile."
            )


def both_sides(scene: Scene) -> None:
    """What was captured by currency, as integers, because only numbers are set flush right."""
    currencies = sorted(scene.there)
    sides = {"Simulator": scene.there, "Ledger": scene.here}
    minor = {name: [side[each].minor if each in side else 0 for each in currencies] for name, side in sides.items()}
    table = pd.DataFrame({"Currency": currencies, **minor})
    style = table.style
    for row, currency in enumerate(currencies):
        style = style.format(
            lambda amount, currency=currency: str(Money(amount, currency)), subset=([row], list(minor))
        )
    alt = "What was captured, according to the simulator and to the ledger"
    st.table(style, border="horizontal", hide_index=True, alt=alt)


def attempt(act: Callable[..., None]) -> None:
    try:
        act(operator())
    except (SampleProblem, NotAllowed) as error:
        st.session_state[_SAID] = str(error)


screen()
