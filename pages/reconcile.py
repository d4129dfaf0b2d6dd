"""Reconcile: Checkout.com's reports beside our ledger, line by line, and every payout proved."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import streamlit as st

from lib.checkout.errors import CheckoutError
from lib.ledger.books import (
    BadReport,
    Imported,
    ReportFile,
    fetch_reports,
    import_report,
    months_compared,
    report_files,
)
from lib.ledger.database import StoreUnavailable
from lib.operators import NotAllowed
from pages.parts import differences, frame, payouts, tables, words
from pages.parts.session import desk, operator

VIEWS = ("Lines", "Payouts", "Files")
REACH = timedelta(days=100)
"""How far back reports are fetched: a quarter and some days."""
MEBIBYTES = 200


def screen() -> None:
    frame.page(
        "Reconcile",
        "Checkout.com's reports beside our ledger: every line and every row in exactly one class, every payout proved.",
    )
    files = report_files(desk().database)
    if operator().may("reconcile"):
        bring_in()
    tell()
    if not files:
        frame.empty(
            "balance",
            "No report yet",
            "Checkout.com makes reports after each settlement day. Fetch them, or import a Financial Actions or Payouts CSV.",
        )
        return
    view = st.segmented_control(
        "View",
        VIEWS,
        default=VIEWS[0],
        required=True,
        key="books_view",
        bind="query-params",
        label_visibility="collapsed",
        on_change=differences.first_page,
    )
    if view == "Payouts":
        payouts.show()
    elif view == "Files":
        show_files(files)
    else:
        months = months_compared(desk().database)
        if months:
            differences.show(months)
        else:
            frame.empty(
                "receipt_long", "No lines yet", "So far only payouts were imported. Fetch or import Financial Actions."
            )


def bring_in() -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if st.button(frame.primary("Fetch from Checkout.com", "cloud_download"), type="primary", key="books_fetch"):
            fetch()
        number = st.session_state.get("books_round", 0)  # a fresh pair of widgets once files are taken
        with st.popover("Import files", icon=":material/upload_file:", key=f"books_popover_{number}"):
            chosen = st.file_uploader(
                f"Financial Actions or Payouts, CSV up to {MEBIBYTES} MB",
                type="csv",
                accept_multiple_files=True,
                max_upload_size=MEBIBYTES,
                key=f"books_file_{number}",
            )
            if st.button("Import", disabled=not chosen, key="books_import"):
                take([(file.name, file.getvalue()) for file in chosen])
                st.session_state["books_round"] = number + 1
                st.rerun()


def take(files: list[tuple[str, bytes]]) -> None:
    taken: list[Imported] = []
    with st.spinner("Reading. Of each file either all is taken or nothing."):
        for name, raw in files:
            try:
                taken.append(import_report(operator(), desk().database, desk().settlement_days, name, io.BytesIO(raw)))
            except (BadReport, NotAllowed, StoreUnavailable) as problem:
                say(False, f"{name}: {problem}")
    for each in taken:
        if each.again:
            say(True, f"{each.file.name} was imported before, by {each.file.imported_by}. Nothing changed.")
    brought([each.file for each in taken if not each.again], "imported")


def brought(files: list[ReportFile], how: str) -> None:
    if files:
        lines, known = sum(file.lines for file in files), sum(file.known for file in files)
        repeated = f", {known:,} of them known already" if known else ""
        say(True, f"{counted(len(files), 'report')} {how}, with {counted(lines, 'line')}{repeated}.")


def fetch() -> None:
    bar = st.progress(0.0, "Asking Checkout.com for its reports…")
    database, since = desk().database, datetime.now(UTC) - REACH

    def tell_progress(done: int, of: int) -> None:
        bar.progress(done / of, f"Report {done + 1} of {of}")

    try:
        found = fetch_reports(
            operator(),
            database,
            desk().checkout,
            desk().settlement_days,
            since=since,
            progress=tell_progress,
        )
    except (CheckoutError, NotAllowed, StoreUnavailable) as problem:
        say(False, str(problem))
        st.rerun()
    for name, problem_in_words in found.refused:
        say(False, f"{name}: {problem_in_words}")
    fresh = [each.file for each in found.imported if not each.again]
    brought(fresh, "fetched")
    if not fresh and not found.refused:
        say(True, "Nothing new: of the last 100 days, Checkout.com has no report that is not here already.")
    st.rerun()


def say(well: bool, text: str) -> None:
    st.session_state.setdefault("books_said", []).append((well, text))


def tell() -> None:
    with frame.place():
        for well, said in st.session_state.pop("books_said", []):
            icon = ":material/check_circle:" if well else ":material/error:"
            (st.success if well else st.error)(words.plain(said), icon=icon)


def show_files(files: list[ReportFile]) -> None:
    zone = desk().settlement_days.zone
    tables.show_list(
        {
            "name": [file.name for file in files],
            "kind": [file.kind.capitalize() for file in files],
            "lines": [file.lines for file in files],
            "known": [file.known for file in files],
            "covers": [covered(file) for file in files],
            "by": [file.imported_by for file in files],
            "at": [words.stamp(file.imported_at, zone) for file in files],
            "sha256": [file.sha256 for file in files],
        },
        {
            "name": st.column_config.TextColumn("File", width=260),
            "kind": st.column_config.TextColumn("Report", width=130),
            "lines": st.column_config.NumberColumn("Lines", width=80),
            "known": st.column_config.NumberColumn("Known before", width=110),
            "covers": st.column_config.TextColumn("Covers", width=190, help="Days of which it holds every action"),
            "by": st.column_config.TextColumn("Imported by", width=120),
            "at": st.column_config.TextColumn("At", width=150),
            "sha256": st.column_config.TextColumn("SHA-256", width=130),
        },
        key="books_files",
        alt="Imported reports, newest first",
    )
    st.caption("The last 50 files.")


def covered(file: ReportFile) -> str:
    if not file.covers_from or not file.covers_until:
        return "One payout" if file.scope == "payout" else "—"
    zone = desk().settlement_days.zone
    first, last = file.covers_from.astimezone(zone), (file.covers_until - timedelta(seconds=1)).astimezone(zone)
    if first.date() == last.date():
        return f"{first:%-d %b %Y}"
    return f"{first:%-d %b} – {last:%-d %b %Y}"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


screen()
