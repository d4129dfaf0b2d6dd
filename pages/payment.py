"""Payment: what happened to one payment, and giving money back."""

from __future__ import annotations

import streamlit as st

from lib.ledger.queries import facts_of, find_payment, find_payment_by_reference, payment_version, refunds_of
from lib.ledger.tables import Payment
from pages.parts import account, ask, charge_again, frame, live, refund_form, timeline, words
from pages.parts.session import desk


def screen() -> None:
    database = desk().database
    payment = asked_for()
    if payment is None:
        show_unknown()
        return
    charged = charge_again.charged(payment)

    def version() -> int:
        return payment_version(database, payment.id) + (payment_version(database, charged) if charged else 0)

    live.redraw_on_change(
        version, payment.version + (payment_version(database, charged) if charged else 0), live.this_minute()
    )
    refunds = refunds_of(database, payment.id)
    show_head(payment)
    for sentence in words.attention(payment):
        st.warning(sentence, icon=":material/warning:")
    if payment.captured:
        left, right = st.columns([9, 5], gap="medium")
        with left:
            account.show(payment, refunds)
        with right:
            refund_form.show(payment, refunds)
            charge_again.show(payment)
    else:
        account.show(payment, refunds)
    ask.show(payment)
    timeline.show(facts_of(database, payment.id))


def asked_for() -> Payment | None:
    """The payment of the address: `?id=`, or the newest of `?reference=`, to which the wallet sends people back."""
    identifier, reference = st.query_params.get("id"), st.query_params.get("reference")
    if identifier:
        return find_payment(desk().database, identifier)
    return find_payment_by_reference(desk().database, reference) if reference else None


def show_unknown() -> None:
    frame.page("Payment", "What happened to one payment, and giving money back.")
    asked = st.query_params.get("id") or st.query_params.get("reference")
    if asked:
        title, text = (
            "No such payment here",
            f"Nothing is known of **{words.plain(asked[:80])}**. Check the id, or look for it in the list.",
        )
    else:
        title, text = "No payment chosen", "Choose one from the list."
    frame.empty("search_off", title, text, ("payments.py", "Go to Payments"))


def show_head(payment: Payment) -> None:
    zone = desk().settings.zone
    sign = words.status(payment.status)
    st.set_page_config(page_title=frame.tab_title(str(payment.money), desk().settings.world))
    st.page_link("payments.py", label="Payments", icon=":material/arrow_back:", width="content")
    with st.container(gap="xxsmall"):
        with frame.heading_row():
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                st.title(str(payment.money), width="content", anchor=False)
                st.badge(sign.word, icon=f":material/{sign.icon}:", color=sign.colour, help=sign.meaning)
            frame.world_sign()
        parts = [
            words.plain(payment.reference or "No reference"),
            "KakaoPay",
            f"requested {words.when(payment.requested_at, zone)}",
        ]
        st.caption(" · ".join(parts))


screen()
