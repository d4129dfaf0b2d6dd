"""What the customer has done with a payment's link so far, and how much time is left: for screens that people watch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import streamlit as st

from lib import catalog
from lib.board import BoardError
from lib.ledger.queries import find_payment
from lib.ledger.tables import Payment
from pages.parts import live, poster, simulator
from pages.parts.poster import Colour
from pages.parts.session import desk


@dataclass(frozen=True, slots=True)
class State:
    word: str
    meaning: str
    colour: Colour


WAITING = State("Waiting", "Nobody has opened the link yet.", "yellow")
UNDECIDED = State("Waiting", "The customer has not decided yet.", "yellow")
OPENED = State("Opened", "The customer sees the amount and decides.", "blue")
PAID = State("Paid", "The money is captured.", "green")
ENDED = {
    "Declined": State("Declined", "No money moved.", "red"),
    "Expired": State("Expired", "Nobody paid in time. No money moved.", "grey"),
    "Canceled": State("Not paid", "The customer walked away. No money moved.", "grey"),
}


def state_of(payment: Payment) -> State:
    """Whether a page was opened only a simulator tells."""
    if payment.captured:
        return PAID
    if payment.status in ENDED:
        return ENDED[payment.status]
    if not simulator.in_reach():
        return UNDECIDED
    try:
        return OPENED if simulator.board().opened_on(payment.id) else WAITING
    except BoardError:
        return UNDECIDED


@live.every(1)
def watch(payment_id: str, drawn: State) -> None:
    """The state, large, and the time that is left. Draws the whole screen again when the state is no longer `drawn`."""
    payment = find_payment(desk().database, payment_id)
    if payment is None:
        return
    state = state_of(payment)
    poster.show(state.word, str(payment.money), state.colour)
    st.header(state.meaning, anchor=False, text_alignment="center")
    if payment.status == "Pending":
        countdown(payment)
    if state != drawn:
        st.rerun()


def countdown(payment: Payment) -> None:
    """The time left until the stored expiry, as a figure and a bar."""
    left, share = time_left(payment)
    st.header(time_words(left), anchor=False, text_alignment="center")
    st.progress(share)


def time_left(payment: Payment) -> tuple[timedelta, float]:
    """How long the link still works, and that as a part of the whole."""
    usual = timedelta(minutes=catalog.kakaopay().link_minutes)
    end = payment.expires_at or payment.requested_at + usual
    left = max(timedelta(0), end - simulator.now())
    return left, min(1.0, left / max(usual, end - payment.requested_at))


def time_words(left: timedelta) -> str:
    if not left:
        return ":material/timer_off: The time is over"
    minutes, seconds = divmod(int(left.total_seconds()), 60)
    return f":material/timer: **{minutes}:{seconds:02}** left"
