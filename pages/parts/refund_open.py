"""What is open about a payment's refunds: kept back with its countdown, waiting for approval, not paid out and to be tried again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil

import streamlit as st

from lib import catalog
from lib.ledger.decisions import cancel
from lib.ledger.order_lines import lines_of
from lib.ledger.payments import new_key
from lib.ledger.refund_rules import RefundProblem
from lib.ledger.refunds import can_be_retried, expected_between
from lib.ledger.sending import release
from lib.ledger.tables import Payment, Refund
from lib.operators import NotAllowed
from pages.parts import live, words
from pages.parts.session import desk, operator

BY_AMOUNT, BY_LINE = "Amount", "Order lines"
"""The two ways of saying how much."""
OFFERED = 3
"""So many refunds that were not paid out are offered to be tried again, the newest."""


def show(payment: Payment, refunds: Sequence[Refund]) -> None:
    """A card for each refund about which a person can still do something."""
    for refund in refunds:
        if refund.cancellable:
            with st.container(border=True, gap="xsmall"):
                if refund.held_until:
                    show_held(refund)
                else:
                    show_waiting(refund)
                show_problem(refund)
    if payment.refundable:
        for refund in [each for each in refunds if can_be_retried(each, refunds)][-OFFERED:]:
            show_lost(payment, refund)


@live.every(1)
def show_held(refund: Refund) -> None:
    """The countdown. Whichever screen or worker sees its end first sends the refund; it goes out once."""
    assert refund.held_until
    left = ceil((refund.held_until - datetime.now(UTC)).total_seconds())
    if left <= 0:
        release(desk(), refund.key)
        st.rerun()
    whole = max(left, desk().settings.refund_hold_seconds)
    st.markdown(f"{words.refund_sign(refund).badge} **{refund.money}** is sent in **{left} s**")
    st.progress(left / whole)
    take_back(refund, "Cancel this refund")


def show_waiting(refund: Refund) -> None:
    """Who asked, and why it waits; until when is said where the payment stands."""
    zone = desk().settings.zone
    limit = f" Above the limit of {refund.limit}." if refund.limit else ""
    st.markdown(
        f"{words.refund_sign(refund).badge} **{refund.money}** asked for by "
        f"{words.plain(refund.requested_by or 'somebody')} {words.when(refund.requested_at, zone)}.{limit}"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link("approvals.py", label="Approvals", icon=":material/approval:", width="content")
        take_back(refund, "Withdraw it")


def take_back(refund: Refund, label: str) -> None:
    if not operator().may("refund"):
        return
    if st.button(label, icon=":material/close:", key=f"cancel_{refund.key}"):
        try:
            cancel(desk(), operator(), refund.key)
        except (RefundProblem, NotAllowed) as error:
            st.session_state[f"cancel_problem_{refund.payment_id}"] = str(error)
        st.rerun()


def show_problem(refund: Refund) -> None:
    problem = st.session_state.pop(f"cancel_problem_{refund.payment_id}", None)
    if problem:
        st.error(words.plain(problem), icon=":material/error:")


def show_lost(payment: Payment, refund: Refund) -> None:
    """A refund that was declined or not accepted, with a second try."""
    with st.container(border=True, gap="xsmall"):
        st.markdown(
            f"{words.refund_sign(refund).badge} **{refund.money}** "
            f":small[{words.when(refund.decided_at or refund.requested_at, desk().settings.zone)}]"
        )
        st.markdown(words.refund_ending(refund) or words.refund_sign(refund).meaning)
        st.button(
            "Try again",
            icon=":material/replay:",
            key=f"again_{refund.key}",
            on_click=open_again,
            args=(payment, refund),
        )


def open_again(payment: Payment, refund: Refund) -> None:
    """A fresh form, filled in as the refund that came to nothing was, and linked to it."""
    state = st.session_state
    state[key_name(payment)] = key = new_key()
    state[f"retry_{key}"] = refund.key
    state[f"amount_{key}"] = min(refund.money, payment.refundable).figure
    state[f"note_{key}"] = refund.note or ""
    if refund.reason in catalog.kakaopay().refund_reasons:
        state[f"reason_{key}"] = refund.reason
    for line in lines_of(refund):
        state[f"mode_{key}"] = BY_LINE
        state[f"line_{line['line']}_{key}"] = line["quantity"]


def retry_of(key: str) -> str | None:
    """The key of the refund that the form with this key tries again."""
    tried = st.session_state.get(f"retry_{key}")
    return str(tried) if tried else None


def show_done(refund: Refund) -> None:
    """What became of the form's refund, where the form was."""
    zone = desk().settings.zone
    sign = words.refund_sign(refund)
    st.markdown(f"{sign.badge} **{refund.money}**")
    st.markdown(sign.meaning)
    ending = words.refund_ending(refund)
    if ending:
        st.markdown(ending)
    if refund.status in ("pending", "refunded"):
        first, last = expected_between(refund)
        st.markdown(f"Tell the customer: the money arrives between **{words.day(first)}** and **{words.day(last)}**.")
    st.caption(
        f"Asked for by {words.plain(refund.requested_by or 'someone elsewhere')} {words.when(refund.requested_at, zone)}"
    )


def key_name(payment: Payment) -> str:
    """Where the key of a payment's opened form is kept."""
    return f"refund_key_{payment.id}"
