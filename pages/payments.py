"""Payments: find one from what the customer says on the phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from lib.ledger.payment_csv import MOST_ROWS, payments_csv
from lib.ledger.payment_filter import PaymentFilter
from lib.ledger.queries import Count, Page, count_payments, find_payments, pulse
from lib.ledger.query_text import Reading
from lib.ledger.tables import Payment
from pages.parts import frame, live, payment_search, payment_views, simulator, tables, words
from pages.parts.session import desk, operator

FEW = 3
"""Up to so many payments found are offered as links."""


def screen() -> None:
    frame.page("Payments", "Find a payment from what the customer tells you; choose its amount to open it.")
    database = desk().database
    minute, drawn = live.this_minute(), pulse(database)
    reading = ask()
    page = find_payments(database, reading.wanted, cursor=st.query_params.get("cursor"))
    if page.rows:
        with frame.place():
            if len(page.rows) <= FEW and reading.wanted != PaymentFilter():
                show_links(page.rows)
        show_rows(page)
        turn(page, count_payments(database, reading.wanted))
    elif reading.wanted == PaymentFilter():
        with frame.empty(
            "receipt_long",
            "No payments yet",
            "Payments appear here as soon as one is requested, here or anywhere else on your account.",
            ("new_payment.py", "Create your first payment"),
        ):
            simulator.offer_sample_data()
    else:
        said = "Try fewer letters of the reference or e-mail address, or drop a filter."
        with frame.empty("search_off", "Nothing matches", said):
            st.button(
                "Clear all filters", icon=":material/filter_alt_off:", on_click=payment_search.clear, key="clear_all"
            )
    live.redraw_on_change(lambda: pulse(database), drawn, minute)


def ask() -> Reading:
    """What is searched for: in the box, in the filters, or as a view; and beside it what can be done with it."""
    typed = payment_search.search_box()
    with st.grid(4, min_column_width=140, width=640) as buttons:  # on a phone two and two
        payment_views.views()
        chosen, problems = payment_search.filters()
        payment_search.guide()
        last = buttons.cell()
    chosen = replace(chosen, statuses=payment_search.statuses())
    reading = payment_search.together(typed, chosen)
    problems += reading.problems
    with frame.place():
        for problem in problems:
            st.warning(words.plain(problem), icon=":material/help:")
    with last:
        download(reading.wanted, disabled=bool(problems))
    return reading


def download(wanted: PaymentFilter, *, disabled: bool) -> None:
    """The rows as a file, made only when it is asked for."""
    who, database, zone = operator(), desk().database, desk().settings.zone
    world = desk().settings.world_words
    if who.may("download"):
        st.download_button(
            "Download",
            lambda: payments_csv(database, who, wanted, now=datetime.now(UTC), zone=zone, world=world),
            file_name=f"payments-{datetime.now(zone):%Y-%m-%d-%H%M}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
            disabled=disabled,
            help=f"What you see and all pages after it, with its refunds, as CSV: at most {MOST_ROWS:,} rows.",
            key="download",
            width="stretch",
        )


def show_links(payments: Sequence[Payment]) -> None:
    """What was found as links too: rows are opened with a pointer only."""
    with st.container(horizontal=True, gap="small"):
        for payment in payments:
            name = words.plain(payment.reference or words.short_id(payment.id))
            label = f"Open {name}, {payment.money}"
            st.page_link("payment.py", label=label, icon=":material/arrow_forward:", query_params={"id": payment.id})


def show_rows(page: Page[Payment]) -> None:
    zone, now = desk().settings.zone, simulator.now()
    tables.payment_table(
        {
            "amount": [str(payment.money) for payment in page.rows],
            "status": [[words.status(payment.status).word] for payment in page.rows],
            "age": [words.ago(payment.requested_at, now) for payment in page.rows],
            "requested": [words.stamp(payment.requested_at, zone, now) for payment in page.rows],
            "reference": [payment.reference or "" for payment in page.rows],
            "customer": [payment.customer_email or payment.customer_name or "" for payment in page.rows],
        },
        [payment.id for payment in page.rows],
        {
            "amount": tables.money_column(),
            "status": tables.sign_column(words.STATUSES),
            "age": st.column_config.TextColumn("Age", width=92),
            "requested": st.column_config.TextColumn("Requested", width=140),
            "reference": st.column_config.TextColumn("Reference", width=140),
            "customer": st.column_config.TextColumn("Customer", width=224),
        },
        key="payments",
        alt="Payments, newest first; choose an amount, or an id in the last column, to open one",
    )


def turn(page: Page[Payment], count: Count) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        number = f"{count.number:,}{'' if count.exact else '+'}"
        st.caption(f"{number} payment{'' if number == '1' else 's'}, newest first", width="content")
        tables.turn_pages(page.newer, page.older, key="payments")


screen()
