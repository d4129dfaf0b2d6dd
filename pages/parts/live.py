"""Screens that change by themselves: ask cheaply, draw again only when there is something new."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import wraps
from typing import ParamSpec

import streamlit as st

from pages.parts.session import let_in

P = ParamSpec("P")


def fragment(draw: Callable[P, None], *, run_every: float | None = None) -> Callable[P, None]:
    """`st.fragment`, in a container of its own.

    A fragment that runs right after the whole screen takes back what of it is not sent yet, and sends it anew once the
    screen is done. Until then the browser drops what stood there before, everything beside it moves up one place, and
    the fragment is drawn over what followed it. Here nothing does.
    """
    again = st.fragment(draw, run_every=run_every)  # noqa: TID251 - for all others

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        with st.container():
            again(*args, **kwargs)

    return drawn


def every(seconds: float) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """A fragment that runs again by itself."""

    def decorate(draw: Callable[P, None]) -> Callable[P, None]:
        return fragment(draw, run_every=seconds)  # a number: to read "1s", Streamlit loads pandas

    return decorate


def redraw_on_change(version: Callable[[], int], drawn: int, minute: int) -> None:
    """Draw the whole screen again once `version` is no longer `drawn`, when ages on it have moved by a minute, or when the
    person's sign-in has ended.

    Read `drawn` before the data: what changes in between is then drawn again rather than missed. Call it last: a container
    of its own would be a gap on the screen, and without one only what follows can be drawn over.
    """
    _look(version, drawn, minute, iter((True,)))


@st.fragment(run_every=1)  # noqa: TID251 - it stands last
def _look(version: Callable[[], int], drawn: int, minute: int, just_drawn: Iterator[bool]) -> None:
    """`just_drawn` is used up by the run of the whole screen, after which there is nothing to look for yet."""
    if next(just_drawn, False):
        return
    if version() != drawn or this_minute() != minute or not let_in():
        st.rerun()


def this_minute() -> int:
    """Minutes since 1970, as the second thing to compare."""
    return int(datetime.now(UTC).timestamp()) // 60
