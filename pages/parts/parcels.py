"""What the simulator has yet to deliver, to be sent again, and the stored sources whose customers may end the agreement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import streamlit as st

from lib.board import Parcel
from pages.parts import tables, words
from pages.parts.session import operator
from pages.parts.simulator import acts, attempt, board, outcome

STATES: Mapping[str, str] = {"waiting": "Waiting", "failed": "Given up", "": "All"}
NOTHING: Mapping[str, str] = {
    "waiting": "Nothing waits: every event was acknowledged.",
    "failed": "No event was given up. One is after the ninth try in vain.",
    "": "No event yet. Create a payment, and the first one is on its way.",
}
_WORDS: Mapping[str, str] = {
    "waiting": "waiting",
    "delivered": "delivered",
    "failed": "given up",
    "kept": "nobody to tell",
}
_SHOWN_SOURCES = 10
_WHICH, _FIRST = "which_parcels", "waiting"


def chosen() -> str:
    """In which state deliveries are shown; empty for all."""
    return st.session_state.get(_WHICH, _FIRST) or ""


def show_deliveries(found: Sequence[Parcel], zone: ZoneInfo) -> None:
    """Deliveries in the chosen state as the simulator sees them; choosing one sends it again."""
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader("Deliveries", anchor=False, width="content")
            st.segmented_control(
                "Which",
                list(STATES),
                default=_FIRST,
                required=True,
                format_func=STATES.__getitem__,
                key=_WHICH,
                label_visibility="collapsed",
            )
        outcome("deliveries")
        if found:
            _table(found, zone)
        else:
            st.caption(NOTHING[chosen()])


def tries(parcel: Parcel) -> str:
    """`2, last: refused 401, bad_signature`: how often it was tried and what came of it."""
    if not parcel.attempts:
        return "none yet"
    last = parcel.attempts[-1]
    status = f" {last.status}" if last.status is not None else ""
    faults = "".join(f", {name.replace('_', ' ')}" for name in last.faults)
    return f"{len(parcel.attempts)}, last: {last.outcome}{status}{faults}"


def _table(found: Sequence[Parcel], zone: ZoneInfo) -> None:
    ids = {words.short_id(parcel.id): parcel.id for parcel in found}
    tables.show_list(
        {
            "again": list(ids),
            "type": [parcel.type for parcel in found],
            "next": [words.stamp(parcel.next_at, zone) if parcel.next_at else "—" for parcel in found],
            "tries": [tries(parcel) for parcel in found],
            "payment": [words.short_id(parcel.payment_id) for parcel in found],
            "state": [_WORDS.get(parcel.state, parcel.state) for parcel in found],
            "occurred": [words.stamp(parcel.occurred_at, zone) for parcel in found],
        },
        {
            "again": st.column_config.ButtonColumn(
                "Send again", type="tertiary", alignment="left", width=130, key="again", on_click=_resend, args=(ids,)
            ),
            "type": st.column_config.TextColumn("Type", width=176),
            "next": st.column_config.TextColumn("Next try", width=130),
            "tries": st.column_config.TextColumn("Tries", width=260),
            "payment": st.column_config.TextColumn("Payment", width=140),
            "state": st.column_config.TextColumn("State", width=90),
            "occurred": st.column_config.TextColumn("Happened", width=130),
        },
        key="parcels",
        alt="Deliveries of the simulator, newest first; choose an event to send it again",
    )
    st.caption(f"The newest {len(found)}, times in {zone.key}. Choose an event to send it again at once.")


def _resend(ids: Mapping[str, str]) -> None:
    label = st.session_state["again"]["label"]

    def send() -> str:
        acts().resend(operator(), ids[label])
        return f"{label} is on its way again. Webhook events shows it arrive."

    if label in ids:
        attempt("deliveries", send)


def show_sources() -> None:
    """The stored sources of the newest payments. Read only once somebody opens the list."""
    with st.container(border=True):
        st.subheader("Stored sources", anchor=False)
        listed = st.expander("End a customer's agreement", key="sources", on_change="rerun")
        if listed.open:
            with listed:
                found = board().sources()
                if not found:
                    st.caption("None yet. The first payment of type Recurring stores one.")
                for source in found[:_SHOWN_SOURCES]:
                    with st.container(
                        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", gap="small"
                    ):
                        st.markdown(
                            f"{words.plain(source.customer)}  \n"
                            f":gray[:small[{words.short_id(source.id)}, newest {words.plain(source.reference)}]]",
                            width="content",
                        )
                        st.button("Revoke", key=f"revoke_{source.id}", on_click=_revoke, args=(source.id,))
        outcome("sources")


def _revoke(source_id: str) -> None:
    def end() -> str:
        acts().revoke(operator(), source_id)
        return f"{words.short_id(source_id)} is revoked: the next charge is refused as source_id_unknown."

    attempt("sources", end)
