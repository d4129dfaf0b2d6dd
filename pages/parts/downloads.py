"""Buttons that hand out rows of money as files, made when somebody asks for one."""

from __future__ import annotations

from functools import partial

import streamlit as st

from lib.ledger.export import Form, Selection, download
from pages.parts.session import desk, operator

_FORMS: tuple[tuple[Form, str, str, str, str], ...] = (
    ("csv", "CSV", "csv", "text/csv", "Every row, under filter, zone, totals and a SHA-256 of the rows"),
    (
        "xlsx",
        "Excel",
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "A sheet a currency, with control totals",
    ),
    ("journal", "Journal", "journal.csv", "text/csv", "Double entry: two postings a row, zero in each currency"),
)


def downloads(selection: Selection, *, key: str) -> None:
    """CSV, Excel and journal of a selection, for those who may take rows away."""
    acting = operator()
    if not acting.may("download"):
        return
    since, last = selection.since.astimezone(selection.zone), selection.until.astimezone(selection.zone)
    name = f"kakaopay-{'-'.join(selection.currencies)}-{since:%Y%m%dT%H%M}-{last:%Y%m%dT%H%M}"
    with st.container(horizontal=True, gap="xsmall", width="content"):
        for form, label, ending, mime, words in _FORMS:
            st.download_button(
                label,
                partial(download, acting, desk().database, selection, form, world=desk().settings.world_words),
                file_name=f"{name}.{ending}",
                mime=mime,
                key=f"{key}_{form}",
                icon=":material/download:",
                help=words,
                on_click="ignore",
            )
