"""The head of a currency's card on the overview: its net, what that is made of, and how it moved."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import streamlit as st

from lib.ledger.periods import change
from lib.money import MINUS, Money
from pages.parts import words
from pages.parts.kept import kept


@kept
def show(
    net: Money, before: Money, captured: tuple[Money, int], refunded: tuple[Money, int], first: date, last: date
) -> None:
    """What came in and went back in the days from `first` to `last`, and what did in as many days before."""
    currency, moved = net.currency, change(net, before)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f":small[{words.dot(currency)} **{words.plain(currency)}** net]", width="content")
        st.page_link(
            "payments.py",
            label=":small[Payments]",
            icon=":material/chevron_right:",
            icon_position="right",
            help=f"Payments in {currency} requested in these days",
            query_params={
                "currency": currency,
                "since": first.isoformat(),
                "until": last.isoformat(),
            },
        )
    st.metric(
        f"{currency} net",
        str(net),
        label_visibility="collapsed",
        delta=percent(moved) if moved is not None else str(before) if before else "nothing",
        delta_color="green" if moved and moved > 0 else "red" if moved else "off",
        delta_arrow="up" if moved and moved > 0 else "down" if moved else "off",
        delta_description=compared((last - first).days + 1, vs=moved is not None),
    )
    st.caption(
        f"Captured {captured[0]} in {words.counted(captured[1], 'payment')}  \n"
        f"Refunded {-refunded[0]} in {words.counted(refunded[1], 'refund')}"
    )


def compared(days: int, *, vs: bool) -> str:
    """What follows the change, or what there was before where no change can be told."""
    if days == 1:
        return "vs the day before" if vs else "on the day before"
    return f"vs {days} days before" if vs else f"in the {days} days before"


def percent(moved: Decimal) -> str:
    return f"{moved:+,}%".replace("-", MINUS) if moved else "no change"
