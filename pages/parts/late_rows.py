"""Rows that were heard of after their month was closed."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.ledger.closing import Row
from lib.money import Money
from pages.parts import tables, words
from pages.parts.session import desk

MOST = 50
KINDS = {"capture": "Capture", "refund": "Refund", "untold": "Refund, by totals"}


def show(told: Sequence[tuple[str, Row]], pointer: str, currency: str, key: str) -> None:
    """The rows, each with what `pointer` names: the month or the day to which it belongs otherwise."""
    listed, zone = told[:MOST], desk().settlement_days.zone
    tables.payment_table(
        {
            "amount": [str(Money(row.amount, currency)) for _, row in listed],
            "kind": [KINDS.get(row.kind, row.kind) for _, row in listed],
            "pointer": [pointed for pointed, _ in listed],
            "at": [words.stamp(row.at, zone) for _, row in listed],
        },
        [row.payment_id for _, row in listed],
        {
            "amount": tables.money_column(),
            "kind": st.column_config.TextColumn("What", width=100),
            "pointer": st.column_config.TextColumn(pointer, width=120),
            "at": st.column_config.TextColumn("Happened", width=170),
        },
        key=f"late_{key}",
        alt=f"Rows with what they are {pointer.lower()}; one opens its payment",
    )
    if len(told) > MOST:
        st.caption(f"The first {MOST} of {len(told)} are shown.")
