"""Payments: find one from what the customer says on the phone."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from lib import catalog
from lib.ledger.periods import whole_days
from lib.ledger.queries import Count, Page, PaymentFilter, count_payments, find_payments, pulse
from lib.ledger.tables import Payment
from pages.parts import frame, live, tables, words
from pages.parts.session import desk

EMPTY = {"q": "", "status": [], "currency": [], "terminal": None, "since": None, "until": None}


def screen() -> None:
    frame.page("Payments", "Find a payment from what the customer tells you.")
    database = desk().database
    drawn = pulse(database)
    live.redraw_on_change(lambda: pulse(database), drawn, live.this_minute())
    wanted = filters()
    page = find_payments(database, wanted, cursor=st.query_params.get("cursor"))
    if page.rows:
        show_rows(page)
        turn(page, count_payments(database, wanted))
    elif wanted == PaymentFilter():
        frame.empty(
            "receipt_long",
            "No payments yet",
            "Payments appear here as soon as one is requested, here or anywhere else on your account.",
            ("new_payment.py", "Create your first payment"),
        )
    else:
        said = "Try fewer letters of the reference or e-mail address, or drop a filter."
        with frame.empty("search_off", "Nothing matches", said):
            st.button("Clear all filters", icon=":material/filter_alt_off:", on_click=clear, key="clear_all")


def filters() -> PaymentFilter:
    """The filters, all of them in the address, so that it can be reloaded and sent to a colleague."""
    search, more = st.columns([5, 1], vertical_alignment="bottom", wrap=False)
    with search:
        text = st.text_input(
            "Search",
            type="search",
            key="q",
            live=True,
            placeholder="Reference, e-mail or payment id",
            icon=":material/search:",
            label_visibility="collapsed",
            on_change=first_page,
            bind="query-params",
        )
    with more:
        currencies, terminal, since, until = more_filters()
    statuses = st.pills(
        "Status",
        list(words.STATUSES),
        selection_mode="multi",
        key="status",
        label_visibility="collapsed",
        on_change=first_page,
        bind="query-params",
        wrap=True,
    )
    return PaymentFilter(
        text=(text or "").strip(),
        statuses=tuple(statuses),
        currencies=tuple(currencies),
        terminal_type=terminal,
        since=since,
        until=until,
    )


def more_filters() -> tuple[list[str], str | None, datetime | None, datetime | None]:
    chosen = sum(bool(st.session_state.get(name)) for name in ("currency", "terminal", "since", "until"))
    zone = desk().settings.zone
    with st.popover(f"Filters ({chosen})" if chosen else "Filters", icon=":material/filter_list:", width="stretch"):
        currencies = st.pills(
            "Currency",
            list(dict.fromkeys([*desk().settings.currencies, *catalog.currencies()])),
            selection_mode="multi",
            key="currency",
            on_change=first_page,
            bind="query-params",
        )
        kinds = catalog.kakaopay().terminal_types
        terminal = st.pills(
            "Where the customer pays",
            list(kinds),
            key="terminal",
            format_func=kinds.__getitem__,
            on_change=first_page,
            bind="query-params",
        )
        first, last = st.columns(2)
        since = first.date_input(
            "From", None, key="since", format="YYYY-MM-DD", on_change=first_page, bind="query-params"
        )
        until = last.date_input("To", None, key="until", format="YYYY-MM-DD", on_change=first_page, bind="query-params")
        st.caption(f"Whole days in {datetime.now(zone):%Z}, by the time of the request.")
        st.button("Clear all filters", icon=":material/filter_alt_off:", on_click=clear, key="clear", width="stretch")
    start = whole_days(since, since, zone).since if since else None
    end = whole_days(until, until, zone).until if until else None
    return list(currencies), terminal, start, end


def show_rows(page: Page[Payment]) -> None:
    zone, now = desk().settings.zone, datetime.now(UTC)
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
            "customer": st.column_config.TextColumn("Customer", width=190),
        },
        key="payments",
        alt="Payments, newest first; choose an id in the last column to open one",
    )


def turn(page: Page[Payment], count: Count) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        number = f"{count.number:,}{'' if count.exact else '+'}"
        st.caption(f"{number} payment{'' if number == '1' else 's'}, newest first", width="content")
        tables.turn_pages(page.newer, page.older, key="payments")


def first_page() -> None:
    st.query_params.pop("cursor", None)


def clear() -> None:
    first_page()
    st.session_state.update(EMPTY)


screen()
