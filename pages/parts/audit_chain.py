"""Whether the record of what people did is whole."""

from __future__ import annotations

from datetime import timedelta

import streamlit as st

from lib.ledger.audit import Chain
from lib.ledger.audit_log import follow, size
from pages.parts.session import desk, operator

AT_ONCE = 20_000
"""A log up to this long is followed whenever it is looked at; a longer one when somebody asks."""


def show() -> None:
    """Whether every entry still follows the one before."""
    long = size(desk().database, operator()) > AT_ONCE
    if long and not st.button("Follow the whole chain", icon=":material/link:", key="follow"):
        return
    chain = verdict()
    if chain.broken_at is None:
        entries_are = "1 entry" if chain.entries == 1 else f"{chain.entries:,} entries"
        st.success(f"The chain is whole: {entries_are}, none of them changed.", icon=":material/verified:")
    else:
        st.error(
            f"The chain is broken at entry **{chain.broken_at:,}**: {chain.why}. The {chain.entries:,} entries before it hold. "
            "Somebody changed the database by hand; keep a copy of it, and compare with the last backup.",
            icon=":material/link_off:",
        )


@st.cache_resource(ttl=timedelta(seconds=20), show_spinner="Following the chain…")
def verdict() -> Chain:
    return follow(desk().database, operator())
