"""The steps of a presentation up to the payment: asking, scanning, paying, and hearing of it."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from lib import catalog, phone
from lib.ledger.queries import facts_of, find_payment, refunds_of
from lib.ledger.tables import Payment
from lib.money import parse
from pages.parts import customer_state, link_code, live, poster, simulator, words
from pages.parts.poster import Colour
from pages.parts.session import desk, operator

PLACE = "present"
UNDERWAY = ("submitting", "pending")
COLOURS: dict[str, Colour] = {
    "payment_captured": "green",
    "payment_refunded": "green",
    "payment_declined": "red",
    "payment_refund_declined": "red",
    "payment_expired": "grey",
    "payment_canceled": "grey",
}
"""Of events that decide something; all others announce."""


def begin(payment: Payment | None) -> None:
    """The amount, and how to go on."""
    preset = catalog.kakaopay().demonstration
    picture, told = st.columns([3, 2], gap="large", vertical_alignment="center")
    with picture:
        poster.show(str(parse(preset.amount, preset.currency)), preset.name, "yellow")
    with told:
        st.header("A shop asks for a payment. The right arrow key goes on, the left one back.", anchor=False)
        st.markdown("Loading the page again loses nothing. Ctrl and + make everything larger.")
        if payment:
            st.markdown(f"Asked for: {words.status(payment.status).badge} {words.plain(payment.reference or '')}")
        elif phone.refusal(desk().api_url):
            st.markdown("A click pays as well as a phone. For a phone, start as Demo on my phone says:")
            st.page_link("phone.py", label="Demo on my phone", icon=":material/phone_iphone:", width="content")


def scan(payment: Payment) -> None:
    """The code beside what becomes of it, as long as there is something to scan."""
    url = payment.redirect_url
    if payment.status != "Pending" or not url:
        pay(payment)
        return
    code, told = st.columns(2, gap="large", vertical_alignment="center")
    with code, st.container(horizontal_alignment="center"):
        if not link_code.show_to_phones(url, payment, width=560):
            st.header("A click does as well: open the link, or go on.", anchor=False)
        st.link_button("Open the link in another tab", url, icon=":material/open_in_new:")
    with told:
        watch(payment)


def pay(payment: Payment) -> None:
    """The state alone, and the customer's part for whoever has no phone."""
    with poster.stage():
        watch(payment)
        if payment.status == "Pending" and payment.redirect_url:
            with st.container(horizontal=True, horizontal_alignment="center"):
                st.link_button("Pay in another tab", payment.redirect_url, icon=":material/open_in_new:")
                if simulator.in_reach():
                    st.button(
                        "Pay for the customer", icon=":material/touch_app:", on_click=play, args=(payment,), key="play"
                    )
        simulator.outcome(PLACE)


def play(payment: Payment) -> None:
    """Do on the wallet page what the customer would."""

    def decide() -> str:
        simulator.acts().decide(operator(), payment.id, payment.redirect_url or "", "pay")
        return ""

    simulator.attempt(PLACE, decide)


def watch(payment: Payment) -> None:
    customer_state.watch(payment.id, customer_state.state_of(payment))


@live.every(1)
def events(payment: Payment) -> None:
    """What was told last, large, beside everything that was told so far, and what is still to come."""
    database, zone = desk().database, desk().settings.zone
    told = facts_of(database, payment.id)
    latest, everything = st.columns(2, gap="large")
    with latest:
        if told:
            kind = told[0].type
            said = words.event(kind)
            poster.show(name(kind), said[:1].upper() + said[1:], COLOURS.get(kind, "yellow"))
        st.header(awaited(payment.id), anchor=False)
    with everything, st.container(border=True, gap="xsmall"):
        for fact in told:
            icon, source = words.SOURCES.get(fact.source, ("help", fact.source))
            st.header(
                f":material/{icon}: :gray[{words.clock(fact.occurred_at, zone)}] {words.plain(name(fact.type))}",
                anchor=False,
            )
            # The names of webhooks are Checkout.com's; those of our own facts nobody outside knows.
            told_as = f"{source} {words.plain(fact.type)}" if fact.source == "webhook" else source
            st.markdown(f"{told_as}: {words.event(fact.type)}")
        st.caption(f"Latest first, times in {datetime.now(zone):%Z}.")


def name(kind: str) -> str:
    """`payment_capture_pending` as `Capture pending`."""
    return kind.removeprefix("payment_").replace("_", " ").capitalize()


def awaited(payment_id: str) -> str:
    """What comes next, as far as anything does."""
    payment = find_payment(desk().database, payment_id)
    if payment and payment.status == "Pending":
        return ":material/hourglass_top: Waiting for the customer to pay."
    if any(refund.status in UNDERWAY for refund in refunds_of(desk().database, payment_id)):
        return ":material/hourglass_top: Waiting for the refund to be paid out."
    return ":material/check: Nothing more is awaited."
