"""Month close: freeze a month of a currency, see what was heard of it later, and reopen it together with a colleague."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from lib.ledger.closing import (
    Figures,
    Month,
    close_period,
    currencies_with_months,
    heard_late,
    months,
    past_closings,
)
from lib.money import Money
from pages.parts import frame, late_rows, period, tables, words
from pages.parts.session import desk, operator

SIGNS = {
    "closed": words.Sign("Closed", "lock", "green", "Its figures stay as they are."),
    "asked": words.Sign("Reopening asked", "lock_clock", "orange", "A second person has to agree."),
    "over": words.Sign("To close", "lock_open", "blue", "The month is over and can be closed."),
    "running": words.Sign("Running", "schedule", "gray", "The month is not over yet."),
}


def screen() -> None:
    frame.page(
        "Month close",
        "Freeze a month of one currency. It keeps its figures; what is heard later goes to the next month.",
    )
    database, days = desk().database, desk().settlement_days
    known = currencies_with_months(database)
    offered = desk().settings.currencies
    shown = [*(each for each in offered if each in known), *(each for each in known if each not in offered)]
    if not shown:
        show_nothing()
        return
    currency = st.segmented_control(
        "Currency",
        shown,
        default=shown[0],
        required=True,
        key="close_currency",
        bind="query-params",
        label_visibility="collapsed",
        on_change=lambda: st.query_params.pop("month", None),
    )
    st.caption(f"Settlement days {days}. Currencies are never added up.")
    period.tell()
    listed = months(database, currency, days, datetime.now(UTC))
    if not listed:  # what moved lies ahead, as on the clock of a simulator that was moved
        show_nothing()
        return
    waiting = [month for month in listed if not month.period and month.until <= datetime.now(UTC)]
    chosen = next((month for month in listed if month.month == st.query_params.get("month")), None)
    show_month(chosen or (waiting[-1] if waiting else listed[0]), listed)
    show_list(listed)


def show_nothing() -> None:
    frame.empty(
        "event_available",
        "No month to close yet",
        "A month appears here once a payment is captured in it, and can be closed when it is over.",
        ("new_payment.py", "New payment"),
    )


def show_month(month: Month, listed: Sequence[Month]) -> None:
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(f"{month.currency} {period.name(month.month)}", anchor=False, width="content")
            st.markdown(SIGNS[state(month)].badge, width="content")
        with st.grid(2, min_column_width=310, gap="medium"):
            with st.container(gap="small"):
                statement(month.figures)
            with st.container(gap="small"):
                if month.period:
                    period.show(month.period, months_after(month, listed))
                else:
                    offer_to_close(month, listed)
        with frame.place():
            show_late(month)
        with frame.place():
            show_heard_late(month, listed)
        show_history(month)


def statement(figures: Figures) -> None:
    entries = [
        ("Opening balance after fees", "", figures.opening),
        ("Gross captured", period.words_for(figures.captured_count, "payment"), figures.gross),
        ("Refunded", period.words_for(figures.refunded_count, "refund"), -figures.refunded),
        ("Fees, as far as reported", "", -figures.fees),
        ("**Net after fees**", "", figures.net),
        ("**Closing balance after fees**", "", figures.closing),
    ]
    currency = figures.gross.currency
    tables.statement(
        [(entry, count, money.minor) for entry, count, money in entries],
        currency,
        alt=f"{currency}: opening balance, gross captured, refunded, fees, net and closing balance after fees",
    )


def offer_to_close(month: Month, listed: Sequence[Month]) -> None:
    first = next(each for each in reversed(listed) if not each.period)
    if month.until > datetime.now(UTC):
        st.markdown(f"The month is running. It can be closed {words.ago(month.until)}, when its last day is over.")
    elif first.month != month.month:
        st.markdown(f"Months are closed in order: close **{period.name(first.month)}** first.")
        st.button("Go there", on_click=go_to, args=(first.month,), icon=":material/arrow_forward:", key="close_first")
    else:
        st.markdown(
            "Closing freezes these figures with the SHA-256 of their rows. What is heard of this month later goes to the "
            "next one, with a pointer back."
        )
        label = frame.primary(f"Close {period.name(month.month)}", "lock")
        st.button(
            label,
            type="primary",
            disabled=not operator().may("close"),
            help=None if operator().may("close") else "Closing is for the role finance.",
            on_click=ask,
            args=(month,),
            key="close",
        )
    if "closing" in st.session_state:
        confirm(st.session_state["closing"])


def ask(month: Month) -> None:
    st.session_state["closing"] = month


def confirm(month: Month) -> None:
    """Ask once more, with the figures that will stay."""

    def leave() -> None:
        st.session_state.pop("closing", None)

    @st.dialog(f"Close {month.currency} {period.name(month.month)}?", icon=":material/lock:", on_dismiss=leave)
    def sure() -> None:
        st.markdown("These figures stay. Reopening takes a reason and a second person.")
        statement(month.figures)
        with st.container(horizontal=True, horizontal_alignment="right"):
            kept = st.button("Not yet", key="close_not_yet")
            closed = st.button(frame.primary("Freeze it", "lock"), type="primary", key="close_sure")
        if closed:
            period.act(partial(_close, month))
        if kept or closed:
            leave()
            st.rerun()

    sure()


def _close(month: Month) -> str:
    now = datetime.now(UTC)
    settled = desk().database, desk().settlement_days
    closed = close_period(operator(), *settled, month.currency, month.month, seen=month.figures, now=now)
    go_to(month.month)
    return f"{month.currency} {period.name(month.month)} is closed with {period.words_for(closed.rows, 'row')}."


def show_late(month: Month) -> None:
    """What this month took over from closed ones."""
    if month.late:
        st.markdown(
            f"**Taken over from closed months**: {period.words_for(len(month.late), 'row')}, in the figures above."
        )
        late_rows.show([(period.name(row.month or ""), row) for row in month.late], "Dated in", month.currency, "taken")


def show_heard_late(month: Month, listed: Sequence[Month]) -> None:
    """What is dated in this month and went to a later one."""
    told = heard_late(month, listed) if month.period else []
    if told:
        st.markdown(f"**Heard after the close**: {period.words_for(len(told), 'row')}, not in the figures above.")
        late_rows.show([(period.name(name), row) for name, row in told], "Booked in", month.currency, "heard")


def show_history(month: Month) -> None:
    past = [one for one in past_closings(desk().database, month.currency, month.month) if one.reopened_at]
    for each in past:
        st.caption(
            f"Closed before by {words.plain(each.closed_by)} with closing {Money(each.closing, each.currency)}; reopened by "
            f"{words.plain(each.reopened_by or '')}, asked for by {words.plain(each.reopen_asked_by or '')}: "
            f"{words.plain(each.reopen_reason or '')}"
        )


def show_list(listed: Sequence[Month]) -> None:
    labels = {period.name(month.month): month for month in listed}
    currency = listed[0].currency
    st.caption("Every month, latest first. Click one to see it above.")
    tables.show_list(
        {
            "month": list(labels),
            "state": [[SIGNS[state(month)].word] for month in listed],
            "opening": [month.figures.opening.figure for month in listed],
            "gross": [month.figures.gross.figure for month in listed],
            "refunded": [(-month.figures.refunded).figure for month in listed],
            "fees": [(-month.figures.fees).figure for month in listed],
            "net": [month.figures.net.figure for month in listed],
            "closing": [month.figures.closing.figure for month in listed],
        },
        {
            "month": st.column_config.ButtonColumn(
                "Month", type="tertiary", alignment="left", width=130, key="close_month"
            ),
            "state": tables.sign_column(SIGNS, "State", 108),
            **{
                column: tables.money_column(f"{column.capitalize()}, {currency}")
                for column in ("opening", "gross", "refunded", "fees", "net", "closing")
            },
        },
        key="close_months",
        alt=f"{currency} by month, latest first; a month opens above",
    )
    click = st.session_state.get("close_month")
    if click and click["label"] in labels and labels[click["label"]].month != st.query_params.get("month"):
        st.query_params["month"] = labels[click["label"]].month
        st.rerun()


def months_after(month: Month, listed: Sequence[Month]) -> list[Month]:
    return [each for each in listed if each.month > month.month]


def state(month: Month) -> str:
    if month.period:
        return "asked" if month.period.reopen_asked_by else "closed"
    return "over" if month.until <= datetime.now(UTC) else "running"


def go_to(month: str) -> None:
    st.query_params["month"] = month


screen()
