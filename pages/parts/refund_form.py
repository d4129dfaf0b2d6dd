"""Giving money back: one opened form is one intent, whatever is clicked, reloaded or lost on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from lib import catalog
from lib.ledger.account import read_refund, share
from lib.ledger.payments import new_key
from lib.ledger.refund_rules import KeyReused, RefundProblem
from lib.ledger.refunds import expected_between, request_refund
from lib.ledger.tables import Payment, Refund
from lib.money import BadAmount, Money
from pages.parts import frame, words
from pages.parts.session import desk, operator

SHARES = {"25%": 25, "50%": 50, "75%": 75, "All": 100}


@dataclass(frozen=True, slots=True)
class Asked:
    """What stood on the screen when the person asked: it stays the same until they confirm, whatever else changes."""

    amount: Money
    drawn_with: Money
    reason: str
    note: str


def show(payment: Payment, refunds: Sequence[Refund]) -> None:
    """The form, or what became of it once it was answered."""
    if not payment.captured:
        return
    key = st.session_state.setdefault(key_name(payment), new_key())
    done = next((refund for refund in refunds if refund.key == key), None)
    with st.container(border=True):
        st.subheader("Refund", anchor=False)
        if done:
            show_done(payment, done)
        elif payment.refundable:
            form(payment, key, held_back(refunds))
        else:
            st.markdown(f"Nothing is left to refund. {held_back(refunds)}")


def key_name(payment: Payment) -> str:
    return f"refund_key_{payment.id}"


def held_back(refunds: Sequence[Refund]) -> str:
    """Why less is left than was captured, when refunds are still on their way."""
    zone = desk().settings.zone
    underway = [refund for refund in refunds if refund.status in ("submitting", "pending", "awaiting_approval")]
    said = [
        f"The {refund.money} asked for by {words.plain(refund.requested_by or 'someone outside this dashboard')} "
        f"{words.when(refund.requested_at, zone)} is not decided yet and held back."
        for refund in underway[-2:]
    ]
    more = len(underway) - len(said)
    return " ".join(said) + (f" So are {more} more." if more > 0 else "")


@st.fragment
def form(payment: Payment, key: str, why: str) -> None:
    """A fragment, so that typing redraws nothing else."""
    currency = payment.refundable.currency
    amount_key, share_key = f"amount_{key}", f"share_{key}"

    def take_share() -> None:
        chosen = st.session_state[share_key]
        if chosen:
            st.session_state[amount_key] = share(payment.refundable, SHARES[chosen]).figure

    def leave_share() -> None:
        st.session_state[share_key] = None

    st.markdown(f":small[:gray[Up to] **{payment.refundable}**:gray[. {why}]]")
    problem = st.session_state.get(f"problem_{key}")
    if problem:
        st.error(words.plain(problem), icon=":material/error:")
    st.segmented_control("Share of what remains", list(SHARES), key=share_key, on_change=take_share, width="stretch")
    with st.container(gap="xxsmall"):
        text = st.text_input(
            f"Amount in {currency}",
            key=amount_key,
            live=True,
            on_change=leave_share,
            placeholder=payment.refundable.figure,
        )
        amount = show_echo(text or "", payment)
    reasons = catalog.kakaopay().refund_reasons
    reason = st.selectbox("Reason", list(reasons), format_func=reasons.__getitem__, key=f"reason_{key}")
    note = st.text_area(
        "Note for colleagues", key=f"note_{key}", max_chars=1000, height=80, placeholder="What the customer said"
    )
    label = frame.primary(f"Refund {amount}", "undo") if amount else "Refund"
    asked = st.button(label, type="primary", width="stretch", key=f"ask_{key}", disabled=amount is None)
    if asked and amount:
        st.session_state[f"confirming_{key}"] = Asked(amount, payment.refundable, reason, note or "")
        st.session_state.pop(f"problem_{key}", None)
    asked_for = st.session_state.get(f"confirming_{key}")
    if asked_for:
        confirm(payment, key, asked_for)


def show_echo(text: str, payment: Payment) -> Money | None:
    """The amount as it will be sent, or why it cannot be."""
    if not text.strip():
        st.markdown(":gray[:small[Type an amount or choose a share.]]")
        return None
    try:
        amount = read_refund(text, payment)
    except BadAmount as error:
        st.markdown(f":red[:material/error: :small[{words.plain(str(error))}]]")
        return None
    st.markdown(f":gray[:small[Sends {amount.minor} = {amount}]]")
    return amount


def confirm(payment: Payment, key: str, asked: Asked) -> None:
    """Ask once more, with everything that cannot be taken back. Drawn again in every run until it is answered."""

    def leave() -> None:
        st.session_state.pop(f"confirming_{key}", None)

    @st.dialog(f"Refund {asked.amount}?", icon=":material/undo:", on_dismiss=leave)
    def ask() -> None:
        who = payment.customer_email or payment.customer_name
        because = catalog.kakaopay().refund_reasons[asked.reason]
        st.markdown(
            f"**{asked.amount}** go back to {f'**{words.plain(who)}**' if who else 'the customer'} for order "
            f"**{words.plain(payment.reference or payment.id)}**. Reason: {words.plain(because.lower())}. "
            "A refund cannot be taken back."
        )
        with st.container(horizontal=True, horizontal_alignment="right"):
            kept = st.button("Keep it", key=f"keep_{key}")
            sure = st.button(frame.primary(f"Refund {asked.amount}", "undo"), type="primary", key=f"sure_{key}")
        if sure:
            send(payment, key, asked)
        if kept or sure:
            leave()
            st.rerun()

    ask()


def send(payment: Payment, key: str, asked: Asked) -> None:
    try:
        with st.spinner("Asking Checkout.com…"):
            request_refund(
                desk(),
                operator(),
                payment.id,
                asked.amount,
                key=key,
                drawn_with=asked.drawn_with,
                reason=asked.reason,
                note=asked.note,
            )
    except KeyReused as error:
        st.session_state[key_name(payment)] = fresh = new_key()
        st.session_state[f"problem_{fresh}"] = str(error)
    except RefundProblem as error:
        st.session_state[f"problem_{key}"] = str(error)


def show_done(payment: Payment, refund: Refund) -> None:
    """What became of the form's refund, where the form was."""
    zone = desk().settings.zone
    sign = words.refund_status(refund.status)
    st.markdown(f"{sign.badge} **{refund.money}**")
    st.markdown(sign.meaning)
    if refund.status in ("failed", "declined"):
        said = (
            refund.response_summary
            if refund.status == "failed"
            else words.response(refund.response_code, refund.response_summary)
        )
        if said:
            st.markdown(words.plain(said) if refund.status == "failed" else said)
    elif refund.status in ("pending", "refunded"):
        first, last = expected_between(refund)
        st.markdown(
            f"Tell the customer: the money arrives between **{first.day} {first:%b}** and **{last.day} {last:%b}**."
        )
    st.caption(
        f"Asked for by {words.plain(refund.requested_by or 'someone elsewhere')} {words.when(refund.requested_at, zone)}"
    )
    if payment.refundable:
        st.button(
            "Another refund",
            icon=":material/add:",
            width="stretch",
            key=f"another_{refund.key}",
            on_click=open_another,
            args=(payment,),
        )


def open_another(payment: Payment) -> None:
    st.session_state[key_name(payment)] = new_key()
