"""New payment: the form, and once it is sent, the link to hand over and what becomes of it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lib import catalog
from lib.ledger.drafts import BadDraft, PaymentDraft
from lib.ledger.payments import find_creation, request_payment
from lib.money import parse
from pages.parts import created, frame, live, words
from pages.parts import payment_fields as fields
from pages.parts.session import desk, operator

RULES = catalog.kakaopay()
OPTIONAL = "Items and return addresses"
FOLDED = {"items", "description", "success_url", "failure_url"}


def screen() -> None:
    frame.page("New payment", "Ask Checkout.com for a KakaoPay payment and hand its link to the customer.")
    if not frame.allowed("create"):
        return
    key = st.query_params.get("key")
    creation = find_creation(desk().database, key) if key else None
    if creation:
        created.show(creation, fields.start_again, fields.correct)
        return
    with frame.place():
        if key:
            st.info("No payment was sent under this address. Fill in the form to start one.", icon=":material/info:")
    fields.open_form()
    form()


@live.fragment
def form() -> None:
    """The form and the request it makes. A fragment, so that typing redraws nothing else."""
    draft = fields.typed()
    problems = draft.problems(desk().settings)
    left, right = st.columns([5, 6], gap="large")
    with left:
        examples()
        order_fields(draft, problems)
        customer_fields(problems)
        channel_fields(draft, problems)
        with st.expander(OPTIONAL, icon=":material/tune:"):
            optional_fields(draft, problems)
        # The button belongs to this one form: a late second click cannot press the next form's button.
        button = fields.slot(f"send_{st.session_state[fields.KEY]}")
        if st.button(frame.primary("Request payment", "send"), type="primary", width="stretch", key=button):
            send(draft, problems)
    with right:
        show_preview(draft, problems)


def examples() -> None:
    """Filled-in forms to start from: buttons, because nothing stays chosen, as the fields may change after."""
    with st.container(gap="xxsmall"):
        st.markdown(":small[Start from an example]")
        with st.container(horizontal=True, gap="xsmall"):
            for number, preset in enumerate(RULES.presets):
                key = fields.slot(f"example_{number}")
                st.button(preset.name, key=key, on_click=fields.fill, args=(preset,))


def order_fields(draft: PaymentDraft, problems: dict[str, str]) -> None:
    with st.container(gap="xxsmall"):
        amount, currency = st.columns([3, 2])
        with amount:
            text("Amount", "amount", help="As you would say it, with a point for decimals: 11.00")
        with currency:
            st.selectbox("Currency", desk().settings.currencies, key=fields.slot("currency"), persist_state="session")
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
            ["", *sorted(names, key=names.__getitem__)],
            key=fields.slot("country"),
            format_func=lambda code: names.get(code, "Not given"),
            persist_state="session",
        )
        problem(problems, "country")
    if draft.terminal_type != "WEB":
        with system:
            choice("Phone system", "os_type", RULES.os_types)
            problem(problems, "os_type")


def optional_fields(draft: PaymentDraft, problems: dict[str, str]) -> None:
    with frame.place():
        for number in fields.items():
            item_fields(number, draft.currency)
    st.button(
        "Add an item", icon=":material/add:", key=fields.slot("add"), on_click=fields.add_item, kwargs={"quantity": "1"}
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


def item_fields(number: int, currency: str) -> None:
    """One line of the order: what it is, and what one piece costs."""
    labels = {"name": "Item", "reference": "Item reference", "unit_price": f"Price of one in {currency}"}
    name, reference = st.columns(2)
    price, quantity, remove = st.columns([5, 4, 1], vertical_alignment="bottom")
    for column, part in ((name, "name"), (reference, "reference"), (price, "unit_price"), (quantity, "quantity")):
        with column:
            text(labels.get(part, "Pieces"), f"item_{number}_{part}")
    remove.button(
        "",
        icon=":material/close:",
        help="Remove this item",
        key=fields.slot(f"remove_{number}"),
        on_click=fields.remove_item,
        args=(number,),
    )


def send(draft: PaymentDraft, problems: dict[str, str]) -> None:
    """Ask for the payment and move to its address, which survives a reload."""
    if problems:
        where = f", also under {OPTIONAL}" if problems.keys() & FOLDED else ""
        st.error(f"Not sent yet: mend the fields marked in red first{where}.", icon=":material/edit:")
        return
    key = st.session_state[fields.KEY]
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
    st.text_input(label, key=fields.slot(name), live=True, persist_state="session", **options)


def choice(label: str, name: str, options: dict[str, str]) -> None:
    st.segmented_control(
        label,
        list(options),
        key=fields.slot(name),
        required=True,
        format_func=options.__getitem__,
        width="stretch",
        persist_state="session",
    )


def problem(problems: dict[str, str], *names: str) -> bool:
    """Say beside the field why it cannot be sent."""
    found = [problems[name] for name in names if name in problems]
    with frame.place():
        for sentence in found:
            st.markdown(f":red[:material/error: :small[{words.plain(sentence)}]]")
    return bool(found)


screen()
