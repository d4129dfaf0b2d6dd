"""The simulator's control board for the screens: where it is, whether it answers, and what came of the last action."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import streamlit as st

from lib.board import Board, BoardError
from lib.operators import NotAllowed
from lib.settings import SIMULATOR_PATH
from pages.parts import frame
from pages.parts.session import desk, operator

if TYPE_CHECKING:
    from lib.board_acts import BoardActs

_SAID = "simulator_said"


@st.cache_resource(show_spinner=False)
def board() -> Board:
    """The board of the simulator that the app points at."""
    own = f"http://127.0.0.1:{st.get_option('server.port')}{SIMULATOR_PATH}"
    return Board(desk().settings.checkout_base_url or own)


def acts() -> BoardActs:
    """What people do at the board."""
    from lib.board_acts import BoardActs  # noqa: PLC0415 - brings the audit log, for which no first screen has a use

    return BoardActs(board(), desk().database)


def in_reach() -> bool:
    """Whether there is a board to show: the app points at a simulator, and that one has one, as the one inside does."""
    settings = desk().settings
    return settings.embedded_simulator or (settings.world == "simulator" and _answers())


@st.cache_resource(ttl=timedelta(seconds=10), show_spinner=False)
def _answers() -> bool:
    return board().answers()


def now() -> datetime:
    """The time in the world that the payments live in: the simulator's, when its clock was moved ahead of ours."""
    return datetime.now(UTC) + _ahead()


@st.cache_resource(ttl=timedelta(seconds=10), show_spinner=False)
def _ahead() -> timedelta:
    try:
        clock = board().state().clock if in_reach() else None
    except BoardError:
        clock = None
    return max(timedelta(0), clock.now - datetime.now(UTC)) if clock else timedelta(0)


def offer_sample_data() -> None:
    """Where there is nothing to see: a way to something, for those who may, and only in the simulator's world."""
    if desk().settings.world == "simulator" and operator().may("simulate"):
        st.page_link("sample_data.py", label="Fill with sample data", icon=":material/auto_awesome:", width="content")


def attempt(place: str, action: Callable[[], str]) -> bool:
    """Do something and remember what came of it, to be shown at `place`: the sentence of `action`, or what went wrong."""
    try:
        st.session_state[_SAID] = (place, True, action())
    except (BoardError, NotAllowed) as error:
        st.session_state[_SAID] = (place, False, str(error))
        return False
    _ahead.clear()
    return True


def outcome(place: str) -> None:
    """Say what came of the last action, if it was one of this place and there is anything to say."""
    where, well, sentence = st.session_state.get(_SAID, ("", True, ""))
    with frame.place():
        if where == place and sentence:
            if well:
                st.success(sentence, icon=":material/check_circle:")
            else:
                st.error(sentence, icon=":material/error:")


def hold(name: str, value: object) -> str:
    """The key of the widget `name`, to be drawn with `value`, which the simulator says, as its default.

    When the simulator says otherwise it is another widget. A value written into one that is there goes to the browser
    once, and is lost when a click cuts that run short. The browser then sends what it shows along with the next click,
    and what nobody chose would be taken for a person's change.
    """
    number, shown = st.session_state.get(_held(name), (0, value))
    if shown != value:
        number += 1
    st.session_state[_held(name)] = number, value
    return f"{name}_{number}"


def change(place: str, name: str, key: str, act: Callable[[Any], None]) -> None:
    """Have the simulator follow the widget `name`, which a person moved. Refused, it shows again what the simulator says.

    A browser that has not heard yet of what it should show tells of that as if it had just been chosen.
    """
    number, shown = st.session_state[_held(name)]
    if key != f"{name}_{number}" or (value := st.session_state[key]) == shown:
        return

    def follow() -> str:
        act(value)
        return ""

    # Followed, it stays the same widget, so that who moves it by keyboard does not lose it.
    well = attempt(place, follow)
    st.session_state[_held(name)] = (number, value) if well else (number + 1, shown)


def _held(name: str) -> str:
    return f"{name}_held"
