"""New payment: the form, and once it is sent, the link to hand over and what becomes of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pandas as pd
import streamlit as st

from lib import catalog
from lib.catalog import Preset
from lib.ledger.drafts import BadDraft, ItemDraft, PaymentDraft, new_reference
from lib.ledger.payments import find_creation, new_key, request_payment
from lib.money import parse
from pages.parts import created, frame, words
from pages.parts.session import desk, operator

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


def screen() -> None:
    frame.page("New payment", "Ask Checkout.com for a KakaoPay payment and hand its link to the customer.")
    key = st.query_params.get("key")
    creation = find_creation(desk().database, key) if key else None
    if creation:
        created.show(creation, start_again, correct)
        return
    if key:
        st.info("No payment was sent under this address. Fill in the form to start one.", icon=":material/info:")
    open_form()
    form()


def open_form() -> None:
    """One key an opened form: however often it is sent, it makes one payment."""
    state = st.session_state
    if "form_key" not in state or find_creation(desk().database, state["form_key"]):
        state["form_key"] = new_key()
        state["reference"] = new_reference()
    if "amount" not in state:
        fill(RULES.presets[0])
        state["customer_email"] = "" if desk().settings.world == "live" else EXAMPLE_EMAIL
    for name in FIELDS:
        state.setdefault(name, "")


def start_again() -> None:
    """An empty address is an empty form; what was typed last is proposed again, under a new reference."""
    st.query_params.clear()


def correct() -> None:
    """Back to the form with everything as it was typed, to be sent under a new key."""
    st.query_params.clear()
    reference = st.session_state.get("reference")
    st.session_state["form_key"] = new_key()
    if reference:
        st.session_state["reference"] = reference


def fill(preset: Preset) -> None:
    offered = desk().settings.currencies
    st.session_state.update(
        amount=preset.amount,
        currency=preset.currency if preset.currency in offered else offered[0],
        terminal_type=preset.terminal_type,
        os_type=preset.os_type or next(iter(RULES.os_types)),
        payment_type=preset.payment_type,
        country=preset.country,
    )


def typed() -> PaymentDraft:
    """What stands in the fields now."""
    texts = {name: str(st.session_state[name] or "").strip() for name in FIELDS}
    home = f"{desk().public_url}/payment?reference={quote(texts['reference'], safe='')}"
    return PaymentDraft(
        **texts
        | {
            "os_type": None if texts["terminal_type"] == "WEB" else texts["os_type"],
            "success_url": texts["success_url"] or home,
            "failure_url": texts["failure_url"] or home,
            "items": typed_items(),
        }
    )


def typed_items() -> tuple[ItemDraft, ...]:
    rows = st.session_state.get("items", {}).get("added_rows", [])
    return tuple(
        ItemDraft(
            **{name: str(row.get(name) or "").strip() for name in ("name", "reference", "unit_price", "quantity")}
        )
        for row in rows
        if any(row.get(name) for name in ("name", "reference", "unit_price"))
    )


@st.fragment
def form() -> None:
    """The form and the request it makes. A fragment, so that typing redraws nothing else."""
    draft = typed()
    problems = draft.problems(desk().settings)
    fields, preview = st.columns([5, 6], gap="large")
    with fields:
        examples()
        payment_fields(draft, problems)
        customer_fields(problems)
        channel_fields(draft, problems)
        with st.expander("Items and return addresses", icon=":material/tune:"):
            optional_fields(draft, problems)
        if st.button(frame.primary("Request payment", "send"), type="primary", width="stretch", key="send"):
            send(draft, problems)
    with preview:
        show_preview(draft, problems)


def examples() -> None:
    """Filled-in forms to start from. Choosing one fills the fields and stays unchosen, since the fields may change after."""
    named = {preset.name: preset for preset in RULES.presets}

    def take() -> None:
        chosen = named.get(st.session_state["example"] or "")
        st.session_state["example"] = None
        if chosen:
            fill(chosen)

    st.pills("Start from an example", list(named), key="example", on_change=take, wrap=True)


def payment_fields(draft: PaymentDraft, problems: dict[str, str]) -> None:
    with st.container(gap="xxsmall"):
        amount, currency = st.columns([3, 2])
        with amount:
            text("Amount", "amount", help="As you would say it, with a point for decimals: 11.00")
        with currency:
            st.selectbox("Currency", desk().settings.currencies, key="currency", persist_state="session")
        if not problem(problems, "amount", "currency"):
            money = parse(draft.amount, draft.currency)
            st.markdown(f":gray[:small[Sends {money.minor} = {money}]]")
    text("Reference", "reference", help="Your order number. The customer quotes it when they call.")
    problem(problems, "reference")


def customer_fields(problems: dict[str, str]) -> None:
    email, name = st.columns(2)
    with email:
        text("Customer e-mail", "customer_email", placeholder="Optional", icon=":material/mail:")
        problem(problems, "customer_email")
    with name:
        text("Customer name", "customer_name", placeholder="Optional", icon=":material/person:")
        problem(problems, "customer_name")


def channel_fields(draft: PaymentDraft, problems: dict[str, str]) -> None:
    where, kind = st.columns(2)
    with where:
        choice("Where does the customer pay?", "terminal_type", RULES.terminal_types)
        problem(problems, "terminal_type")
    with kind:
        choice("Payment type", "payment_type", RULES.payment_types)
        problem(problems, "payment_type")
    country, system = st.columns(2)
    with country:
        names = catalog.countries()
        st.selectbox(
            "Ship to",
            sorted(names, key=names.__getitem__),
            key="country",
            format_func=names.__getitem__,
            persist_state="session",
        )
        problem(problems, "country")
    if draft.terminal_type != "WEB":
        with system:
            choice("Phone system", "os_type", RULES.os_types)
            problem(problems, "os_type")


def optional_fields(draft: PaymentDraft, problems: dict[str, str]) -> None:
    lines = pd.DataFrame({name: pd.Series(dtype="object") for name in ("name", "reference", "unit_price", "quantity")})
    st.markdown(":small[Items, as the customer sees them. Leave empty if you like.]")
    st.data_editor(
        lines,
        num_rows="dynamic",
        hide_index=True,
        key="items",
        column_config={
            "name": st.column_config.TextColumn("Name"),
            "reference": st.column_config.TextColumn("Reference"),
            "unit_price": st.column_config.TextColumn(f"Unit price, {draft.currency}", alignment="right"),
            "quantity": st.column_config.TextColumn("Quantity", default="1", alignment="right"),
        },
        alt="Items of the order: name, reference, unit price and quantity",
    )
    problem(problems, "items")
    text("Description", "description", placeholder="Optional")
    problem(problems, "description")
    here = "This payment's page here"
    text(
        "Address after success",
        "success_url",
        placeholder=here,
        help="Where the wallet sends the customer after paying.",
    )
    problem(problems, "success_url")
    text(
        "Address after failure",
        "failure_url",
        placeholder=here,
        help="Where the wallet sends a customer who did not pay.",
    )
    problem(problems, "failure_url")


def send(draft: PaymentDraft, problems: dict[str, str]) -> None:
    """Ask for the payment and move to its address, which survives a reload."""
    if problems:
        st.error("Not sent yet: mend the fields marked in red first.", icon=":material/edit:")
        return
    key = st.session_state["form_key"]
    try:
        with st.spinner("Asking Checkout.com…"):
            creation = request_payment(desk(), operator(), draft, key=key)
    except BadDraft as error:
        st.error(words.plain(str(error)), icon=":material/edit:")
        return
    st.query_params["key"] = creation.key
    st.rerun()


def show_preview(draft: PaymentDraft, problems: dict[str, str]) -> None:
    with st.container(border=True, gap="xsmall"):
        st.subheader("What will be sent", anchor=False)
        if problems:
            st.markdown(":material/edit: The request appears here once every field can be sent.")
            return
        st.markdown(":small[`POST /payments`, exactly as Checkout.com receives it]")
        st.json(draft.body(desk().settings))


def text(label: str, name: str, **options: Any) -> None:
    st.text_input(label, key=name, live=True, persist_state="session", **options)


def choice(label: str, name: str, options: dict[str, str]) -> None:
    st.segmented_control(
        label,
        list(options),
        key=name,
        required=True,
        format_func=options.__getitem__,
        width="stretch",
        persist_state="session",
    )


def problem(problems: dict[str, str], *names: str) -> bool:
    """Say beside the field why it cannot be sent."""
    found = [problems[name] for name in names if name in problems]
    for sentence in found:
        st.markdown(f":red[:material/error: :small[{words.plain(sentence)}]]")
    return bool(found)


screen()
