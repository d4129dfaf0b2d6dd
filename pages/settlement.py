"""Settlement: what each currency took in, gave back and keeps, day by day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pandas as pd
import streamlit as st

from lib import catalog
from lib.ledger.queries import pulse
from lib.ledger.settlement import SettlementLine, SettlementTotal, settlement, settlement_totals
from lib.money import Money
from pages.parts import frame, live, tables, words
from pages.parts.session import desk

PERIODS = ("This month", "Last month", "Last 30 days", "Custom")


def screen() -> None:
    database, zone = desk().database, desk().settings.zone
    drawn, minute = pulse(database), live.this_minute()
    frame.page(
        "Settlement", "What each currency took in, gave back and keeps, day by day. Currencies are never added up."
    )
    first, last = choose_days()
    lines = settlement(database, first, last, zone)
    st.caption(
        f"{first:%-d %b %Y} – {last:%-d %b %Y}, days from midnight to midnight in {zone.key} ({datetime.now(zone):%Z})"
    )
    if lines:
        show(lines)
    else:
        frame.empty(
            "account_balance",
            "No money moved in these days",
            "Choose another period, or create a payment and let it be paid.",
            ("new_payment.py", "New payment"),
        )
    live.redraw_on_change(lambda: pulse(database), drawn, minute)


def choose_days() -> tuple[date, date]:
    today = datetime.now(desk().settings.zone).date()
    month = today.replace(day=1)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        period = st.segmented_control(
            "Period",
            PERIODS,
            default=PERIODS[0],
            required=True,
            key="period",
            bind="query-params",
            label_visibility="collapsed",
        )
        if period == "Custom":
            return custom_days(today)
    if period == "Last month":
        return (month - timedelta(days=1)).replace(day=1), month - timedelta(days=1)
    if period == "Last 30 days":
        return today - timedelta(days=29), today
    return month, today


def custom_days(today: date) -> tuple[date, date]:
    chosen = st.date_input(
        "First and last day",
        (today - timedelta(days=6), today),
        key="between",
        bind="query-params",
        format="YYYY-MM-DD",
        label_visibility="collapsed",
        width=260,
    )
    days = sorted(chosen) if isinstance(chosen, tuple) and chosen else [today]
    return days[0], days[-1]


def show(lines: list[SettlementLine]) -> None:
    totals = settlement_totals(lines)
    order = [*desk().settings.currencies, *sorted(totals.keys() - set(desk().settings.currencies))]
    shown = [currency for currency in order if currency in totals]
    chosen = st.pills("Currency", shown, key="account", bind="query-params", label_visibility="collapsed")
    currency = chosen if chosen in totals else shown[0] if len(shown) == 1 else None
    if currency:
        one(currency, totals[currency], [line for line in lines if line.currency == currency], others=len(shown) > 1)
    else:
        with st.grid(2, min_column_width=330, gap="small"):
            for currency in shown:
                statement(currency, totals[currency])


def statement(currency: str, total: SettlementTotal) -> None:
    """The currency's account in three lines."""
    with st.container(border=True, height="stretch", gap="xsmall"):
        head(currency, "Day by day", ":material/chevron_right:", currency)
        # Amounts stay integers, because only numbers are set flush right.
        account = pd.DataFrame(
            {
                "entry": ["Gross captured", "Refunded", "**Net**"],
                "count": [counted(total.captured_count, "payment"), counted(total.refunded_count, "refund"), ""],
                "amount": [total.gross.minor, -total.refunded.minor, total.net.minor],
            }
        )
        st.table(
            account.style.format(lambda minor: str(Money(minor, currency)), subset=["amount"]),
            border="horizontal",
            hide_index=True,
            hide_header=True,
            alt=f"{currency}: gross captured, refunded and net",
        )


def one(currency: str, total: SettlementTotal, lines: list[SettlementLine], *, others: bool) -> None:
    """One currency with its days."""
    with st.container(border=True, gap="xsmall"):
        head(currency, "All currencies" if others else "", ":material/unfold_more:", None)
        with st.grid(3, min_column_width=150, gap="small"):
            figure("Gross captured", total.gross, counted(total.captured_count, "payment"))
            figure("Refunded", -total.refunded, counted(total.refunded_count, "refund"))
            figure("Net", total.net, counted(len(lines), "day"))
    days(currency, lines)


def head(currency: str, step: str, icon: str, to: str | None) -> None:
    """The currency's name, and where one can go from here."""
    known = catalog.currencies().get(currency)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(
            f"{words.dot(currency)} **{words.plain(currency)}**" + (f" {known.name}" if known else ""), width="content"
        )
        if step:
            st.button(
                step,
                icon=icon,
                icon_position="right",
                type="tertiary",
                key=f"to_{to}_{currency}",
                on_click=choose,
                args=(to,),
            )


def choose(currency: str | None) -> None:
    st.session_state["account"] = currency


def figure(label: str, amount: Money, from_how_many: str) -> None:
    st.metric(label, str(amount), delta=from_how_many, delta_color="off", delta_arrow="off")


def days(currency: str, lines: list[SettlementLine]) -> None:
    labels = {f"{line.day:%a %-d %b %Y}": line.day for line in lines}
    st.dataframe(
        {
            "day": list(labels),
            "gross": [line.gross.figure for line in lines],
            "refunded": [(-line.refunded).figure for line in lines],
            "net": [line.net.figure for line in lines],
            "captured_count": [line.captured_count for line in lines],
            "refunded_count": [line.refunded_count for line in lines],
        },
        column_config={
            "day": st.column_config.ButtonColumn(
                "Day",
                type="tertiary",
                alignment="left",
                width=150,
                help="Opens the payments requested on that day",
                key=f"day_{currency}",
            ),
            "gross": tables.money_column(f"Gross, {currency}"),
            "refunded": tables.money_column(f"Refunded, {currency}"),
            "net": tables.money_column(f"Net, {currency}"),
            "captured_count": st.column_config.NumberColumn("Payments", width=90),
            "refunded_count": st.column_config.NumberColumn("Refunds", width=90),
        },
        height="content",
        row_height=36,
        hide_index=True,
        key=f"lines_{currency}",
        alt=f"{currency} by day, newest first; a day opens its payments",
    )
    click = st.session_state.get(f"day_{currency}")
    if click and click["label"] in labels:
        day = labels[click["label"]].isoformat()
        st.switch_page("payments.py", query_params={"currency": currency, "since": day, "until": day})


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


screen()
