"""Asking Checkout.com about one payment at once, and saying what it knew that we did not."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from lib.checkout.errors import CheckoutError
from lib.ledger.queries import facts_of, find_payment
from lib.ledger.reread import reread
from lib.ledger.tables import Payment
from pages.parts import words
from pages.parts.session import desk

_OWN_WORDS = ("payment_read", "actions_read")
"""Facts that only say that we asked."""


def show(payment: Payment) -> None:
    """The button, and below it what the last asking about this payment found."""
    st.button(
        "Ask Checkout.com now",
        icon=":material/manage_search:",
        help="Reads this payment, its actions and its events at Checkout.com. It changes nothing there.",
        on_click=_ask,
        args=(payment.id,),
        key="ask_now",
    )
    asked = st.session_state.get("asked")
    if asked and asked["payment"] == payment.id:
        said = f"Asked {asked['at'].astimezone(desk().settings.zone):%H:%M:%S %Z}. {asked['said']}"
        if asked["well"]:
            st.success(said, icon=":material/check_circle:")
        else:
            st.error(said, icon=":material/error:")


def found(before: Payment, after: Payment, events: list[str]) -> str:
    """What an asking brought, in words. `events` are types of events that had not reached us."""
    said = [f"{words.event(kind)} ({words.plain(kind)})" for kind in events]
    missed = f" {_count(len(said))} not reached us: {'; '.join(said)}." if said else ""
    if after.status != before.status:
        return f"This payment is {after.status} now; here it was {before.status}.{missed}"
    if _figures(before) != _figures(after):
        return f"Still {after.status}, but with other figures, which are shown now.{missed}"
    if missed:
        return f"{missed.strip()} The payment is {after.status} as before."
    return f"Nothing new: Checkout.com says {after.status}, as we do."


def _count(number: int) -> str:
    return "One event had" if number == 1 else f"{number} events had"


def _figures(payment: Payment) -> tuple[int, int, int, int]:
    return payment.captured, payment.refunded, payment.refund_pending, payment.refund_reserved


def _ask(payment_id: str) -> None:
    well, said = True, ""
    try:
        said = _reread(payment_id)
    except CheckoutError as error:
        well, said = False, words.plain(error.sentence)
    st.session_state["asked"] = {"payment": payment_id, "at": datetime.now(UTC), "well": well, "said": said}


def _reread(payment_id: str) -> str:
    database = desk().database
    before = find_payment(database, payment_id)
    known = {fact.id for fact in facts_of(database, payment_id)}
    reread(database, desk().checkout, payment_id)
    after = find_payment(database, payment_id)
    assert before, "the button stands on a payment's screen"
    assert after, "payments are never deleted"
    new = [fact.type for fact in reversed(facts_of(database, payment_id)) if fact.id not in known]
    return found(before, after, [kind for kind in new if kind not in _OWN_WORDS])
