"""Refunds: every refund, whoever asked for it, and where it stands."""

from __future__ import annotations

import streamlit as st

from lib import catalog
from lib.ledger.queries import Page, RefundFilter, any_refund, find_refunds, payments_of, pulse
from lib.ledger.refunds import expected_between
from lib.ledger.tables import Refund
from pages.parts import frame, live, tables, words
from pages.parts.session import desk

OFFERED = ("awaiting_approval", "submitting", "pending", "refunded", "declined", "failed", "cancelled")
BY_WORD = {words.refund_status(status).word: status for status in OFFERED}


def screen() -> None:
    database = desk().database
    drawn, minute = pulse(database), live.this_minute()
    frame.page("Refunds", "Where every refund stands. The customer usually has the money within 3 to 10 business days.")
    if not any_refund(database):
        frame.empty(
            "undo",
            "No refund yet",
            "Open a captured payment to give part or all of it back. Refunds made elsewhere appear here too.",
            ("payments.py", "Payments"),
        )
    else:
        found = find_refunds(database, filters(), cursor=st.query_params.get("cursor"))
        if found.rows:
            show_list(found)
        else:
            frame.empty(
                "filter_alt_off", "No such refund", "Nothing fits this search. Clear it, or choose another status."
            )
    live.redraw_on_change(lambda: pulse(database), drawn, minute)


def filters() -> RefundFilter:
    search, more = st.columns([5, 1], vertical_alignment="bottom", wrap=False)
    with search:
        text = st.text_input(
            "Search",
            type="search",
            live=True,
            key="refund_search",
            bind="query-params",
            on_change=first_page,
            placeholder="Reference, e-mail or id",
            icon=":material/search:",
            label_visibility="collapsed",
        )
    with more, st.popover("Filters", icon=":material/filter_list:", width="stretch"):
        currencies = st.pills(
            "Currency",
            list(dict.fromkeys([*desk().settings.currencies, *catalog.currencies()])),
            selection_mode="multi",
            key="refund_currency",
            bind="query-params",
            on_change=first_page,
        )
    chosen = st.pills(
        "Status",
        list(BY_WORD),
        selection_mode="multi",
        key="refund_status",
        bind="query-params",
        on_change=first_page,
        label_visibility="collapsed",
    )
    return RefundFilter(
        text=(text or "").strip(), statuses=tuple(BY_WORD[word] for word in chosen), currencies=tuple(currencies)
    )


def show_list(found: Page[Refund]) -> None:
    payments = payments_of(desk().database, (row.payment_id for row in found.rows))
    tables.payment_table(
        {
            "amount": [str(row.money) for row in found.rows],
            "status": [[words.refund_sign(row).word] for row in found.rows],
            "age": [words.ago(row.requested_at) for row in found.rows],
            "reference": [
                (payments[row.payment_id].reference or "") if row.payment_id in payments else "" for row in found.rows
            ],
            "reason": [row.reason_label or words.reason(row.reason) for row in found.rows],
            "by": [row.requested_by or "—" for row in found.rows],
            "arrives": [arrives(row) for row in found.rows],
        },
        [row.payment_id for row in found.rows],
        {
            "amount": tables.money_column(),
            "status": tables.sign_column({**words.REFUND_STATUSES, "held": words.KEPT_BACK}),
            "age": st.column_config.TextColumn("Age", width=84),
            "reference": st.column_config.TextColumn("Reference", width=132),
            "reason": st.column_config.TextColumn("Reason", width=150),
            "by": st.column_config.TextColumn("Requested by", width=110),
            "arrives": st.column_config.TextColumn(
                "Arrives", width=120, help="When the customer should have the money: after 3 to 10 business days"
            ),
        },
        key="refunds",
        alt="Refunds, newest first",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption("Newest first", width="content")
        tables.turn_pages(found.newer, found.older, key="refunds")


def first_page() -> None:
    st.query_params.pop("cursor", None)


def arrives(row: Refund) -> str:
    if row.status not in ("submitting", "pending", "refunded"):
        return "—"
    earliest, latest = expected_between(row)
    return f"{earliest:%-d %b} – {latest:%-d %b}"


screen()
