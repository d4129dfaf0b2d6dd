"""Screens that change by themselves: ask cheaply, draw again only when there is something new."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import streamlit as st

from pages.parts.session import let_in


def redraw_on_change(version: Callable[[], int], drawn: int, minute: int) -> None:
    """Draw the whole screen again once `version` is no longer `drawn`, when ages on it have moved by a minute, or when the
    person's sign-in has ended.

    Read `drawn` before the data: what changes in between is then drawn again rather than missed.
    """
    _look(version, drawn, minute, iter((True,)))


@st.fragment(run_every=1)  # a number: to read "1s", Streamlit loads pandas
def _look(version: Callable[[], int], drawn: int, minute: int, just_drawn: Iterator[bool]) -> None:
    """`just_drawn` is used up by the run of the whole screen, after which there is nothing to look for yet."""
    if next(just_drawn, False):
        return
    if version() != drawn or this_minute() != minute or not let_in():
        st.rerun()


def this_minute() -> int:
    """Minutes since 1970, as the second thing to compare."""
    return int(datetime.now(UTC).timestamp()) // 60
