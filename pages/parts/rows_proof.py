"""The proof that rows of money add up to the figure above them, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from lib.ledger.sums import Tie, tie
from pages.parts import words
from pages.parts.session import desk


@st.cache_resource(ttl=timedelta(seconds=10), max_entries=100, show_spinner=False)
def proof(*, pulse: int, currency: str, since: datetime, until: datetime) -> Tie:  # noqa: ARG001 - it tells the answers apart
    """Added up anew with whatever is heard, and every ten seconds: who turns pages meanwhile has the same rows proved."""
    return tie(desk().database, currency, since, until)


def show(proof: Tie) -> None:
    rows = proof.rows
    said = (
        f"captured {rows.captured} in {words.counted(rows.captured_count, 'payment')}, "
        f"refunded {-rows.refunded} in {words.counted(rows.refunded_count, 'refund')}, net {rows.net}"
    )
    if proof.holds:
        st.markdown(f":green[:material/check_circle:] **The rows add up to the figure**: {said}", width="content")
    else:
        st.error(
            f"The rows come to {said}, but the figure says captured {proof.figure.captured}, refunded "
            f"{proof.figure.refunded}. Run `python -m lib.ledger.rebuild`, and trust neither until then.",
            icon=":material/error:",
        )
