"""What frames every screen: head with world sign, primary label, empty states, calm words when something fails."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from sqlalchemy.exc import SQLAlchemyError
from streamlit.delta_generator import DeltaGenerator

from lib.ledger.database import StoreUnavailable
from lib.operators import NotAllowed, Right
from lib.settings import SettingsError
from lib.sign_in import NotIn
from lib.world import World
from pages.parts.kept import kept
from pages.parts.session import desk, operator

PRODUCT = "KakaoPay desk"

_SIGNS: dict[World, tuple[str, str]] = {
    "simulator": ("science", "orange"),
    "sandbox": ("cloud", "blue"),
    "live": ("bolt", "red"),
}

_logger = logging.getLogger(__name__)


def tab_title(title: str, world: World) -> str:
    """The browser tab's title; `TEST ·` in front wherever no real money moves."""
    return f"{'' if world == 'live' else 'TEST · '}{title} · {PRODUCT}"


def page(title: str, purpose: str) -> None:
    """The head of a screen: title, the world we are in, and one sentence on what the screen is for."""
    settings = desk().settings
    _head(title, purpose, settings.world_words, settings.world)


@kept
def _head(title: str, purpose: str, world_words: str, world: World) -> None:
    with st.container(gap="xxsmall"):
        with heading_row():
            st.title(title, width="content", anchor=False)
            world_sign(world_words, world)
        st.caption(purpose)


def heading_row() -> DeltaGenerator:
    """A row with something at its left end and the world sign at its right end."""
    return st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small")


def world_sign(world_words: str, world: World) -> None:
    """The badge that says whether money is real."""
    icon, colour = _SIGNS[world]
    st.badge(world_words, icon=f":material/{icon}:", color=colour)


def primary(label: str, icon: str) -> str:
    """The label of a primary button: dark on KakaoPay yellow, legible whatever the mode makes of the button."""
    return f':color[\u2003:material/{icon}: {label}\u2003]{{foreground="#1E1B16" background="#FEE500"}}'


def empty(icon: str, title: str, text: str, link: tuple[str, str] | None = None) -> DeltaGenerator:
    """Nothing to show: what this place is for and the next step, in a box that is returned so that more can be put in it.

    `link` is a page's file in `pages/` and its label.
    """
    box = st.container(border=True, horizontal_alignment="center", gap="xsmall")
    with box:
        st.markdown(f"### :material/{icon}: {title}", text_alignment="center")
        st.markdown(text, text_alignment="center")
        if link:
            st.page_link(link[0], label=link[1], icon=":material/arrow_forward:", width="content")
    return box


def place() -> DeltaGenerator:
    """A container for what comes and goes above something that stays.

    The browser has an element by its place among its neighbours. Where one more comes, all below it move up by one, and
    until the last of them is drawn again the screen shows them twice, with buttons of both. In here nothing moves what
    follows; while nothing is in it, it takes no room.
    """
    return st.container()


def allowed(right: Right) -> bool:
    """Whether the acting person may use this screen; if not, they are told who may."""
    try:
        operator().require(right)
    except NotAllowed as error:
        empty("lock", "Not for your role", str(error))
        return False
    return True


@contextmanager
def guard() -> Iterator[None]:
    """Say calmly what is wrong and what to do, where Streamlit would show a traceback."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - the last place where a person can still be told something useful
        explain(error)


def explain(error: Exception) -> bool:
    """Show a person what failed and what to do; True, so that it also serves as `st.App(on_script_error=...)`."""
    if isinstance(error, SettingsError):
        st.error(
            "The settings cannot be used. Mend them in the environment or in `.env`, then start again.",
            icon=":material/settings_alert:",
        )
        st.code(str(error), language=None, wrap_lines=True)
    elif isinstance(error, NotAllowed | NotIn):
        st.warning(str(error), icon=":material/lock:")
    elif isinstance(error, StoreUnavailable):
        st.error(f"{error} {_logged('the store is out of reach', error)}", icon=":material/database_off:")
        _again()
    elif isinstance(error, SQLAlchemyError):
        said = _logged("the database failed", error)
        st.error(
            "The database did not answer. Nothing was changed that was not confirmed. "
            f"Wait a moment and load the page again. {said}",
            icon=":material/database_off:",
        )
        _again()
    else:
        said = _logged("unexpected failure", error)
        st.error(
            f"Something went wrong on our side, and this screen cannot be shown. Load the page again. {said}",
            icon=":material/error:",
        )
        _again()
    return True


def _logged(what: str, error: Exception) -> str:
    """Log a failure with all that is known of it under a number, and say that number, which is all a browser gets."""
    number = secrets.token_hex(4)
    _logger.error("%s %s", what, number, exc_info=error)
    return f"If it stays, give whoever runs this desk the number **{number}**, under which the log says what happened."


def _again() -> None:
    st.button("Load again", icon=":material/refresh:", key="load_again")
