"""What was drawn once is sent again as it was, wherever it stands now.

Streamlit's own caches draw again too, but make each element anew: its message is put together, hashed and noted for other
caches. That took longer than all that a screen reads from the ledger, so the finished messages are kept here instead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import islice
from threading import Lock
from typing import NamedTuple, ParamSpec

import streamlit as st
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ScriptRunContext, enqueue_message

P = ParamSpec("P")
_MOST = 1000
"""Drawings that are kept; a few kilobytes each."""


class _Drawing(NamedTuple):
    """Messages with where each stands, counted from where the drawing begins; `places` is how many it takes up itself."""

    messages: list[tuple[tuple[int, ...], ForwardMsg]]
    places: int


_drawings: dict[str, _Drawing] = {}
_lock = Lock()


def kept(draw: Callable[P, None]) -> Callable[P, None]:
    """For functions that draw and look at nothing but their arguments and the browser's mode, light or dark: what they drew
    is sent again for the same ones.

    The arguments' `repr` must say all that they are. Neither widgets, whose values Streamlit has to know of, nor pictures,
    whose files it keeps for as long as somebody shows them, belong into such a function.
    """
    name = f"{draw.__module__}.{draw.__qualname__}"

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
        context = get_script_run_ctx()
        if context is None:
            draw(*args, **kwargs)
            return
        what = f"{st.context.theme.type} {name} {args!r} {kwargs!r}"
        with _lock:
            known = _drawings.pop(what, None)
            if known:  # and put back as the one that was used last
                _drawings[what] = known
        if known:
            _send(known)
            return
        made = _watched(context, lambda: draw(*args, **kwargs))
        with _lock:
            _drawings[what] = made
            for oldest in list(islice(_drawings, max(0, len(_drawings) - _MOST))):
                del _drawings[oldest]

    return drawn


def _send(drawing: _Drawing) -> None:
    cursor = st._main._active_dg._cursor
    assert cursor
    *before, first = cursor.delta_path
    for place, message in drawing.messages:
        again = ForwardMsg()
        again.CopyFrom(message)
        again.metadata.delta_path[:] = (*before, first + place[0], *place[1:])
        enqueue_message(again)
    for _ in range(drawing.places):
        cursor.lock_element()


def _watched(context: ScriptRunContext, draw: Callable[[], None]) -> _Drawing:
    """Draw, and keep what was sent."""
    cursor = st._main._active_dg._cursor
    assert cursor
    depth, first = len(cursor.parent_path) + 1, cursor.index
    sent: list[ForwardMsg] = []
    enqueue = context.enqueue

    def watch(message: ForwardMsg) -> None:
        enqueue(message)
        copy = ForwardMsg()
        copy.CopyFrom(message)  # with its hash, for which the whole message was looked at
        copy.delta.ClearField("fragment_id")
        copy.metadata.ClearField("agent_props")
        sent.append(copy)

    context.enqueue = watch  # type: ignore[method-assign]
    try:
        draw()
    finally:
        context.enqueue = enqueue  # type: ignore[method-assign]
    places = [tuple(message.metadata.delta_path)[depth:] for message in sent]
    return _Drawing(
        [((place[0] - first, *place[1:]), message) for place, message in zip(places, sent, strict=True)],
        cursor.index - first,
    )
