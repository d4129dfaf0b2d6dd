"""Choosing days of one's own: the first and the last."""

from __future__ import annotations

from datetime import date, timedelta

import streamlit as st


def custom_days(today: date, at_first: int) -> tuple[date, date]:
    """First and last day of one's own choice; before one is made, so many days up to today."""
    chosen = st.date_input(
        "First and last day",
        (today - timedelta(days=at_first - 1), today),
        key="between",
        bind="query-params",
        format="YYYY-MM-DD",
        label_visibility="collapsed",
        width=260,
    )
    days = sorted(chosen) if isinstance(chosen, tuple) and chosen else [today]
    return days[0], days[-1]
