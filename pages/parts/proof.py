"""The replay proof: all facts folded again beside the stored state, watched while it runs, its result in words."""

from __future__ import annotations

import streamlit as st

from lib.ledger.proof import Progress, Proof
from pages.parts import frame, live, words
from pages.parts.session import desk, operator


@st.cache_resource(show_spinner=False)
def proof() -> Proof:
    """The one proof of this process, which all sessions see."""
    return Proof(desk().database)


def show() -> None:
    """What the proof is, how the one under way stands, and what the last one found."""
    st.markdown(
        "Every figure on every screen is folded from the facts we hold: what webhooks said, what Checkout.com answered, "
        "and what people asked for here. This folds all of them again, beside, and compares row by row. It changes nothing."
    )
    progress = proof().progress
    if progress and progress.running:
        _watch()
        return
    if operator().may("audit"):
        label = frame.primary("Fold all facts again and compare", "replay")
        st.button(label, type="primary", on_click=_start, key="start_proof")
    if progress:
        _result(progress)


@live.every(0.5)
def _watch() -> None:
    progress = proof().progress
    if progress is None or not progress.running:
        st.rerun()
        return
    share = min(progress.compared / progress.of, 1.0) if progress.of else 0.0
    st.progress(share, text=f"{progress.compared:,} of about {progress.of:,} payments compared")
    st.button("Cancel", icon=":material/close:", on_click=_cancel, key="cancel_proof")


def _start() -> None:
    proof().start(operator())


def _cancel() -> None:
    proof().cancel(operator())


def _result(progress: Progress) -> None:
    found = progress.result
    if found is None:
        st.warning(f"No result. {words.plain(progress.problem or '')}", icon=":material/info:")
    elif found.differing:
        st.error(
            f"**{sentence(progress)}.** The facts are right, and screens show some rows that are not. "
            "Mend them with `python -m lib.ledger.rebuild`, and have somebody look at the log.",
            icon=":material/difference:",
        )
    else:
        st.success(
            f"**{sentence(progress)}.** What the screens show is what the facts say.", icon=":material/verified:"
        )
    if progress.ended_at:
        seconds = (progress.ended_at - progress.began_at).total_seconds()
        st.caption(f"Ended {words.when(progress.ended_at, desk().settings.zone)}, after {seconds:,.1f} seconds")


def sentence(progress: Progress) -> str:
    """`12,345 events, 3,210 payments, 0 rows differ`."""
    found = progress.result
    return f"{found.events:,} events, {found.payments:,} payments, {found.differing:,} rows differ" if found else ""
