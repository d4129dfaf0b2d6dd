"""What became of a request: the link to hand over, the time it has left, and the exact exchange."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import streamlit as st

from lib import catalog, phone
from lib.ledger.payments import find_creation
from lib.ledger.queries import facts_of, find_payment, payment_version
from lib.ledger.tables import Creation, Payment
from lib.money import Money
from pages.parts import frame, link_code, live, words
from pages.parts.customer_state import time_left, time_words
from pages.parts.session import desk

RULES = catalog.kakaopay()


def show(creation: Creation, start_again: Callable[[Creation], None], correct: Callable[[Creation], None]) -> None:
    """The whole life of one request, changing by itself until it is over."""
    payment = find_payment(desk().database, creation.payment_id) if creation.payment_id else None
    result, exchange = st.columns([6, 5], gap="large")
    with result:
        with st.container(border=True):
            if creation.status == "refused":
                show_refusal(creation, correct)
            elif creation.status == "sending":
                show_wait(creation)
            elif payment and payment.status == "Pending":
                show_link(creation, payment)
            elif payment:
                show_outcome(payment)
        show_progress(creation, payment)
        show_next(creation, payment, start_again)
    with exchange:
        show_exchange(creation)


def show_refusal(creation: Creation, correct: Callable[[Creation], None]) -> None:
    st.markdown(f":red-badge[:material/error: Refused] **{asked_for(creation)}** :gray[{reference(creation)}]")
    st.error(
        words.plain(creation.problem or "Checkout.com refused the request and did not say why."),
        icon=":material/error:",
    )
    st.markdown("No payment was made and nothing was charged.")
    st.button(
        frame.primary("Change and send again", "edit"),
        type="primary",
        width="stretch",
        on_click=correct,
        args=(creation,),
        key="correct",
    )


def show_wait(creation: Creation) -> None:
    st.markdown(f":blue-badge[:material/sync: Sending] **{asked_for(creation)}** :gray[{reference(creation)}]")
    st.info(
        "Checkout.com has not answered yet. The same request is sent again by itself until it does. "
        "It can make one payment only.",
        icon=":material/hourglass_top:",
    )
    if creation.problem:
        st.markdown(words.plain(creation.problem))
    watch(creation.key, creation.status, None, 0)


def show_link(creation: Creation, payment: Payment) -> None:
    version = payment_version(desk().database, payment.id)
    watch(creation.key, creation.status, payment.id, version)
    url = payment.redirect_url
    if not url:
        st.info(
            "The customer's stored wallet is being charged. Nobody has to open anything.",
            icon=":material/hourglass_top:",
        )
        return
    code, steps = st.columns([4, 5], vertical_alignment="center")
    with code, st.container(horizontal_alignment="center"):
        link_code.show(url, payment, width=236)
    with steps:
        if desk().settings.world == "simulator":
            st.markdown(":small[The simulator plays the wallet: open the link and choose **Pay now**. In the sandbox:]")
        if desk().settings.world == "live":
            st.markdown("Let the customer scan this code, or send them the link.")
        else:
            show_steps(payment.terminal_type or "WEB")
    st.link_button(frame.primary("Open KakaoPay page", "open_in_new"), url, type="primary", width="stretch")
    st.code(url, language=None, wrap_lines=True)
    if phone.refusal(url):
        st.caption("This address works on this computer only. Demo on my phone says how a phone can reach it.")


def show_steps(terminal_type: str) -> None:
    devices = list(dict.fromkeys(steps.device for steps in RULES.test_steps))
    device = st.segmented_control("How do you test?", devices, default=devices[0], required=True, key="test_device")
    known = {(steps.device, steps.terminal_type): steps for steps in RULES.test_steps}
    chosen = known.get((device or devices[0], terminal_type)) or known[(device or devices[0], "APP")]
    if chosen.before:
        st.markdown(f":small[:gray[{chosen.before}]]")
    st.markdown("\n".join(f"{number}. {step}" for number, step in enumerate(chosen.steps, 1)))


@live.every(1)
def watch(key: str, status: str, payment_id: str | None, drawn: int) -> None:
    """The line that counts down; draws everything again as soon as the payment has moved."""
    database = desk().database
    creation = find_creation(database, key)
    if creation is None or creation.status != status:
        st.rerun()
    if payment_id is None:
        return
    if payment_version(database, payment_id) != drawn:
        st.rerun()
    payment = find_payment(database, payment_id)
    if payment:
        show_countdown(payment)


def show_countdown(payment: Payment) -> None:
    left, share = time_left(payment)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        sign = words.status(payment.status).badge
        st.markdown(f"{sign} **{payment.money}** :gray[{words.plain(payment.reference or '')}]", width="content")
        st.markdown(time_words(left), width="content")
    st.progress(share)


def show_outcome(payment: Payment) -> None:
    sign = words.status(payment.status)
    zone = desk().settings.zone
    st.markdown(f"{sign.badge} **{payment.money}** :gray[{words.plain(payment.reference or '')}]")
    moment = payment.captured_at or payment.closed_at or payment.updated_at
    with st.container(gap="xxsmall"):
        st.subheader(f":material/{sign.icon}: {TITLES.get(payment.status, sign.word)}", anchor=False)
        st.markdown(sign.meaning)
    st.caption(f"{'Captured' if payment.captured_at else 'Ended'} {words.when(moment, zone)}")
    said = words.response(payment.response_code, payment.response_summary)
    if said and not payment.captured:
        st.markdown(said)
    if st.button(frame.primary("Open this payment", "receipt"), type="primary", width="stretch", key="open_payment"):
        st.switch_page("payment.py", query_params={"id": payment.id})


def show_progress(creation: Creation, payment: Payment | None) -> None:
    """Where the request stands, in one line."""
    when = words.when(creation.requested_at, desk().settings.zone)
    steps = [f"Requested {when} by {words.plain(creation.requested_by)}"]
    answer = json.loads(creation.answer) if creation.answer else None
    if answer:
        steps.append(f"answered {answer['status']} in {answer['elapsed_ms']} ms")
    if payment and payment.status == "Pending":
        steps.append("waiting for the webhook **payment_captured**")
    st.caption(" · ".join(steps))


TITLES = {
    "Captured": "Paid",
    "Declined": "Not paid",
    "Expired": "Not paid in time",
    "Canceled": "Not paid",
}


def show_next(creation: Creation, payment: Payment | None, start_again: Callable[[Creation], None]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        if payment and payment.status == "Pending":
            st.page_link(
                "payment.py",
                label="Open this payment",
                icon=":material/receipt:",
                query_params={"id": payment.id},
                width="content",
            )
        st.button("New payment", icon=":material/add_card:", on_click=start_again, args=(creation,), key="start_again")


def show_exchange(creation: Creation) -> None:
    sent, answered, told = st.tabs(["Request", "Response", "Webhooks"])
    with sent:
        st.markdown(f":small[`POST /payments` under the idempotency key]  \n:small[`{creation.key}`]")
        st.json(json.loads(creation.body))
    with answered:
        show_answer(json.loads(creation.answer) if creation.answer else None)
    with told:
        show_webhooks(creation.payment_id)


def show_answer(answer: dict[str, Any] | None) -> None:
    if not answer:
        st.caption("No answer yet.")
        return
    st.markdown(
        f":small[Answered `{answer['status']}` in {answer['elapsed_ms']} ms, "
        f"request id `{answer['request_id'] or 'none'}`]"
    )
    if answer["body"] is None:
        st.caption("The answer had no body.")
    else:
        st.json(answer["body"])


def show_webhooks(payment_id: str | None) -> None:
    zone = desk().settings.zone
    events = [fact for fact in facts_of(desk().database, payment_id) if fact.source == "webhook"] if payment_id else []
    if not events:
        st.caption("None yet. They arrive here by themselves.")
    else:
        st.caption(f"Newest first, times in {datetime.now(zone):%Z}.")
    for fact in events:
        with st.expander(
            f"{words.clock(fact.occurred_at, zone)} **{words.plain(fact.type)}**",
            icon=":material/webhook:",
            type="compact",
            key=f"told_{fact.seq}",
        ):
            st.json(json.loads(fact.body))


def asked_for(creation: Creation) -> Money:
    body = json.loads(creation.body)
    return Money(body["amount"], body["currency"])


def reference(creation: Creation) -> str:
    return words.plain(str(json.loads(creation.body).get("reference", "")))
