"""Settings: what this dashboard runs with, and where each value comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import streamlit as st

from lib.disclosure import Shown
from lib.ledger.configured import configured
from pages.parts import frame, words
from pages.parts.kept import kept
from pages.parts.session import desk, operator

SOURCES = {
    "environment": "from the environment",
    ".env": "from the .env file",
    "secrets.toml": "from Streamlit's secrets",
    "default": "default",
}


def screen() -> None:
    frame.page("Settings", "What this dashboard runs with. Keys and passwords are masked.")
    if not frame.allowed("keys"):
        return
    show(list(configured(desk(), operator())))


@kept
def show(settings: Sequence[Shown]) -> None:
    for group, found in groupby(settings, key=lambda each: each.group):
        with st.container(border=True, gap="small"):
            st.subheader(group, anchor=False)
            show_group(found)
    st.caption(
        "Change a value in the environment, in `.env` or in Streamlit's secrets, and start again. "
        "The audit log notes every change."
    )


def show_group(found: Iterable[Shown]) -> None:
    """A row a setting, in columns of the same width in all groups, below each other on a phone."""
    for setting in found:
        named, held = st.columns([3, 2], gap="xxsmall")
        named.markdown(f"`{setting.name}`  \n:small[{setting.meaning}]")
        held.markdown(value(setting))


def value(setting: Shown) -> str:
    nothing = "not set" if setting.source == "default" else "left empty"
    shown = words.plain(setting.value) if setting.value else f":gray[{nothing}]"
    return f"{shown}  \n:small[:gray[{SOURCES[setting.source]}]]"


screen()
