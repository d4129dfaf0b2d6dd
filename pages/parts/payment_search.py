"""The search box and the filters of the payments list, all of them in the address."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs

import streamlit as st

from lib import catalog
from lib.ledger import query_text
from lib.ledger.payment_filter import ANY, REFUND_STATES, Bound, Contradiction, PaymentFilter, both
from lib.ledger.periods import whole_days
from lib.ledger.query_fields import FIELDS, number
from lib.ledger.query_text import Reading
from pages.parts import words
from pages.parts.kept import kept
from pages.parts.session import desk

EMPTY: dict[str, Any] = {
    "q": "",
    "status": [],
    "currency": [],
    "terminal": None,
    "refund": None,
    "since": None,
    "until": None,
    "least": "",
    "most": "",
    "recurring": False,
}
"""The parameters of the address and what they are when nothing is chosen."""
BEHIND = ("currency", "terminal", "refund", "since", "until", "least", "most", "recurring")
"""Those in the pop-over, which one does not see."""
WORDS = {
    "ORD-1042": "Any part of a reference, an e-mail address, a name or a payment id; a refund's whole action id",
    "1100": "That amount in any currency, or a part of a reference",
    "HKD 1,100": "That amount in that currency",
}


def search_box() -> str:
    """The box; what was typed."""
    typed = st.text_input(
        "Search",
        type="search",
        key="q",
        live=True,
        placeholder="Reference, e-mail, name, amount, id, or field:value",
        icon=":material/search:",
        label_visibility="collapsed",
        on_change=first_page,
        bind="query-params",
    )
    return typed or ""


@kept
def guide() -> None:
    """A pop-over with what can be typed into the box."""
    with st.popover("How to search", icon=":material/help:", width="stretch"):
        examples = WORDS | {field.example: field.meaning for field in FIELDS.values()}
        st.caption("Several at once must all hold. Put quotation marks around what has a space in it.")
        st.table(
            {"Type": [f"`{example}`" for example in examples], "To find": list(examples.values())},
            border="horizontal",
            hide_index=True,
        )


def statuses() -> tuple[str, ...]:
    """The statuses, in sight."""
    chosen = st.pills(
        "Status",
        list(words.STATUSES),
        selection_mode="multi",
        key="status",
        label_visibility="collapsed",
        on_change=first_page,
        bind="query-params",
        wrap=True,
    )
    return tuple(chosen)


def filters() -> tuple[PaymentFilter, list[str]]:
    """The other filters, in a pop-over; and a sentence for each that cannot be used."""
    chosen = sum(bool(st.session_state.get(name)) for name in BEHIND)
    zone, kinds = desk().settings.zone, catalog.kakaopay().terminal_types
    with st.popover(f"Filters ({chosen})" if chosen else "Filters", icon=":material/filter_list:", width="stretch"):
        currencies = _pills("Currency", [*desk().settings.currencies, *catalog.currencies()], "currency", several=True)
        low, high = st.columns(2)
        least, most = _amount(low, "Amount at least", "least"), _amount(high, "Amount at most", "most")
        refund = _pills("Refunds", REFUND_STATES, "refund")
        terminal = _pills("Where the customer pays", kinds, "terminal")
        first, last = st.columns(2)
        since, until = _day(first, "From", "since"), _day(last, "To", "until")
        st.caption(f"Whole days in {datetime.now(zone):%Z}, by the time of the request.")
        recurring = st.toggle("Recurring payments only", key="recurring", on_change=first_page, bind="query-params")
        st.button("Clear all filters", icon=":material/filter_alt_off:", on_click=clear, key="clear", width="stretch")
    problems = [
        f"“{typed}” is no amount. Use digits and a point for decimals, such as 1,100.00."
        for typed in (least, most)
        if typed and number(typed) is None
    ]
    bounds = [(sign, number(typed)) for sign, typed in ((">=", least), ("<=", most))]
    wanted = PaymentFilter(
        currencies=tuple(currencies),
        terminal_type=terminal,
        amounts=tuple(Bound(sign, major) for sign, major in bounds if major is not None),  # type: ignore[arg-type]
        refund=refund,
        chain=ANY if recurring else None,
        since=whole_days(since, since, zone).since if since else None,
        until=whole_days(until, until, zone).until if until else None,
    )
    return wanted, problems


def together(typed: str, chosen: PaymentFilter) -> Reading:
    """What the box and the filters want together, and what of it cannot be."""
    reading = query_text.read(typed, now=datetime.now(UTC), zone=desk().settings.zone)
    try:
        return Reading(both(reading.wanted, chosen), reading.problems)
    except Contradiction as contradiction:
        return Reading(reading.wanted, (*reading.problems, str(contradiction)))


def address() -> dict[str, str | list[str]]:
    """What is chosen, as the address has it."""
    chosen = {name: st.session_state.get(name) for name in EMPTY}
    for name, labels in _labels().items():
        chosen[name] = labels.get(chosen[name])
    return {name: value if isinstance(value, list) else _plain(value) for name, value in chosen.items() if value}


def show(view: str) -> None:
    """Choose what this address says, and nothing else. For callbacks."""
    said = parse_qs(view)
    chosen: dict[str, Any] = {}
    for name, values in said.items():
        if isinstance(EMPTY.get(name), list):
            chosen[name] = values
        elif name in _labels():
            chosen[name] = next((value for value, label in _labels()[name].items() if label == values[0]), None)
        elif name in ("since", "until"):
            chosen[name] = date.fromisoformat(values[0])
        elif name in EMPTY:
            chosen[name] = values[0] == "true" if name == "recurring" else values[0]
    first_page()
    st.session_state.update(EMPTY | chosen)


def clear() -> None:
    """Choose nothing. For callbacks."""
    show("")


def first_page() -> None:
    """Go back to the newest. For callbacks."""
    st.query_params.pop("cursor", None)


def _labels() -> dict[str, Mapping[str, str]]:
    """Of what the address names by its label, the labels by value."""
    return {"refund": REFUND_STATES, "terminal": catalog.kakaopay().terminal_types}


def _pills(label: str, options: Any, key: str, *, several: bool = False) -> Any:
    words_of = options if isinstance(options, dict) else {}
    return st.pills(
        label,
        list(dict.fromkeys(options)),
        selection_mode="multi" if several else "single",
        key=key,
        format_func=lambda option: words_of.get(option, option),
        on_change=first_page,
        bind="query-params",
    )


def _amount(place: Any, label: str, key: str) -> str:
    typed = place.text_input(label, key=key, max_chars=20, on_change=first_page, bind="query-params")
    return (typed or "").strip()


def _day(place: Any, label: str, key: str) -> date | None:
    day: date | None = place.date_input(
        label, None, key=key, format="YYYY-MM-DD", on_change=first_page, bind="query-params"
    )
    return day


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return "true" if value is True else str(value)
