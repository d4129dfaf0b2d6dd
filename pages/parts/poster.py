"""A word to be read across a room: a picture, since Streamlit has no type of that size."""

from __future__ import annotations

import base64
from html import escape
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

Colour = Literal["yellow", "blue", "green", "red", "grey"]
_PLATES: dict[Colour, tuple[str, str]] = {
    "yellow": ("#FEE500", "#1E1B16"),
    "blue": ("#0B5CAD", "#FFFFFF"),
    "green": ("#0B7A55", "#FFFFFF"),
    "red": ("#B3261E", "#FFFFFF"),
    "grey": ("#5C5850", "#FFFFFF"),
}
"""Ground and letters, far enough apart in both modes."""


_TYPEFACES = "'Source Sans 3', 'Source Sans Pro', Helvetica, Arial, sans-serif"
"""In quotes, without which a browser drops the whole list for the digit in it, and sets the word in a serif."""


def show(word: str, line: str, colour: Colour) -> None:
    """`word` large, `line` below it."""
    ground, ink = _PLATES[colour]
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 240">'
        f'<rect width="640" height="240" rx="20" fill="{ground}"/>'
        f'<g fill="{ink}" font-family="{_TYPEFACES}" text-anchor="middle">'
        f'<text x="320" y="128" font-size="{_fitting(84, word)}" font-weight="700">{escape(word)}</text>'
        f'<text x="320" y="192" font-size="{_fitting(38, line)}">{escape(line)}</text></g></svg>'
    )
    data = base64.b64encode(svg.encode()).decode()
    st.image(f"data:image/svg+xml;base64,{data}", width="stretch", alt=f"{word}: {line}")


def stage() -> DeltaGenerator:
    """The middle of a screen, for a word that is shown alone: as wide as leaves the keys below it in sight on a projector."""
    return st.columns([1, 6, 1])[1]


def _fitting(size: int, text: str) -> int:
    """A size of letters at which a text surely fits the plate, in whatever typeface the browser has."""
    return min(size, 860 // max(len(text), 1))
