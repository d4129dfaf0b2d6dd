"""What stands in the fields of a new payment: proposed, typed, and put back from what was sent."""

from __future__ import annotations

import json

import streamlit as st

from lib import catalog
from lib.catalog import Preset
from lib.ledger.drafts import ItemDraft, PaymentDraft, new_reference
from lib.ledger.payments import find_creation, new_key
from lib.ledger.tables import Creation
from lib.money import Money
from pages.parts.session import desk

RULES = catalog.kakaopay()
EXAMPLE_EMAIL = "test@test.com"  # the customer of the KakaoPay page's examples
FIELDS = (
    "amount",
    "currency",
    "reference",
    "customer_email",
    "customer_name",
    "terminal_type",
    "os_type",
    "payment_type",
    "country",
    "description",
    "success_url",
    "failure_url",
)
ITEM = ("name", "reference", "unit_price", "quantity")
KEY = "new_payment_key"


def open_form() -> None:
    """One key an opened form: however often it is sent, it makes one payment."""
    state = st.session_state
    if KEY not in state or find_creation(desk().database, state[KEY]):
        state[KEY] = new_key()
        state[slot("reference")] = new_reference()
    if slot("amount") not in state:
        fill(RULES.presets[0])
        state[slot("customer_email")] = "" if desk().settings.world == "live" else EXAMPLE_EMAIL
    for name in FIELDS:
        state.setdefault(slot(name), "")


def slot(name: str) -> str:
    """Where a field's value is kept. Other screens have fields of the same names."""
    return f"new_{name}"


def start_again(creation: Creation) -> None:
    """An empty address is an empty form; what was sent last is proposed again, under a new reference."""
    correct(creation)
    st.session_state[slot("reference")] = new_reference()


def correct(creation: Creation) -> None:
    """Back to the form with everything as it was sent, to be sent under a new key."""
    st.query_params.clear()
    st.session_state[KEY] = new_key()
    body = json.loads(creation.body)
    processing, customer = body.get("processing", {}), body.get("customer", {})
    currency, home = body["currency"], desk().payment_page(body["reference"])
    refilled = {
        "amount": Money(body["amount"], currency).figure,
        "currency": currency,
        "reference": body["reference"],
        "customer_email": customer.get("email", ""),
        "customer_name": customer.get("name", ""),
        "terminal_type": processing.get("terminal_type", "WEB"),
        "os_type": processing.get("os_type") or next(iter(RULES.os_types)),
        "payment_type": body["payment_type"],
        "country": body.get("shipping", {}).get("address", {}).get("country", ""),
        "description": body.get("description", ""),
        **{name: "" if body.get(name) == home else body.get(name, "") for name in ("success_url", "failure_url")},
        "items": [],
    }
    st.session_state.update({slot(name): value for name, value in refilled.items()})
    for item in body.get("items", []):
        price = Money(item["unit_price"], currency).figure
        add_item(
            name=item["name"],
            reference=item.get("reference", ""),
            unit_price=price,
            quantity=str(item["quantity"]),
        )


def fill(preset: Preset) -> None:
    offered = desk().settings.currencies
    chosen = {
        "amount": preset.amount,
        "currency": preset.currency if preset.currency in offered else offered[0],
        "terminal_type": preset.terminal_type,
        "os_type": preset.os_type or next(iter(RULES.os_types)),
        "payment_type": preset.payment_type,
        "country": preset.country,
    }
    st.session_state.update({slot(name): value for name, value in chosen.items()})


def typed() -> PaymentDraft:
    """What stands in the fields now."""
    texts = {name: str(st.session_state[slot(name)] or "").strip() for name in FIELDS}
    home = desk().payment_page(texts["reference"])
    return PaymentDraft(
        **texts
        | {
            "os_type": None if texts["terminal_type"] == "WEB" else texts["os_type"],
            "success_url": texts["success_url"] or home,
            "failure_url": texts["failure_url"] or home,
            "items": tuple(ItemDraft(**line) for line in lines()),
        }
    )


def lines() -> list[dict[str, str]]:
    """The items as typed, each under the names of an `ItemDraft`."""
    return [{name: st.session_state[item_slot(number, name)].strip() for name in ITEM} for number in items()]


def items() -> list[int]:
    """The numbers of the lines that are on the screen."""
    return list(st.session_state.get(slot("items"), []))


def item_slot(number: int, name: str) -> str:
    return slot(f"item_{number}_{name}")


def add_item(**texts: str) -> None:
    """One more line; a number is never used twice, so that no line inherits what stood in another."""
    number = st.session_state.get(slot("items_so_far"), 0) + 1
    st.session_state[slot("items_so_far")] = number
    st.session_state[slot("items")] = [*items(), number]
    st.session_state.update({item_slot(number, name): texts.get(name, "") for name in ITEM})


def remove_item(number: int) -> None:
    st.session_state[slot("items")] = [other for other in items() if other != number]
