"""Audit log: who did what, when and from where, and whether the record is whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import streamlit as st

from lib.ledger.audit import Audit
from lib.ledger.audit_log import AuditFilter, entries, names
from lib.ledger.reading.keyset import Page
from pages.parts import audit_chain, frame, tables, words
from pages.parts import entries as entry
from pages.parts.session import desk, operator


def screen() -> None:
    frame.page(
        "Audit log",
        "Who did what, when and from where, with what it was before and after. Nothing here can be changed.",
    )
    if not frame.allowed("audit"):
        return
    audit_chain.show()
    wanted = filters()
    found = entries(desk().database, operator(), wanted, cursor=st.query_params.get("cursor"))
    if found.rows:
        show_list(found)
    elif wanted != AuditFilter():
        frame.empty("filter_alt_off", "No such entry", "Nothing in the log fits these filters. Clear some of them.")
    else:
        frame.empty(
            "history_edu",
            "Nothing is recorded yet",
            "Every refund, note, sign-in and change of settings appears here.",
            ("payments.py", "Go to Payments"),
        )


def filters() -> AuditFilter:
    people, actions = names(desk().database, operator())
    with st.container(horizontal=True, gap="small"):
        who = choice("Who", "Anybody", people, "who")
        action = choice("What", "Any action", actions, "action", entry.action)
        subject = st.text_input(
            "On what",
            key="subject",
            bind="query-params",
            on_change=first_page,
            placeholder="Whole id, such as pay_…",
            icon=":material/search:",
            label_visibility="collapsed",
        )
        days = st.date_input(
            "Days",
            value=[],
            key="days",
            on_change=first_page,
            format="YYYY-MM-DD",
            label_visibility="collapsed",
            width=250,
        )
    zone = desk().settings.zone
    since, until = None, None
    if days:
        first, last = days[0], days[-1]
        since = datetime.combine(first, time(), zone)
        until = datetime.combine(last + timedelta(days=1), time(), zone)
    return AuditFilter(who or "", action or "", (subject or "").strip(), since, until)


def choice(label: str, everything: str, options: list[str], key: str, named: Callable[[str], str] = str) -> str | None:
    return st.selectbox(
        label,
        options,
        index=None,
        format_func=named,
        key=key,
        placeholder=everything,
        on_change=first_page,
        label_visibility="collapsed",
    )


def show_list(found: Page[Audit]) -> None:
    zone = desk().settings.zone
    now = datetime.now(UTC)
    tables.show_list(
        {
            "at": [words.stamp(row.at, zone, now) for row in found.rows],
            "action": [entry.action(row.action) for row in found.rows],
            "who": [row.who for row in found.rows],
            "subject": [entry.subject(row.action, row.subject) for row in found.rows],
            "change": [entry.change(row.before, row.after, row.subject) for row in found.rows],
            "origin": [entry.origin(row.origin, row.address) for row in found.rows],
            "role": [words.roles(row.roles.split(",")) or "—" for row in found.rows],
            "seq": [row.seq for row in found.rows],
        },
        {
            "at": st.column_config.TextColumn("When", width=118),
            "action": st.column_config.TextColumn("What", width=142),
            "who": st.column_config.TextColumn("Who", width=118),
            "subject": st.column_config.TextColumn("On what", width=120),
            "change": st.column_config.TextColumn("Before and after", width=364),
            "origin": st.column_config.TextColumn("From where", width=146),
            "role": st.column_config.TextColumn("Role", width=96),
            "seq": st.column_config.NumberColumn("Entry", width=70, format="%d"),
        },
        key="entries",
        alt="The audit log, newest first: when, what, who, on what, before and after, role and from where",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"Newest first, times in {datetime.now(zone):%Z}", width="content")
        tables.turn_pages(found.newer, found.older, key="entries")


def first_page() -> None:
    st.query_params.pop("cursor", None)


screen()
