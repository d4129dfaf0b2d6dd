"""Erasing a customer's personal data, for whoever may: said in full before it happens, and not to be taken back."""

from __future__ import annotations

import streamlit as st

from lib.ledger.customers import Others
from lib.ledger.erasure import erase_customer
from lib.ledger.tables import Payment
from lib.operators import NotAllowed
from pages.parts import frame, words
from pages.parts.session import desk, operator

_SAID = "erased_said"


def offer(payment: Payment, others: Others) -> None:
    """The button, where there is anything to erase, and what came of it."""
    said = st.session_state.pop(_SAID, None)
    with frame.place():
        if said:
            st.success(said, icon=":material/check_circle:")
    if payment.customer_email or payment.customer_name:
        st.button(
            "Erase this customer's personal data",
            icon=":material/person_off:",
            type="tertiary",
            key="erase",
            on_click=lambda: confirm(payment, others),
        )


@st.dialog("Erase personal data", icon=":material/person_off:")
def confirm(payment: Payment, others: Others) -> None:
    who = " · ".join(words.plain(part) for part in (payment.customer_name, payment.customer_email) if part)
    count = others.count + 1
    number = f"over {count}" if others.more else str(count)
    st.markdown(
        f"Of **{who}**, on **{number} payment{'' if count == 1 else 's'}**: name, e-mail address, notes and everything "
        "else in what was sent and received. Amounts, ids, statuses and the audit log stay."
    )
    st.markdown("It cannot be undone, and copies of the ledger made before still hold it.")
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep it", key="erase_no"):
            st.rerun()
        if st.button("Erase for good", icon=":material/delete_forever:", type="primary", key="erase_yes"):
            carry_out(payment)


def carry_out(payment: Payment) -> None:
    try:
        with st.spinner("Erasing…"):
            done = erase_customer(desk().database, operator(), payment.id)
    except NotAllowed as problem:
        st.error(words.plain(str(problem)), icon=":material/error:")
        return
    number = f"{done.payments} payment{'' if done.payments == 1 else 's'}"
    st.session_state[_SAID] = f"Erased from {number}. The audit log says who had it done."
    st.rerun()
