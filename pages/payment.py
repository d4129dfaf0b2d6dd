"""Payment: what happened to one payment, and giving money back."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.ledger.customers import Others, chain_of, others_of
from lib.ledger.notes import Note, notes_in
from lib.ledger.queries import facts_of, find_payment, find_payment_by_reference, payment_version, refunds_of
from lib.ledger.tables import Payment, Refund
from lib.world import World
from pages.parts import (
    account,
    charge_again,
    customer,
    frame,
    live,
    notes,
    refund_form,
    refund_open,
    simulator,
    standing,
    timeline,
    words,
)
from pages.parts.kept import kept
from pages.parts.session import desk, operator

VIEWS = ("Timeline", "Customer", "Notes")


def screen() -> None:
    database = desk().database
    payment = asked_for()
    if payment is None:
        show_unknown()
        return
    acting = operator()
    charged = charge_again.charged(payment)

    def version() -> int:
        return payment_version(database, payment.id) + (payment_version(database, charged) if charged else 0)

    drawn, minute = payment.version + (payment_version(database, charged) if charged else 0), live.this_minute()
    refunds, facts = refunds_of(database, payment.id), facts_of(database, payment.id)
    others, written = others_of(database, payment), notes_in(facts)
    show_head(payment, refunds, others, written)
    with frame.place():
        for sentence in words.attention(payment):
            st.warning(sentence, icon=":material/warning:")
        if payment.captured and acting.may("refund"):
            refund_open.show(payment, refunds)
    if payment.captured:
        left, right = st.columns([9, 5], gap="medium")
        with left:
            account.show(payment, refunds)
        with right:
            if acting.may("refund"):
                refund_form.show(payment, refunds)
            if acting.may("create"):
                charge_again.show(payment)
    else:
        account.show(payment, refunds)
    views = dict(zip(VIEWS, st.tabs(VIEWS, key="part", bind="query-params", on_change="rerun"), strict=True))
    for name, view in views.items():
        if view.open:
            with view:
                if name == "Timeline":
                    timeline.show(payment, facts)
                elif name == "Customer":
                    customer.show(payment, refunds, others, chain_of(database, payment))
                else:
                    notes.show(payment, written)
    live.redraw_on_change(version, drawn, minute)


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


def show_head(payment: Payment, refunds: Sequence[Refund], others: Others, written: Sequence[Note]) -> None:
    """What the person on the phone has to know first: how much, where it stands, whose it is, and what colleagues say."""
    zone, now = desk().settings.zone, simulator.now()
    settings = desk().settings
    st.set_page_config(page_title=frame.tab_title(str(payment.money), settings.world))
    reference = words.plain(payment.reference or "No reference")
    said = f"{reference} · KakaoPay · requested {words.when(payment.requested_at, zone, now)}"
    title(str(payment.money), words.status(payment.status), said, settings.world_words, settings.world)
    stands = standing.standing(payment, refunds, zone, now)
    with st.container(gap="xxsmall"):
        colour = "gray" if stands.who == standing.NOBODY else "orange"
        st.markdown(f":{colour}-badge[:material/person_raised_hand: {stands.who}] {stands.means} {stands.next}")
        who = [words.plain(part) for part in (payment.customer_name, payment.customer_email) if part]
        who.append(customer.counted(others))
        said = " · ".join(part for part in who if part)
        st.markdown(f":material/person: {said or ':gray[Customer not given]'}")
        if written:
            st.markdown(notes.latest(written))


@kept
def title(amount: str, sign: words.Sign, said: str, world_words: str, world: World) -> None:
    st.page_link("payments.py", label="Payments", icon=":material/arrow_back:", width="content")
    with st.container(gap="xxsmall"):
        with frame.heading_row():
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                st.title(amount, width="content", anchor=False)
                st.badge(sign.word, icon=f":material/{sign.icon}:", color=sign.colour, help=sign.meaning)
            frame.world_sign(world_words, world)
        st.caption(said)


screen()
