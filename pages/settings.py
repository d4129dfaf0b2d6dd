"""Settings: what this dashboard runs with, and where each value comes from."""

from __future__ import annotations

from itertools import groupby

import streamlit as st

from lib.disclosure import Shown
from lib.ledger.configured import configured
from pages.parts import frame, words
from pages.parts.session import desk, operator

SOURCES = {
    "environment": "environment",
    ".env": ".env file",
    "secrets.toml": "Streamlit's secrets",
    "default": "default",
}


def screen() -> None:
    frame.page("Settings", "What this dashboard runs with. Keys and passwords are masked.")
    if not frame.allowed("keys"):
        return
    for group, found in groupby(configured(desk(), operator()), key=lambda each: each.group):
        with st.container(border=True, gap="xsmall"):
            st.subheader(group, anchor=False)
            show(group, list(found))
    st.caption(
        "Change a value in the environment, in `.env` or in Streamlit's secrets, and start again. "
        "The audit log notes every change."
    )


def show(group: str, found: list[Shown]) -> None:
    st.table(
        {
            "Setting": [f"`{each.name}`  \n:small[{each.meaning}]" for each in found],
            "Value": [value(each) for each in found],
        },
        border="horizontal",
        hide_index=True,
        alt=f"{group}: every setting with its meaning, its value and where it comes from",
    )


def value(setting: Shown) -> str:
    shown = words.plain(setting.value) if setting.value else "—"
    return f"{shown}  \n:small[:gray[{SOURCES[setting.source]}]]"


screen()
