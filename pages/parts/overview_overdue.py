"""The overview's word of what is overdue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st

from lib.ledger.watchdog import count_overdue
from pages.parts.kept import kept
from pages.parts.session import desk

MOST = 100


def show(pulse: int) -> None:
    """A link to what is overdue, if anything is. `pulse` is that of the ledger, as it is drawn."""
    late = counted(pulse=pulse)
    if late:
        link(late)


@kept
def link(late: int) -> None:
    count = f"{late}+" if late == MOST else late
    waits = "1 payment waits" if late == 1 else f"{count} payments wait"
    st.page_link(
        "overdue.py",
        label=f"{waits} for news longer than expected",
        icon=":material/hourglass_bottom:",
        width="content",
    )


@st.cache_resource(ttl=timedelta(seconds=10), max_entries=10, show_spinner=False)
def counted(pulse: int) -> int:  # noqa: ARG001 - it tells the answers apart
    """Counted anew with whatever is heard, and every ten seconds: until then the counting would find the same."""
    return count_overdue(desk().database, datetime.now(UTC), limit=MOST)
