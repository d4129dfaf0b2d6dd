"""Asking Checkout.com about one payment at once, and saying what it knew that we did not."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from lib.checkout.errors import CheckoutError
from lib.ledger.reread import Found, reread_now
from lib.ledger.tables import Payment
from lib.operators import NotAllowed
from pages.parts import frame, words
from pages.parts.session import desk, operator


def button(payment: Payment) -> None:
    """The button, for whoever may press it."""
    if operator().may("reread"):
        st.button(
            "Re-read from Checkout.com",
            icon=":material/manage_search:",
            help="Reads this payment, its actions and its events at Checkout.com. It changes nothing there.",
            on_click=_ask,
            args=(payment.id,),
            key="ask_now",
        )


def answer(payment: Payment) -> None:
    """What the last asking about this payment found."""
    asked = st.session_state.get("asked")
    with frame.place():
        if asked and asked["payment"] == payment.id:
            said = f"Asked {asked['at'].astimezone(desk().settings.zone):%H:%M:%S %Z}. {asked['said']}"
            if asked["well"]:
                st.success(said, icon=":material/check_circle:")
            else:
                st.error(said, icon=":material/error:")


def told(found: Found) -> str:
    """What an asking brought, in words."""
    before, after = found.before, found.after
    said = [f"{words.event(kind)} ({words.plain(kind)})" for kind in found.events]
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
        said = told(reread_now(desk(), operator(), payment_id))
    except CheckoutError as error:
        well, said = False, words.plain(error.sentence)
    except NotAllowed as error:
        well, said = False, words.plain(str(error))
    st.session_state["asked"] = {"payment": payment_id, "at": datetime.now(UTC), "well": well, "said": said}
