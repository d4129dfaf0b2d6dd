"""The last step of a presentation: what one payment did to the money, a card a currency."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lib.ledger.showcase import Change, sums_changed
from lib.ledger.tables import Payment
from lib.money import Money
from pages.parts import live, poster, words
from pages.parts.kept import kept
from pages.parts.session import desk


@live.every(1)
def show(payment: Payment) -> None:
    """Sums without this payment and with it: that of its own currency large and in full, then the others."""
    changes = sums_changed(desk().database, payment.id, desk().settings.zone)
    own = changes.get(payment.currency or "")
    large, beside = st.columns(2, gap="large", vertical_alignment="center")
    with large:
        if own:
            poster.show(str(own.now.net), f"before: {own.without.net}", "green" if own.now != own.without else "grey")
        if own is None or own.now == own.without:
            st.header("This payment has moved no money: it waits for its customer, or ended unpaid.", anchor=False)
    if own:
        with beside:
            card(own.now.currency, own)
    others = sorted(changes.keys() - {payment.currency})
    if others:
        with st.grid(max(3, min(len(others), 5)), min_column_width=220, gap="small"):
            for currency in others:
                card(currency, changes[currency])
    st.caption("Since the day on which the payment was asked for; “before” leaves this payment out.")


def card(currency: str, change: Change) -> None:
    with st.container(border=True, height="stretch"):
        st.markdown(f"{words.dot(currency)} **{words.plain(currency)}** net")
        moved = change.now.net - change.without.net
        st.metric(
            f"{currency} net",
            str(change.now.net),
            delta=str(moved) if moved else "no change",
            delta_color="green" if moved else "off",
            delta_arrow="up" if moved else "off",
            delta_description="by this payment",
            label_visibility="collapsed",
        )
        before, now = (
            (sums.captured.minor, -sums.refunded.minor, sums.net.minor) for sums in (change.without, change.now)
        )
        compare(currency, before, now)


@kept
def compare(currency: str, before: tuple[int, int, int], now: tuple[int, int, int]) -> None:
    """Minor units captured, refunded and both together."""
    table = pd.DataFrame({"": ["Captured", "Refunded", "**Net**"], "Before": before, "Now": now})
    figures = table.style.format({name: lambda minor: Money(minor, currency).figure for name in ("Before", "Now")})
    st.table(figures, border="horizontal", hide_index=True, alt=f"Sums in {currency} before this payment and now")
