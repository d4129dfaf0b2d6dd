"""The step of a presentation that gives a part of the money back."""

from __future__ import annotations

import streamlit as st

from lib import catalog
from lib.ledger.account import account
from lib.ledger.queries import find_payment, find_refund, refunds_of
from lib.ledger.refund_rules import RefundProblem, barred
from lib.ledger.refunds import request_refund
from lib.ledger.showcase import part_to_refund
from lib.ledger.tables import Payment, Refund
from lib.money import Money
from lib.operators import NotAllowed
from pages.parts import live, poster, simulator, words
from pages.parts.poster import Colour
from pages.parts.session import desk, operator

PROBLEM = "present_refund_problem"
COLOURS: dict[str, Colour] = {"refunded": "green", "declined": "red", "failed": "red", "cancelled": "grey"}


def part(payment: Payment, key: str) -> Money | None:
    """What the key would give back; nothing where it has been asked for, or cannot be."""
    if find_refund(desk().database, key) or problem_of(key) or why_not(payment):
        return None
    return part_to_refund(payment)


def show(payment: Payment, key: str) -> None:
    """What a refund comes to, before and after."""
    refund = find_refund(desk().database, key)
    watch(payment.id, key, refund.status if refund else None, payment.version)
    if refund:
        return
    if problem := problem_of(key):
        st.error(words.plain(problem), icon=":material/error:")
    elif obstacle := why_not(payment):
        st.info(words.plain(obstacle), icon=":material/info:")


def problem_of(key: str) -> str:
    """Why asking under this key failed; empty if it did not."""
    asked_for, problem = st.session_state.get(PROBLEM, ("", ""))
    return problem if asked_for == key else ""


def why_not(payment: Payment) -> str | None:
    """Why nothing can be given back, in words."""
    if not payment.captured:
        return "Nothing can be given back before the customer has paid. Go back and pay, then come here again."
    if not payment.refundable:
        return "All of it has been given back already."
    try:
        operator().require("refund")
    except NotAllowed as error:
        return str(error)
    return barred(payment, refunds_of(desk().database, payment.id), simulator.now(), desk().settings.zone)


@live.every(1)
def watch(payment_id: str, key: str, status: str | None, version: int) -> None:
    """The refund, large, and the account. Draws the screen again when either has moved."""
    payment, refund = find_payment(desk().database, payment_id), find_refund(desk().database, key)
    if payment is None:
        return
    with poster.stage():
        announce(payment, refund)
        held = account(payment)
        with st.grid(4, min_column_width=150):
            st.metric("Captured", str(held.captured))
            st.metric("Refunded", str(held.refunded))
            st.metric("On its way", str(held.underway))
            st.metric("Remaining", str(held.remaining))
    if (refund.status if refund else None, payment.version) != (status, version):
        st.rerun()


def announce(payment: Payment, refund: Refund | None) -> None:
    if refund is None:
        part = part_to_refund(payment)
        poster.show(str(part) if part else "Nothing yet", f"of {payment.money}", "yellow" if part else "grey")
        return
    sign = words.refund_sign(refund)
    poster.show(sign.word, str(refund.money), COLOURS.get(refund.status, "yellow"))
    st.header(words.refund_ending(refund) or sign.meaning, anchor=False, text_alignment="center")


def send(payment: Payment, key: str) -> None:
    """Ask for the refund under `key`: once, however often it is pressed."""
    if find_refund(desk().database, key):
        return
    reason = next(iter(catalog.kakaopay().refund_reasons))
    amount, left = part_to_refund(payment), payment.refundable
    try:
        request_refund(desk(), operator(), payment.id, amount, key=key, drawn_with=left, reason=reason)
    except (RefundProblem, NotAllowed) as error:
        st.session_state[PROBLEM] = (key, str(error))
