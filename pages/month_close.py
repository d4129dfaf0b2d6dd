"""Month close: freeze a month of a currency, see what was heard of it later, and reopen it together with a colleague."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import partial

import pandas as pd
import streamlit as st

from lib.ledger.closing import (
    CannotClose,
    Figures,
    Month,
    Period,
    Row,
    ask_to_reopen,
    close_period,
    currencies_moved,
    decide_reopening,
    heard_late,
    months,
    past_closings,
    recompute,
    sheet_text,
)
from lib.money import Money
from lib.operators import NotAllowed
from pages.parts import frame, tables, words
from pages.parts.session import desk, operator

SIGNS = {
    "closed": words.Sign("Closed", "lock", "green", "Its figures stay as they are."),
    "asked": words.Sign("Reopening asked", "lock_clock", "orange", "A second person has to agree."),
    "over": words.Sign("To close", "lock_open", "blue", "The month is over and can be closed."),
    "running": words.Sign("Running", "schedule", "gray", "The month is not over yet."),
}
MOST = 50
"""Late rows that are listed; the sheet has them all."""


def screen() -> None:
    frame.page(
        "Month close",
        "Freeze a month of one currency. It keeps its figures; what is heard later goes to the next month.",
    )
    database, days = desk().database, desk().settlement_days
    moved = currencies_moved(database)
    known = {currency: months(database, currency, days, datetime.now(UTC)) for currency in moved}
    offered = desk().settings.currencies
    order = [*(each for each in offered if each in moved), *(each for each in moved if each not in offered)]
    shown = [currency for currency in order if known[currency]]
    if not shown:
        frame.empty(
            "event_available",
            "No month to close yet",
            "A month appears here once a payment is captured in it, and can be closed when it is over.",
            ("new_payment.py", "New payment"),
        )
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
    tell()
    listed = known[currency]
    waiting = [month for month in listed if not month.period and month.until <= datetime.now(UTC)]
    chosen = next((month for month in listed if month.month == st.query_params.get("month")), None)
    show_month(chosen or (waiting[-1] if waiting else listed[0]), listed)
    show_list(listed)


def show_month(month: Month, listed: Sequence[Month]) -> None:
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(f"{month.currency} {name(month.month)}", anchor=False, width="content")
            st.markdown(SIGNS[state(month)].badge, width="content")
        with st.grid(2, min_column_width=310, gap="medium"):
            with st.container(gap="small"):
                statement(month.figures)
            with st.container(gap="small"):
                if month.period:
                    show_period(month.period, months_after(month, listed))
                else:
                    offer_to_close(month, listed)
        show_late(month)
        show_heard_late(month, listed)
        show_history(month)


def statement(figures: Figures) -> None:
    account = pd.DataFrame(
        {
            "entry": ["Opening", "Gross captured", "Refunded", "Fees, as far as reported", "**Net**", "**Closing**"],
            "count": [
                "",
                words_for(figures.captured_count, "payment"),
                words_for(figures.refunded_count, "refund"),
                "",
                "",
                "",
            ],
            "amount": [
                figures.opening.minor,
                figures.gross.minor,
                -figures.refunded.minor,
                -figures.fees.minor,
                figures.net.minor,
                figures.closing.minor,
            ],
        }
    )
    currency = figures.gross.currency
    st.table(
        account.style.format(lambda minor: str(Money(minor, currency)), subset=["amount"]),
        border="horizontal",
        hide_index=True,
        hide_header=True,
        alt=f"{currency}: opening, gross captured, refunded, fees, net and closing",
    )


def offer_to_close(month: Month, listed: Sequence[Month]) -> None:
    first = next(each for each in reversed(listed) if not each.period)
    if month.until > datetime.now(UTC):
        st.markdown(f"The month is running. It can be closed {words.ago(month.until)}, when its last day is over.")
    elif first.month != month.month:
        st.markdown(f"Months are closed in order: close **{name(first.month)}** first.")
        st.button("Go there", on_click=go_to, args=(first.month,), icon=":material/arrow_forward:", key="close_first")
    else:
        st.markdown(
            "Closing freezes these figures with the SHA-256 of their rows. What is heard of this month later goes to the "
            "next one, with a pointer back."
        )
        label = frame.primary(f"Close {name(month.month)}", "lock")
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

    @st.dialog(f"Close {month.currency} {name(month.month)}?", icon=":material/lock:", on_dismiss=leave)
    def sure() -> None:
        st.markdown("These figures stay. Reopening takes a reason and a second person.")
        statement(month.figures)
        with st.container(horizontal=True, horizontal_alignment="right"):
            kept = st.button("Not yet", key="close_not_yet")
            closed = st.button(frame.primary("Close", "lock"), type="primary", key="close_sure")
        if closed:
            act(partial(_close, month))
        if kept or closed:
            leave()
            st.rerun()

    sure()


def _close(month: Month) -> str:
    now = datetime.now(UTC)
    settled = desk().database, desk().settlement_days
    period = close_period(operator(), *settled, month.currency, month.month, seen=month.figures, now=now)
    go_to(month.month)
    return f"{month.currency} {name(month.month)} is closed with {words_for(period.rows, 'row')}."


def show_period(period: Period, after: Sequence[Month]) -> None:
    zone = desk().settings.zone
    st.markdown(
        f"Closed by **{words.plain(period.closed_by)}** {words.when(period.closed_at, zone)}, "
        f"with {words_for(period.rows, 'row')}. SHA-256 of the rows:"
    )
    st.code(period.sha256, language=None, wrap_lines=True)
    with st.container(horizontal=True, gap="small"):
        if operator().may("download"):
            st.download_button(
                "Rows",
                partial(sheet_text, operator(), desk().database, period.id),
                f"{period.currency}-{period.month}.txt",
                "text/plain",
                icon=":material/download:",
                on_click="ignore",
                help="The very text whose SHA-256 this is: time, row, payment, action, minor units, count, month it is dated in",
                key="close_rows",
            )
        st.button(
            "Prove it again",
            icon=":material/verified:",
            help="Folds every fact known at the close once more and compares the hash",
            on_click=act,
            args=(partial(_prove, period),),
            key="close_prove",
        )
        if not period.reopen_asked_by and not any(month.period for month in after) and operator().may("close"):
            with st.popover("Reopen", icon=":material/lock_open:", key="close_reopen"), st.form("reopen", border=False):
                reason = st.text_area("Why", max_chars=1000, height=90, key="reopen_reason")
                st.caption("A second person with the role finance has to agree.")
                if st.form_submit_button("Ask to reopen"):
                    act(partial(_ask_to_reopen, period, reason))
                    st.rerun()
    if period.reopen_asked_by and period.reopen_asked_at:
        show_asking(period)


def show_asking(period: Period) -> None:
    asked_by = words.plain(period.reopen_asked_by or "")
    st.warning(
        f"{asked_by} asks to reopen this month, {words.when(period.reopen_asked_at or period.closed_at, desk().settings.zone)}: "
        f"{words.plain(period.reopen_reason or '')}",
        icon=":material/lock_clock:",
    )
    acting = operator()
    if not acting.may("close"):
        return
    mine = acting.name == period.reopen_asked_by
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Agree and reopen",
            icon=":material/lock_open:",
            disabled=mine,
            help="You asked for it, so another person has to agree." if mine else None,
            on_click=act,
            args=(partial(_decide, period, agree=True),),
            key="reopen_agree",
        )
        st.button(
            "Take it back" if mine else "Turn it down",
            on_click=act,
            args=(partial(_decide, period, agree=False),),
            key="reopen_decline",
        )
    if mine:
        st.caption("Another person with the role finance has to agree.")


def _ask_to_reopen(period: Period, reason: str) -> str:
    ask_to_reopen(operator(), desk().database, period.id or 0, reason)
    return "Asked. Another person with the role finance has to agree."


def _decide(period: Period, *, agree: bool) -> str:
    decide_reopening(operator(), desk().database, period.id or 0, agree=agree)
    month = f"{period.currency} {name(period.month)}"
    return f"{month} is open again." if agree else f"{month} stays closed."


def _prove(period: Period) -> str:
    proof = recompute(desk().database, desk().settlement_days, period)
    if not proof.holds:
        raise CannotClose(
            f"The rows kept give {proof.sheet_sha256[:12]}…, the facts {proof.sha256[:12]}…, and the month was closed "
            f"with {period.sha256[:12]}…. Somebody changed the database; compare it with a copy."
        )
    return f"Proved: the facts known at the close give the same {words_for(period.rows, 'row')} and the same hash."


def show_late(month: Month) -> None:
    """What this month took over from closed ones."""
    if month.late:
        st.markdown(f"**Taken over from closed months**: {words_for(len(month.late), 'row')}, in the figures above.")
        rows_table([(row.month or "", row) for row in month.late], "Dated in", month.currency, "taken")


def show_heard_late(month: Month, listed: Sequence[Month]) -> None:
    """What is dated in this month and went to a later one."""
    told = heard_late(month, listed) if month.period else []
    if told:
        st.markdown(f"**Heard after the close**: {words_for(len(told), 'row')}, not in the figures above.")
        rows_table(told, "Booked in", month.currency, "heard")


def rows_table(told: Sequence[tuple[str, Row]], pointer: str, currency: str, key: str) -> None:
    listed, zone = told[:MOST], desk().settlement_days.zone
    tables.payment_table(
        {
            "amount": [str(Money(row.amount, currency)) for _, row in listed],
            "kind": [KINDS.get(row.kind, row.kind) for _, row in listed],
            "month": [name(month) for month, _ in listed],
            "at": [words.stamp(row.at, zone) for _, row in listed],
        },
        [row.payment_id for _, row in listed],
        {
            "amount": tables.money_column(),
            "kind": st.column_config.TextColumn("What", width=100),
            "month": st.column_config.TextColumn(pointer, width=120),
            "at": st.column_config.TextColumn("Happened", width=170),
        },
        key=f"late_{key}",
        alt=f"Rows {pointer.lower()} another month; one opens its payment",
    )
    if len(told) > MOST:
        st.caption(f"The first {MOST} of {len(told)} are shown.")


KINDS = {"capture": "Capture", "refund": "Refund", "untold": "Refund, by totals"}


def show_history(month: Month) -> None:
    past = [each for each in past_closings(desk().database, month.currency, month.month) if each.reopened_at]
    for period in past:
        st.caption(
            f"Closed before by {words.plain(period.closed_by)} with closing {Money(period.closing, period.currency)}; reopened by "
            f"{words.plain(period.reopened_by or '')}, asked for by {words.plain(period.reopen_asked_by or '')}: "
            f"{words.plain(period.reopen_reason or '')}"
        )


def show_list(listed: Sequence[Month]) -> None:
    labels = {name(month.month): month for month in listed}
    currency = listed[0].currency
    st.dataframe(
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
        column_config={
            "month": st.column_config.ButtonColumn(
                "Month", type="tertiary", alignment="left", width=130, key="close_month"
            ),
            "state": tables.sign_column(SIGNS, "State", 140),
            **{
                column: tables.money_column(f"{column.capitalize()}, {currency}")
                for column in ("opening", "gross", "refunded", "fees", "net", "closing")
            },
        },
        height="content",
        row_height=36,
        hide_index=True,
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


def act(what: partial[str]) -> None:
    """Do something, and keep what came of it for the head of the screen."""
    try:
        st.session_state["close_said"] = (True, what())
    except (CannotClose, NotAllowed) as why:
        st.session_state["close_said"] = (False, str(why))


def tell() -> None:
    well, said = st.session_state.pop("close_said", (True, ""))
    if said:
        (st.success if well else st.error)(
            words.plain(said), icon=":material/check_circle:" if well else ":material/error:"
        )


def name(month: str) -> str:
    """`January 2026`."""
    return f"{date.fromisoformat(f'{month}-01'):%B %Y}"


def words_for(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


screen()
