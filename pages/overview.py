"""Overview: what came in and went back, by currency; where payments stop; what happened last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from lib.ledger.overview import figures_of, newest
from lib.ledger.periods import Period, edges, preceding
from lib.ledger.queries import pulse
from lib.ledger.success import outcomes
from lib.ledger.tables import Payment
from lib.ledger.volumes import Volumes, added_up
from lib.money import Money
from pages.parts import (
    charts,
    frame,
    live,
    overview_net,
    overview_overdue,
    overview_parts,
    overview_period,
    simulator,
    tables,
    words,
)
from pages.parts.overview_period import View
from pages.parts.session import desk

COLUMNS = 3
LATEST = 8
BARS = "bars_"
CLICKED = "bar_clicked"


def screen() -> None:
    database = desk().database
    minute, (drawn, latest) = live.this_minute(), newest(database, LATEST)
    frame.page("Overview", "What was captured and refunded, by currency. Currencies are never added up.")
    if latest:
        with frame.place():
            overview_overdue.show(drawn)
        figures(latest)
    else:
        welcome()
    live.redraw_on_change(lambda: pulse(database), drawn, minute)


def welcome() -> None:
    with st.container(border=True, horizontal_alignment="center"):
        st.markdown("### Nothing here yet, and three steps show you everything", text_alignment="center")
        st.markdown(
            "1. **Create a payment.** You get a link and a QR code for the customer.\n"
            "2. **Pay it** on the KakaoPay page behind the link. This screen changes by itself.\n"
            "3. **Refund** part of it, and see what remains.",
            width="content",
        )
        if st.button(frame.primary("New payment", "add_card"), type="primary"):
            st.switch_page("new_payment.py")
        simulator.offer_sample_data()


def figures(latest: Sequence[Payment]) -> None:
    database = desk().database
    view = overview_period.choose()
    period, zone = view.period, view.zone
    borders = edges(period, zone, view.step)
    seen = figures_of(database, borders, period, preceding(period, zone))
    now, before = added_up(seen.slots), seen.before
    order = [*desk().settings.currencies, *sorted(now.keys() - set(desk().settings.currencies))]
    shown = [currency for currency in order if currency in now]
    if not shown:
        frame.empty("calendar_month", f"Nothing {of_days(period)}", "Choose another period above.")
        show_latest(latest)
        return
    # The last row is always full: what the currencies leave free goes to the outcomes, or to them and the newest payments.
    free = -len(shown) % COLUMNS
    begins = [edge.astimezone(zone) for edge in borders[:-1]]
    wall = st.grid(COLUMNS, min_column_width=270, gap="small")
    with wall:
        for currency in shown:
            net_before = before[currency].net if currency in before else Money(0, currency)
            show_currency(now[currency], net_before, view, begins, seen.slots)
        if free > 1:
            with wall.cell(column_span=free):
                overview_parts.show_outcomes(outcomes(now.values()))
        else:
            overview_parts.show_outcomes(outcomes(now.values()))
        if not free:
            with wall.cell(column_span=COLUMNS - 1):
                show_latest(latest)
    with frame.place():
        if seen.parts:
            overview_parts.show_parts(seen.parts, {currency: now[currency] for currency in shown}, zone.key)
    if free:
        show_latest(latest)
    open_chosen_bar(borders, zone)


def of_days(period: Period) -> str:
    days = len(period.days)
    return "today" if days == 1 and period.until < period.since + timedelta(days=1) else f"in these {days} days"


def open_chosen_bar(borders: Sequence[datetime], zone: ZoneInfo) -> None:
    """Go to the rows of the bar that was just clicked. Once: who comes back finds the overview."""
    key = st.session_state.pop(CLICKED, None)
    place = charts.chosen_bar(key) if key else None
    if place is not None and place + 1 < len(borders):
        tables.open_rows(key.removeprefix(BARS), borders[place], borders[place + 1], zone)


def clicked(key: str) -> None:
    st.session_state[CLICKED] = key


def show_currency(
    now: Volumes, before: Money, view: View, begins: Sequence[datetime], slots: Sequence[Mapping[str, Volumes]]
) -> None:
    currency = now.currency
    with st.container(border=True, height="stretch", gap="xsmall"):
        captured, refunded = (now.captured, now.captured_count), (now.refunded, now.refunded_count)
        overview_net.show(now.net, before, captured, refunded, view.period.first, view.period.last)
        if now.captured or now.refunded:
            charts.slot_bars(currency, begins, slots, view.step, key=f"{BARS}{currency}", on_click=clicked)
        else:
            st.caption("Requested, but nothing captured in this time.")


def show_latest(payments: Sequence[Payment]) -> None:
    with st.container(gap="xsmall"):
        st.subheader("What happened last?", anchor=False)
        tables.payment_table(
            {
                "amount": [str(payment.money) for payment in payments],
                "status": [[words.status(payment.status).word] for payment in payments],
                "age": [words.ago(payment.requested_at) for payment in payments],
                "reference": [payment.reference or "" for payment in payments],
            },
            [payment.id for payment in payments],
            {
                "amount": tables.money_column(),
                "status": tables.sign_column(words.STATUSES),
                "age": st.column_config.TextColumn("Age", width=88),
                "reference": st.column_config.TextColumn("Reference", width=150),
            },
            key="latest",
            alt="The newest payments",
        )


screen()
