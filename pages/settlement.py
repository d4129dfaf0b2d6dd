"""Settlement: what each currency took in, gave back and keeps, day by day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

import streamlit as st

from lib import catalog
from lib.ledger.books import fees_by_day
from lib.ledger.export import Selection
from lib.ledger.queries import pulse
from lib.ledger.settlement import SettlementLine, settlement, settlement_totals
from lib.ledger.sums import Sums
from lib.money import Money
from pages.parts import frame, live, simulator, tables, words
from pages.parts.custom_days import custom_days
from pages.parts.downloads import downloads
from pages.parts.session import desk

Fees = Mapping[tuple[date, str], Mapping[str, Money]]
"""By settlement day and the payments' currency: what they cost in each currency held."""
PERIODS = ("This month", "Last month", "Last 30 days", "Custom")


def screen() -> None:
    database, by = desk().database, desk().settlement_days
    drawn, minute = pulse(database), live.this_minute()
    frame.page(
        "Settlement", "What each currency took in, gave back and keeps, day by day. Currencies are never added up."
    )
    first, last = choose_days()
    lines = settlement(database, first, last, by)
    st.caption(
        f"{first:%-d %b %Y} – {last:%-d %b %Y}, settlement days {by} ({datetime.now(by.zone):%Z}). Balances are captured less "
        "refunded, before fees and payouts. A closed month stays: what is heard of it later is booked on the first day after it."
    )
    if lines:
        show(lines, fees_by_day(database, first, last, by), by.span(first, last))
    else:
        with frame.empty(
            "account_balance",
            "No money moved in these days",
            "Choose another period, or create a payment and let it be paid.",
            ("new_payment.py", "New payment"),
        ):
            simulator.offer_sample_data()
    live.redraw_on_change(lambda: pulse(database), drawn, minute)


def choose_days() -> tuple[date, date]:
    today = desk().settlement_days.day_of(datetime.now(UTC))
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
            return custom_days(today, 7)
    if period == "Last month":
        return (month - timedelta(days=1)).replace(day=1), month - timedelta(days=1)
    if period == "Last 30 days":
        return today - timedelta(days=29), today
    return month, today


def show(lines: list[SettlementLine], fees: Fees, span: tuple[datetime, datetime]) -> None:
    totals = settlement_totals(lines)
    order = [*desk().settings.currencies, *sorted(totals.keys() - set(desk().settings.currencies))]
    shown = [currency for currency in order if currency in totals]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        chosen = st.pills(
            "Currency", shown, key="account", bind="query-params", label_visibility="collapsed", width="content"
        )
        currency = chosen if chosen in totals else shown[0] if len(shown) == 1 else None
        by = desk().settlement_days
        downloads(Selection((currency,) if currency else tuple(shown), *span, by.zone, by), key="settlement")
    if currency:
        mine = [line for line in lines if line.currency == currency]
        one(currency, totals[currency], mine, fees, others=len(shown) > 1)
    else:
        with st.grid(2, min_column_width=330, gap="small"):
            for currency in shown:
                statement(totals[currency], [line for line in lines if line.currency == currency], fees)


def statement(total: Sums, lines: list[SettlementLine], fees: Fees) -> None:
    """The currency's account in a few lines."""
    currency = total.currency
    cost = fees_of(lines, fees).get(currency)
    entries = [
        ("Opening balance", "", lines[-1].opening),
        ("Gross captured", counted(total.captured_count, "payment"), total.captured),
        ("Refunded", counted(total.refunded_count, "refund"), -total.refunded),
        ("**Net**", "", total.net),
        ("**Closing balance**", "", lines[0].closing),
        *([("Fees, as reported", "", -cost)] if cost else []),
    ]
    with st.container(border=True, height="stretch", gap="xsmall"):
        head(currency, "Day by day", ":material/chevron_right:", currency)
        tables.statement(
            [(entry, count, money.minor) for entry, count, money in entries],
            currency,
            alt=f"{currency}: opening balance, gross captured, refunded, net and closing balance",
        )


def one(currency: str, total: Sums, lines: list[SettlementLine], fees: Fees, *, others: bool) -> None:
    """One currency with its days."""
    with st.container(border=True, gap="xsmall"):
        head(currency, "All currencies" if others else "", ":material/unfold_more:", None)
        with st.grid(5, min_column_width=150, gap="small"):
            figure("Opening balance", lines[-1].opening, f"{lines[-1].day:%-d %b}")
            figure("Gross captured", total.captured, counted(total.captured_count, "payment"))
            figure("Refunded", -total.refunded, counted(total.refunded_count, "refund"))
            figure("Net", total.net, counted(len(lines), "day"))
            figure("Closing balance", lines[0].closing, f"{lines[0].day:%-d %b}")
        cost = fees_of(lines, fees)
        told = " and ".join(str(money) for money in cost.values())
        st.caption(
            f"Fees, as far as reports have told: {told}." if told else "No report has told of fees for these days."
        )
    days(currency, lines, fees)


def fees_of(lines: Iterable[SettlementLine], fees: Fees) -> dict[str, Money]:
    """What these days cost, by the currency in which it was held back."""
    found: dict[str, Money] = {}
    for line in lines:
        for holding, money in fees.get((line.day, line.currency), {}).items():
            found[holding] = found[holding] + money if holding in found else money
    return found


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


def days(currency: str, lines: list[SettlementLine], fees: Fees) -> None:
    labels = {f"{line.day:%a %-d %b %Y}": line.day for line in lines}
    tables.show_list(
        {
            "day": list(labels),
            "gross": [line.sums.captured.figure for line in lines],
            "refunded": [(-line.sums.refunded).figure for line in lines],
            "net": [line.sums.net.figure for line in lines],
            "fees": [" + ".join(map(str, fees_of([line], fees).values())) or "not told" for line in lines],
            "opening": [line.opening.figure for line in lines],
            "closing": [line.closing.figure for line in lines],
            "captured_count": [line.sums.captured_count for line in lines],
            "refunded_count": [line.sums.refunded_count for line in lines],
        },
        {
            "day": st.column_config.ButtonColumn(
                "Day",
                type="tertiary",
                alignment="left",
                width=136,
                help="Opens the rows that the day is made of",
                key=f"day_{currency}",
            ),
            "gross": tables.money_column(f"Gross, {currency}", tables.FIGURE_WIDTH),
            "refunded": tables.money_column(f"Refunded, {currency}", tables.FIGURE_WIDTH),
            "net": tables.money_column(f"Net, {currency}", tables.FIGURE_WIDTH),
            "fees": tables.money_column("Fees"),
            "opening": tables.money_column("Opening balance", tables.FIGURE_WIDTH),
            "closing": tables.money_column("Closing balance", tables.FIGURE_WIDTH),
            "captured_count": st.column_config.NumberColumn("Payments", width=78),
            "refunded_count": st.column_config.NumberColumn("Refunds", width=78),
        },
        key=f"lines_{currency}",
        alt=f"{currency} by settlement day, newest first; a day opens its rows",
    )
    click = st.session_state.get(f"day_{currency}")
    if click and click["label"] in labels:
        day, by = labels[click["label"]], desk().settlement_days
        tables.open_rows(currency, *by.span(day, day), by.zone)


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


screen()
