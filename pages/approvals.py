"""Approvals: refunds that wait for a second person, with all it takes to decide about each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st

from lib.ledger.account import account
from lib.ledger.decisions import approve, reject, waiting
from lib.ledger.order_lines import lines_of
from lib.ledger.queries import find_payment, pulse
from lib.ledger.refund_rules import RefundProblem
from lib.ledger.tables import Payment, Refund
from lib.operators import NotAllowed
from pages.parts import frame, live, refund_open, words
from pages.parts.session import desk, operator

SAID = "approvals_said"
SHOWN = 20


def screen() -> None:
    database = desk().database
    drawn, minute = pulse(database), live.this_minute()
    frame.page("Approvals", "Refunds above a limit wait here until somebody other than the person who asked decides.")
    show_said()
    refunds = waiting(database, limit=SHOWN + 1)
    for refund in refunds[:SHOWN]:
        payment = find_payment(database, refund.payment_id)
        if payment:
            show_refund(refund, payment)
    if len(refunds) > SHOWN:
        st.caption(f"The {SHOWN} that wait longest are shown; more follow as these are decided.")
    if not refunds:
        show_empty()
    live.redraw_on_change(lambda: pulse(database), drawn, minute)


def show_said() -> None:
    """What became of the last decision, for a minute: the list below has already moved on."""
    at, done, sentence = st.session_state.get(SAID, (datetime.min.replace(tzinfo=UTC), True, ""))
    with frame.place():
        if datetime.now(UTC) - at < timedelta(minutes=1):
            (st.success if done else st.error)(words.plain(sentence))


def say(sentence: str, *, done: bool) -> None:
    st.session_state[SAID] = datetime.now(UTC), done, sentence


def show_empty() -> None:
    limits = (
        "" if desk().settings.limits else " No limit is set, so none will: whoever runs this desk sets `REFUND_LIMITS`."
    )
    frame.empty(
        "approval",
        "Nothing waits for approval",
        f"A refund above somebody's limit appears here.{limits}",
        ("refunds.py", "All refunds"),
    )


def show_refund(refund: Refund, payment: Payment) -> None:
    """One refund: how much, to whom and why; what was refunded before; and the two answers."""
    zone = desk().settings.zone
    asked_by = words.plain(refund.requested_by or "somebody")
    held = account(payment)
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.subheader(str(refund.money), anchor=False, width="content")
            if refund.approve_by:
                st.badge(f"runs out {words.when(refund.approve_by, zone)}", icon=":material/timer:", color="orange")
        who = " · ".join(words.plain(part) for part in (payment.customer_name, payment.customer_email) if part)
        st.markdown(
            f"To {who or 'a customer without name'} for order **{words.plain(payment.reference or payment.id)}**"
        )
        over = f" Above the limit of {refund.limit}." if refund.limit else ""
        st.markdown(
            f"**{asked_by}** asked {words.when(refund.requested_at, zone)}. Reason: "
            f"**{words.refund_reason(refund)}**.{over}"
        )
        pieces = ", ".join(f"{line['quantity']} × {words.plain(line['name'])}" for line in lines_of(refund))
        if pieces:
            st.markdown(f"Order lines: {pieces}")
        if refund.note:
            st.markdown(f"“{words.plain(refund.note)}”")
        st.caption(
            f"Captured {held.captured} · refunded {held.refunded} · on its way, with this one, {held.underway} · "
            f"then left {held.remaining}"
        )
        with st.container(horizontal=True, vertical_alignment="center"):
            show_answers(refund)
            st.page_link(
                "payment.py",
                label="Open the payment",
                icon=":material/receipt:",
                query_params={"id": payment.id},
                width="content",
            )


def show_answers(refund: Refund) -> None:
    """Approve or reject; for the person's own, and for who may not decide, why not."""
    acting = operator()
    if refund.requested_by == acting.name:
        st.markdown("You asked for this one, so somebody else has to decide.")
        refund_open.take_back(refund, "Withdraw it")
    elif not acting.may("approve"):
        st.markdown("Your role may look, but not decide.")
    else:
        st.button(
            frame.primary(f"Approve {refund.money}", "check"),
            type="primary",
            key=f"approve_{refund.key}",
            on_click=decide_yes,
            args=(refund,),
        )
        with st.popover("Reject", icon=":material/block:"):
            st.text_input("Why", key=f"why_{refund.key}", max_chars=500, placeholder="What the person should know")
            st.button(f"Reject {refund.money}", key=f"reject_{refund.key}", on_click=decide_no, args=(refund,))


def decide_yes(refund: Refund) -> None:
    try:
        after = approve(desk(), operator(), refund.key)
    except (RefundProblem, NotAllowed) as error:
        say(str(error), done=False)
    else:
        say(f"You approved {refund.money}. {words.refund_sign(after).meaning}", done=True)


def decide_no(refund: Refund) -> None:
    # Read here: what is typed last arrives together with the click.
    why = st.session_state[f"why_{refund.key}"] or ""
    try:
        reject(desk(), operator(), refund.key, why)
    except (RefundProblem, NotAllowed) as error:
        say(str(error), done=False)
    else:
        say(f"You rejected {refund.money}; {refund.requested_by} is told why on the payment.", done=True)


screen()
