"""Charging the stored source of a recurring payment, without the customer."""

from __future__ import annotations

import streamlit as st

from lib.ledger.drafts import BadDraft, new_reference
from lib.ledger.payments import CannotCharge, find_creation, new_key
from lib.ledger.payments import charge_again as charge_source
from lib.ledger.queries import find_payment
from lib.ledger.tables import Creation, Payment
from lib.money import BadAmount, Money, parse
from pages.parts import frame, live, words
from pages.parts.session import desk, operator


def charged(payment: Payment) -> str | None:
    """The payment that the form on this screen made, once it is known."""
    key = st.session_state.get(key_name(payment))
    creation = find_creation(desk().database, key) if key else None
    return creation.payment_id if creation else None


def show(payment: Payment) -> None:
    """The form, or what became of it; only where there is a stored source that has paid."""
    if not (payment.source_id and payment.captured):
        return
    key = st.session_state.setdefault(key_name(payment), new_key())
    creation = find_creation(desk().database, key)
    with st.container(border=True):
        st.subheader("Charge again", anchor=False)
        if creation:
            show_done(payment, creation)
        else:
            form(payment, key)


def key_name(payment: Payment) -> str:
    return f"charge_key_{payment.id}"


@live.fragment
def form(payment: Payment, key: str) -> None:
    """A fragment, so that typing redraws nothing else."""
    st.session_state.setdefault(f"reference_{key}", new_reference())
    st.markdown(":small[:gray[The customer agreed to recurring payments: no link has to be opened.]]")
    with frame.place():
        if problem := st.session_state.get(f"problem_{key}"):
            st.error(words.plain(problem), icon=":material/error:")
    text = st.text_input(
        f"Amount in {payment.money.currency}", key=f"charge_{key}", live=True, placeholder=payment.money.figure
    )
    with frame.place():
        amount = show_echo(text or "", payment.money.currency)
    reference = st.text_input("Reference", key=f"reference_{key}", live=True, max_chars=80)
    label = f"Charge {amount}" if amount else "Charge"
    if (
        st.button(label, icon=":material/autorenew:", width="stretch", key=f"charge_now_{key}", disabled=amount is None)
        and amount
    ):
        st.session_state.pop(f"problem_{key}", None)
        try:
            with st.spinner("Asking Checkout.com…"):
                charge_source(desk(), operator(), payment.id, amount, reference or "", key=key)
        except (BadDraft, CannotCharge) as error:
            st.session_state[f"problem_{key}"] = str(error)
        st.rerun()


def show_echo(text: str, currency: str) -> Money | None:
    if not text.strip():
        return None
    try:
        amount = parse(text, currency)
    except BadAmount as error:
        st.markdown(f":red[:material/error: :small[{words.plain(str(error))}]]")
        return None
    st.markdown(f":gray[:small[Sends {amount.minor} = {amount}]]")
    return amount


def show_done(payment: Payment, creation: Creation) -> None:
    made = find_payment(desk().database, creation.payment_id) if creation.payment_id else None
    if made:
        st.markdown(f"{words.status(made.status).badge} **{made.money}** :gray[{words.plain(made.reference or '')}]")
    elif creation.status == "refused":
        st.error(words.plain(creation.problem or "Checkout.com refused the charge."), icon=":material/error:")
    else:
        st.info(
            "Checkout.com has not answered yet. The same request is sent again by itself; do not charge again.",
            icon=":material/sync:",
        )
    st.button(
        "Another charge",
        icon=":material/add:",
        width="stretch",
        key=f"more_{creation.key}",
        on_click=open_another,
        args=(payment,),
    )


def open_another(payment: Payment) -> None:
    st.session_state[key_name(payment)] = new_key()
