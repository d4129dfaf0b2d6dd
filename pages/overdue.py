"""Overdue: what Checkout.com should have told us by now, the longest overdue first."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from lib.ledger.backfill import backfill_state
from lib.ledger.queries import payments_of, pulse
from lib.ledger.watchdog import Overdue, overdue
from pages.parts import frame, live, simulator, tables, words
from pages.parts.session import desk

MORE = 25
"""So many are shown, and so many more at each asking for more."""


def screen() -> None:
    database = desk().database
    drawn, minute = pulse(database), live.this_minute()
    frame.page(
        "Overdue",
        "What Checkout.com should have told us by now, the longest overdue first. It is asked again and again by itself.",
    )
    most = asked_for()
    late = overdue(database, simulator.now(), limit=most + 1)
    if late:
        show_list(late[:most])
        with frame.place():
            if len(late) > most:
                st.button(f"Show {MORE} more", icon=":material/expand_more:", on_click=ask_for, args=(most + MORE,))
    else:
        frame.empty(
            "task_alt",
            "Nothing is overdue",
            "Of every payment and refund we have heard all that was due by now.",
            ("payments.py", "Go to Payments"),
        )
    show_asking()
    live.redraw_on_change(lambda: pulse(database), drawn, minute)


def asked_for() -> int:
    """How many to show, as the address says; what it says wrongly counts for nothing."""
    said = st.query_params.get("most", "")
    return max(MORE, int(said)) if re.fullmatch(r"[0-9]{1,4}", said) else MORE


def ask_for(most: int) -> None:
    st.query_params["most"] = str(most)


def show_list(late: Sequence[Overdue]) -> None:
    found = payments_of(desk().database, (each.payment_id for each in late))
    rows = [(each, found[each.payment_id]) for each in late if each.payment_id in found]
    now = simulator.now()
    tables.payment_table(
        {
            "amount": [str(payment.money) for _, payment in rows],
            "status": [[words.status(payment.status).word] for _, payment in rows],
            "late": [words.ago(each.since, now) for each, _ in rows],
            "expected": [each.expected for each, _ in rows],
            "reference": [payment.reference or "" for _, payment in rows],
        },
        [payment.id for _, payment in rows],
        {
            "amount": tables.money_column(),
            "status": tables.sign_column(words.STATUSES),
            "late": st.column_config.TextColumn("Expected", width=88),
            "expected": st.column_config.TextColumn("What we have not heard", width="large"),
            "reference": st.column_config.TextColumn("Reference", width=150),
        },
        key="overdue",
        alt="What is overdue, the longest first; choose a payment to ask Checkout.com about it at once",
    )
    st.caption("Choose a payment to see it and to ask about it at once.")


def show_asking() -> None:
    """What the asking came to last."""
    state = backfill_state(desk().database)
    if state.problem:
        st.warning(f"The last asking broke off. {words.plain(state.problem)}", icon=":material/warning:")
    elif state.round_at:
        payments = "1 payment" if state.asked == 1 else f"{state.asked} payments"
        brought = {0: "nothing new", 1: "1 new fact"}.get(state.found, f"{state.found} new facts")
        st.caption(
            f"Checkout.com was last asked {words.when(state.round_at, desk().settings.zone)}, about {payments}: {brought}."
        )


screen()
