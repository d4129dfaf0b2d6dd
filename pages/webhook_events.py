"""Webhook events: every delivery that reached us, our verdict on it, and what was in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from lib.ledger.deliveries import VERDICTS
from lib.ledger.facts import KNOWN_TYPES
from lib.ledger.queries import (
    DeliveryFilter,
    Page,
    delivery_counts,
    find_deliveries,
    pulse,
)
from lib.ledger.tables import Delivery
from lib.money import NBSP
from pages.parts import delivery, frame, live, proof, tables, words
from pages.parts.session import desk

REFUSED = ("bad_signature", "no_signature", "not_json", "too_large")
SET_ASIDE = ("quarantined", *REFUSED)
BY_WORD = {words.verdict(verdict).word: verdict for verdict in VERDICTS}


def screen() -> None:
    database = desk().database
    drawn, minute = pulse(database), live.this_minute()
    frame.page("Webhook events", "Every delivery that reached us, with our verdict and its reason.")
    views = st.tabs(list(VIEWS), key="view", bind="query-params", on_change=first_page)
    for view, show in zip(views, VIEWS.values(), strict=True):
        if view.open:
            with view:
                show()
    chosen = st.query_params.get("delivery")
    if chosen:
        delivery.detail(chosen)
    else:
        live.redraw_on_change(lambda: pulse(database), drawn, minute)


def show_deliveries() -> None:
    database = desk().database
    key_figures(delivery_counts(database, since=datetime.now(UTC) - timedelta(hours=24)))
    wanted = filters()
    found = find_deliveries(database, wanted, cursor=st.query_params.get("cursor"))
    if found.rows:
        show_list(found)
    else:
        show_nothing(wanted)


def show_quarantine() -> None:
    found = find_deliveries(desk().database, DeliveryFilter(verdicts=SET_ASIDE), cursor=st.query_params.get("cursor"))
    if not found.rows:
        frame.empty("verified_user", "Nothing is set aside", "Every delivery was signed, read and taken in.")
        return
    st.markdown(
        "Deliveries that we refused or could not read, kept for a while. Once the cause is mended, such as a missing "
        "signature key, what was kept whole can be tried again."
    )
    delivery.try_page_again(found.rows)
    show_list(found)


def key_figures(counts: dict[str, int]) -> None:
    figures = {
        f"Deliveries, 24{NBSP}h": sum(counts.values()),
        "Accepted": counts.get("accepted", 0) + counts.get("unknown_type", 0),
        "Duplicates": counts.get("duplicate", 0) + counts.get("conflicting", 0),
        "Refused": sum(counts.get(verdict, 0) for verdict in REFUSED),
    }
    with st.grid(4, min_column_width=140, gap="small"):
        for name, count in figures.items():
            st.metric(name, f"{count:,}", border=True)


def filters() -> DeliveryFilter:
    chosen = st.pills(
        "Verdict",
        list(BY_WORD),
        selection_mode="multi",
        key="verdict",
        bind="query-params",
        on_change=first_page,
        label_visibility="collapsed",
    )
    with st.container(horizontal=True, gap="small"):
        payment = st.text_input(
            "Payment",
            key="payment",
            bind="query-params",
            on_change=first_page,
            placeholder="Payment id",
            icon=":material/search:",
            label_visibility="collapsed",
        )
        types = st.multiselect(
            "Type",
            sorted(KNOWN_TYPES),
            key="type",
            bind="query-params",
            on_change=first_page,
            placeholder="Any type",
            accept_new_options=True,
            label_visibility="collapsed",
        )
        since, until = times()
    return DeliveryFilter(
        verdicts=tuple(BY_WORD[word] for word in chosen),
        types=tuple(types),
        payment_id=payment.strip(),
        since=since,
        until=until,
    )


def times() -> tuple[datetime | None, datetime | None]:
    zone = desk().settings.zone
    chosen = any(st.session_state.get(key) for key in ("came_from", "came_to"))
    with st.popover("Time, chosen" if chosen else "Time", icon=":material/schedule:"):
        bounds = [
            st.datetime_input(
                label, None, key=key, format="YYYY-MM-DD", step=60, on_change=first_page, bind="query-params"
            )
            for label, key in (("From", "came_from"), ("Before", "came_to"))
        ]
        st.caption(f"When it reached us, in {datetime.now(zone):%Z}.")
    since, until = (moment.replace(tzinfo=zone) if moment else None for moment in bounds)
    return since, until


def show_list(found: Page[Delivery]) -> None:
    zone = desk().settings.zone
    numbers: dict[str, int] = {}
    for row in found.rows:
        label = short_number(row.id or 0)
        numbers[label if label not in numbers else f"#{row.id}"] = row.id or 0
    tables.show_list(
        {
            "verdict": [[words.verdict(row.verdict).word] for row in found.rows],
            "delivery": list(numbers),
            "type": [row.event_type or "—" for row in found.rows],
            "received": [received(row, zone) for row in found.rows],
            "reason": [row.reason for row in found.rows],
            "payment": [words.short_id(row.payment_id) if row.payment_id else "—" for row in found.rows],
            "event": [words.short_id(row.event_id) if row.event_id else "—" for row in found.rows],
        },
        {
            "verdict": tables.sign_column(words.VERDICTS, "Verdict", 116),
            "delivery": st.column_config.ButtonColumn(
                "Delivery", type="tertiary", alignment="left", width=82, key="chosen", on_click=choose, args=(numbers,)
            ),
            "type": st.column_config.TextColumn("Type", width=168),
            "received": st.column_config.TextColumn("Received", width=160),
            "reason": st.column_config.TextColumn("Reason", width=228),
            "payment": st.column_config.TextColumn("Payment", width=126),
            "event": st.column_config.TextColumn("Event", width=126),
        },
        key="deliveries",
        alt="Deliveries, newest first; choose a number to see what was delivered",
    )
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"Newest first, times in {datetime.now(zone):%Z}", width="content")
        tables.turn_pages(found.newer, found.older, key="deliveries")


def show_nothing(wanted: DeliveryFilter) -> None:
    if wanted != DeliveryFilter():
        frame.empty(
            "filter_alt_off", "No such delivery", "Nothing that reached us fits these filters. Clear some of them."
        )
    elif st.query_params.get("cursor"):
        frame.empty("first_page", "Nothing further back", "This page of the list is empty.")
        st.button("Newest deliveries", on_click=first_page)
    else:
        frame.empty(
            "webhook",
            "No delivery yet",
            f"Checkout.com sends its events to `{desk().public_url}/webhooks/checkout`. Create a payment, and the first one arrives.",
            ("new_payment.py", "New payment"),
        )


def first_page() -> None:
    st.query_params.pop("cursor", None)


def short_number(number: int) -> str:
    """`#1234`; of sample data, whose numbers are long and below zero, the end: `#…123456`."""
    return f"#{number}" if number >= 0 else f"#…{-number % 1_000_000:06}"


def choose(numbers: dict[str, int]) -> None:
    # By its label, not its place: the list may have grown since the person saw it.
    number = numbers.get(st.session_state["chosen"]["label"])
    if number is not None:
        st.query_params["delivery"] = str(number)


def received(row: Delivery, zone: ZoneInfo) -> str:
    local = row.received_at.astimezone(zone)
    return f"{local:%-d %b %H:%M:%S %Z}"


VIEWS = {"Deliveries": show_deliveries, "Quarantine": show_quarantine, "Replay proof": proof.show}

screen()
