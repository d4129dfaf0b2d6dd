"""The lines of a month by class and currency, and one difference with who looks after it and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

import streamlit as st

from lib.ledger.books import (
    DIFFERENCES,
    RESOLUTIONS,
    STANDINGS,
    ClassSum,
    LineFilter,
    Page,
    StatementLine,
    csv_of_differences,
    find_line,
    find_lines,
    resolve,
    steps_of,
    summary,
)
from lib.operators import NotAllowed
from pages.parts import frame, report_words, tables, words
from pages.parts.session import desk, operator

ALL = "All currencies"


def show(months: Sequence[str]) -> None:
    """The month's summary, then the lines of one class, then the one chosen."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", horizontal_alignment="distribute"):
        month = st.selectbox(
            "Settlement month",
            months,
            format_func=lambda each: f"{date.fromisoformat(f'{each}-01'):%B %Y}",
            key="books_month",
            bind="query-params",
            on_change=first_page,
            width=200,
        )
        if operator().may("download"):
            st.download_button(
                "Differences",
                partial(
                    csv_of_differences,
                    operator(),
                    desk().database,
                    month,
                    desk().settlement_days.zone.key,
                    world=desk().settings.world_words,
                ),
                f"differences-{month}.csv",
                "text/csv",
                icon=":material/download:",
                on_click="ignore",
                key="books_csv",
            )
    sums = summary(desk().database, month)
    verdict(sums)
    show_summary(sums)
    st.caption(
        f"Settlement days {desk().settlement_days}. Captures count above zero, refunds below; currencies are never added up."
    )
    show_lines(month, sums)


def verdict(sums: Sequence[ClassSum]) -> None:
    count = sum(each.count for each in sums if each.standing in DIFFERENCES)
    if count:
        st.warning(f"{counted(count, 'difference')} in this month.", icon=":material/difference:")
    else:
        st.success("The reports and the ledger agree in everything.", icon=":material/check_circle:")


def show_summary(sums: Sequence[ClassSum]) -> None:
    tables.show_list(
        {
            "class": [[report_words.CLASSES[each.standing].word] for each in sums],
            "currency": [each.currency for each in sums],
            "count": [each.count for each in sums],
            "theirs": [
                report_words.grouped(each.theirs, each.currency) if each.standing != "missing_there" else "—"
                for each in sums
            ],
            "ours": [each.ours.figure if each.standing not in NO_ROW else "—" for each in sums],
        },
        {
            "class": tables.sign_column(report_words.CLASSES, "Class", 150),
            "currency": st.column_config.TextColumn("Currency", width=84),
            "count": st.column_config.NumberColumn("Lines", width=70),
            "theirs": tables.money_column("In the reports"),
            "ours": tables.money_column("In the ledger"),
        },
        key="books_summary",
        alt="Classes by currency: how many lines, and what they come to in the reports and in the ledger",
    )


NO_ROW = ("missing_here", "duplicate", "fee_only")


def show_lines(month: str, sums: Sequence[ClassSum]) -> None:
    present = [standing for standing in STANDINGS if any(each.standing == standing for each in sums)]
    ordered = [
        *(each for each in present if each in DIFFERENCES),
        *(each for each in present if each not in DIFFERENCES),
    ]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        standing = st.pills(
            "Class",
            ordered,
            default=ordered[0],
            required=True,
            format_func=lambda each: report_words.CLASSES[each].word,
            key=f"books_class_{month}",
            on_change=first_page,
            label_visibility="collapsed",
        )
        currencies = sorted({each.currency for each in sums if each.standing == standing})
        currency = st.selectbox(
            "Currency",
            [ALL, *currencies],
            key=f"books_currency_{month}_{standing}",
            on_change=first_page,
            label_visibility="collapsed",
            width=160,
        )
    st.caption(report_words.CLASSES[standing].meaning)
    wanted = LineFilter(month, standing, None if currency == ALL else currency)
    page = find_lines(desk().database, wanted, cursor=st.query_params.get("cursor"))
    if standing in DIFFERENCES:
        show_differences(page)
    else:
        show_agreeing(page)
    tables.turn_pages(page.newer, page.older, key="books_lines")
    chosen = st.session_state.get("books_line")
    line = find_line(desk().database, chosen) if chosen else None
    if line:
        show_one(line)


def show_differences(page: Page[StatementLine]) -> None:
    rows = page.rows
    tables.payment_table(
        {
            "open": [
                f"{report_words.KINDS.get(row.kind, row.kind)} {report_words.theirs(row) or report_words.ours(row)}"
                for row in rows
            ],
            "theirs": [report_words.theirs(row) or "—" for row in rows],
            "ours": [report_words.ours(row) or "—" for row in rows],
            "age": [words.ago(row.found_at) for row in rows],
            "owner": [row.owner or "—" for row in rows],
            "resolution": [report_words.OUTCOMES[row.resolution or "open"] for row in rows],
            "reference": [row.reference or "" for row in rows],
        },
        [row.payment_id or "" for row in rows],
        {
            "open": st.column_config.ButtonColumn(
                "Difference", type="tertiary", alignment="left", width=180, key="books_open"
            ),
            "theirs": tables.money_column("In the report"),
            "ours": tables.money_column("In the ledger"),
            "age": st.column_config.TextColumn("Found", width=84),
            "owner": st.column_config.TextColumn("Owner", width=92),
            "resolution": st.column_config.TextColumn("Resolution", width=136),
            "reference": st.column_config.TextColumn("Reference", width=126),
        },
        key="books_differences",
        alt="Differences; choose one to say who looks after it, or its payment to open that",
    )
    click, shown = st.session_state.get("books_open"), st.session_state.get("books_shown", [])
    if click and click["row"] < len(shown):
        st.session_state["books_line"] = shown[click["row"]]
    st.session_state["books_shown"] = [row.id for row in rows]


def show_agreeing(page: Page[StatementLine]) -> None:
    zone = desk().settlement_days.zone
    rows = page.rows
    tables.payment_table(
        {
            "what": [row.breakdown or row.kind for row in rows],
            "theirs": [report_words.theirs(row) or "—" for row in rows],
            "held": [report_words.amount(row.held, row.holding) for row in rows],
            "at": [words.stamp(row.at, zone) for row in rows],
            "payout": [row.payout_id or "—" for row in rows],
            "reference": [row.reference or "" for row in rows],
        },
        [row.payment_id or "" for row in rows],
        {
            "what": st.column_config.TextColumn("Breakdown", width=170),
            "theirs": tables.money_column("In the report"),
            "held": tables.money_column("Held"),
            "at": st.column_config.TextColumn("Processed", width=160),
            "payout": st.column_config.TextColumn("Payout", width=130),
            "reference": st.column_config.TextColumn("Reference", width=130),
        },
        key="books_agreeing",
        alt="Lines of this class; a payment opens from its row",
    )


def show_one(line: StatementLine) -> None:
    """One difference: what the two say, who looks after it, and what was said of it before."""
    zone = desk().settlement_days.zone
    theirs, ours = (words.plain(said) for said in (report_words.theirs(line), report_words.ours(line)))
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(
                f"{report_words.CLASSES[line.standing].badge} **{theirs or ours}**",
                width="content",
            )
            st.button("Close", icon=":material/close:", type="tertiary", on_click=leave, key="books_leave")
        place = f"line {line.number} of its file" if line.number else "no line of any report"
        st.markdown(
            f"In the report: **{theirs or 'nothing'}** ({place}). In the ledger: "
            f"**{ours or 'nothing'}**. {words.stamp(line.at, zone)}, found {words.when(line.found_at, zone)}."
        )
        with frame.place():
            if problem := st.session_state.pop("books_problem", None):
                st.error(words.plain(problem), icon=":material/error:")
        if line.standing in DIFFERENCES and operator().may("reconcile"):
            resolve_form(line)
        for step in steps_of(desk().database, line.id or 0):
            owner = f", owner {words.plain(step.owner)}" if step.owner else ""
            note = f": {words.plain(step.note)}" if step.note else ""
            outcome = report_words.OUTCOMES[step.resolution or "open"]
            st.markdown(
                f":small[{words.when(step.at, zone)} · {words.plain(step.by)} · {report_words.CLASSES[step.standing].word} · "
                f"{outcome}{owner}{note}]"
            )


def resolve_form(line: StatementLine) -> None:
    with st.form(f"resolve_{line.id}", border=False):
        with st.grid(2, min_column_width=150, gap="small"):
            owner = st.text_input("Owner", line.owner or operator().name, max_chars=80, key=f"owner_{line.id}")
            resolution = st.selectbox(
                "Resolution",
                RESOLUTIONS,
                index=RESOLUTIONS.index(line.resolution or "open"),
                format_func=report_words.OUTCOMES.__getitem__,
                key=f"resolution_{line.id}",
            )
        note = st.text_area("Note", line.note or "", max_chars=2000, height=80, key=f"note_{line.id}")
        if st.form_submit_button("Save"):
            try:
                resolve(operator(), desk().database, line.id or 0, owner=owner, resolution=resolution, note=note)
            except (ValueError, NotAllowed) as problem:
                st.session_state["books_problem"] = str(problem)
            st.rerun()


def leave() -> None:
    st.session_state.pop("books_line", None)


def first_page() -> None:
    """Start the list from its beginning."""
    st.query_params.pop("cursor", None)
    leave()


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
