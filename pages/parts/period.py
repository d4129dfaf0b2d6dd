"""A closed month: who closed it, its hash and rows, proving it again, and reopening it together with a colleague."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

import streamlit as st

from lib.ledger.closing import (
    CannotClose,
    Month,
    Period,
    ask_to_reopen,
    decide_reopening,
    recompute,
    sheet_text,
)
from lib.operators import NotAllowed
from pages.parts import frame, words
from pages.parts.session import desk, operator


def show(period: Period, after: Sequence[Month]) -> None:
    """`after` are the months that follow it."""
    zone = desk().settings.zone
    st.markdown(
        f"Closed by **{words.plain(period.closed_by)}** {words.when(period.closed_at, zone)}, "
        f"with {words_for(period.rows, 'row')}. SHA-256 of the rows:"
    )
    st.code(period.sha256, language=None, wrap_lines=True)
    with st.container(horizontal=True, gap="small"):
        if operator().may("download"):
            st.download_button(
                "Rows",
                partial(sheet_text, operator(), desk().database, period.id),
                f"{desk().settings.world}-{period.currency}-{period.month}.txt",
                "text/plain",
                icon=":material/download:",
                on_click="ignore",
                help="The very text whose SHA-256 this is: time, row, payment, action, minor units, count, month it is dated in",
                key="close_rows",
            )
        st.button(
            "Prove it again",
            icon=":material/verified:",
            help="Folds every fact known at the close once more and compares the hash",
            on_click=act,
            args=(partial(_prove, period),),
            key="close_prove",
        )
        if not period.reopen_asked_by and not any(month.period for month in after) and operator().may("close"):
            with st.popover("Reopen", icon=":material/lock_open:", key="close_reopen"), st.form("reopen", border=False):
                reason = st.text_area("Why", max_chars=1000, height=90, key="reopen_reason")
                st.caption("A second person with the role finance has to agree.")
                if st.form_submit_button("Ask to reopen"):
                    act(partial(_ask_to_reopen, period, reason))
                    st.rerun()
    if period.reopen_asked_by and period.reopen_asked_at:
        show_asking(period)


def show_asking(period: Period) -> None:
    asked_by = words.plain(period.reopen_asked_by or "")
    st.warning(
        f"{asked_by} asks to reopen this month, {words.when(period.reopen_asked_at or period.closed_at, desk().settings.zone)}: "
        f"{words.plain(period.reopen_reason or '')}",
        icon=":material/lock_clock:",
    )
    acting = operator()
    if not acting.may("close"):
        return
    mine = acting.name == period.reopen_asked_by
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Agree and reopen",
            icon=":material/lock_open:",
            disabled=mine,
            help="You asked for it, so another person has to agree." if mine else None,
            on_click=act,
            args=(partial(_decide, period, agree=True),),
            key="reopen_agree",
        )
        st.button(
            "Take it back" if mine else "Turn it down",
            on_click=act,
            args=(partial(_decide, period, agree=False),),
            key="reopen_decline",
        )
    if mine:
        st.caption("Another person with the role finance has to agree.")


def _ask_to_reopen(period: Period, reason: str) -> str:
    ask_to_reopen(operator(), desk().database, period.id or 0, reason)
    return "Asked. Another person with the role finance has to agree."


def _decide(period: Period, *, agree: bool) -> str:
    decide_reopening(operator(), desk().database, period.id or 0, agree=agree)
    month = f"{period.currency} {name(period.month)}"
    return f"{month} is open again." if agree else f"{month} stays closed."


def _prove(period: Period) -> str:
    proof = recompute(desk().database, desk().settlement_days, period)
    if not proof.holds:
        raise CannotClose(
            f"The rows kept give {proof.sheet_sha256[:12]}…, the facts {proof.sha256[:12]}…, and the month was closed "
            f"with {period.sha256[:12]}…. Somebody changed the database; compare it with a copy."
        )
    return f"Proved: the facts known at the close give the same {words_for(period.rows, 'row')} and the same hash."


def act(what: partial[str]) -> None:
    """Do something, and keep what came of it for the head of the screen."""
    try:
        st.session_state["close_said"] = (True, what())
    except (CannotClose, NotAllowed) as why:
        st.session_state["close_said"] = (False, str(why))


def tell() -> None:
    """What came of it, once."""
    well, said = st.session_state.pop("close_said", (True, ""))
    with frame.place():
        if said:
            (st.success if well else st.error)(
                words.plain(said), icon=":material/check_circle:" if well else ":material/error:"
            )


def name(month: str) -> str:
    """`January 2026`."""
    return f"{date.fromisoformat(f'{month}-01'):%B %Y}"


def words_for(number: int, noun: str) -> str:
    """`2 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
