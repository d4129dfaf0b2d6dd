"""Settings: what this dashboard runs with, and where each value comes from."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

import streamlit as st

from lib.disclosure import Shown
from lib.ledger.configured import configured
from pages.parts import frame, words
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
    for group, found in groupby(configured(desk(), operator()), key=lambda each: each.group):
        with st.container(border=True, gap="small"):
            st.subheader(group, anchor=False)
            show(found)
    st.caption(
        "Change a value in the environment, in `.env` or in Streamlit's secrets, and start again. "
        "The audit log notes every change."
    )


def show(found: Iterable[Shown]) -> None:
    """A row a setting, in columns of the same width in all groups, below each other on a phone."""
    for setting in found:
        named, held = st.columns([3, 2], gap="xxsmall")
        named.markdown(f"`{setting.name}`  \n:small[{setting.meaning}]")
        held.markdown(value(setting))


def value(setting: Shown) -> str:
    shown = words.plain(setting.value) if setting.value else "—"
    return f"{shown}  \n:small[:gray[{SOURCES[setting.source]}]]"


screen()
