"""Tables: long lists, of which some open a payment, their columns, and small tables of money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import streamlit as st

from lib.money import Money
from pages.parts.kept import kept
from pages.parts.words import Sign, short_id

AMOUNT_WIDTH = 118
FIGURE_WIDTH = 110
"""Of amounts whose currency stands in the head: two of them fit beside a day on a phone."""


def money_column(label: str = "Amount", width: int = AMOUNT_WIDTH) -> Any:
    """Amounts as text, `HKD 1,100.00`, flush right."""
    return st.column_config.TextColumn(label, width=width, alignment="right")


def sign_column(signs: Mapping[str, Sign], label: str = "Status", width: int = 138) -> Any:
    """Coloured chips; the cells are lists of one word, `[sign.word]`."""
    words = {sign.word: sign.colour for sign in signs.values()}
    return st.column_config.MultiselectColumn(label, width=width, options=list(words), color=list(words.values()))


def show_list(columns: Mapping[str, Sequence[Any]], config: Mapping[str, Any], *, key: str, alt: str) -> None:
    """A list with all its rows in sight. `columns` are cells by the column's name, `config` says how they look."""
    import pyarrow as pa  # noqa: PLC0415 - a first screen without rows comes without it

    st.dataframe(
        pa.table(dict(columns)),  # as it is sent; by way of pandas it took five times as long
        column_config=dict(config),
        height="content",
        row_height=36,
        hide_index=True,
        key=key,
        alt=alt,
    )


@kept
def statement(entries: Sequence[tuple[str, str, int]], currency: str, *, alt: str) -> None:
    """An account in a few lines: what it is, how many, and minor units of `currency`."""
    import pandas as pd  # noqa: PLC0415 - the overview uses this module too, and comes without a tenth of a second of it

    # The count stands beside its entry: in a column of its own it stood elsewhere in each of several statements.
    # Amounts stay integers, because only numbers are set flush right.
    lines = [(f"{entry} :gray[:small[· {count}]]" if count else entry, minor) for entry, count, minor in entries]
    account = pd.DataFrame(lines, columns=["entry", "amount"])
    st.table(
        account.style.format(lambda minor: str(Money(minor, currency)), subset=["amount"]),
        border="horizontal",
        hide_index=True,
        hide_header=True,
        alt=alt,
    )


def payment_table(
    columns: Mapping[str, Sequence[Any]], payment_ids: Sequence[str], config: dict[str, Any], *, key: str, alt: str
) -> None:
    """A list of amounts and more that ends in shortened payment ids; an amount, which also a phone has in sight, and an
    id open the payment.

    The ids of the rows on the person's screen are remembered, so that a list which grew meanwhile opens the right one.
    """
    shown = st.session_state.get(f"{key}_ids", [])
    click = st.session_state.get(f"{key}_open") or st.session_state.get(f"{key}_amount")
    if click and click["row"] < len(shown) and shown[click["row"]]:
        st.switch_page("payment.py", query_params={"id": shown[click["row"]]})
    st.session_state[f"{key}_ids"] = list(payment_ids)
    opener = st.column_config.ButtonColumn("Payment", type="tertiary", alignment="left", width=150, key=f"{key}_open")
    amount = st.column_config.ButtonColumn(
        "Amount", type="tertiary", alignment="right", width=AMOUNT_WIDTH, key=f"{key}_amount"
    )
    shown = {**columns, "payment": [short_id(identifier) for identifier in payment_ids]}
    show_list(shown, {**config, "amount": amount, "payment": opener}, key=key, alt=alt)


def open_rows(currency: str, since: datetime, until: datetime, zone: ZoneInfo) -> None:
    """Go to the rows of money of a currency from `since` to before `until`."""
    ends = {name: f"{edge.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for name, edge in (("since", since), ("until", until))}
    # Not `zone`: that one belongs to the overview's own choice, and nobody else may set it.
    st.switch_page("money_rows.py", query_params={"currency": currency, **ends, "tz": zone.key})


def turn_pages(newer: str | None, older: str | None, *, key: str, names: tuple[str, str] = ("Newer", "Older")) -> None:
    """Buttons to the pages beside this one, by default Newer and Older; the page is in the address as `cursor`."""
    with st.container(horizontal=True, gap="xsmall", width="content"):
        sides: tuple[Literal["left", "right"], ...] = ("left", "right")
        for name, side, cursor in zip(names, sides, (newer, older), strict=True):
            st.button(
                name,
                icon=f":material/chevron_{side}:",
                icon_position=side,
                disabled=cursor is None,
                on_click=_turn_to,
                args=(cursor,),
                key=f"{key}_{name}",
            )


def _turn_to(cursor: str | None) -> None:
    if cursor is not None:
        st.query_params["cursor"] = cursor
