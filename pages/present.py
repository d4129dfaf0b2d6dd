"""Present: the whole life of a payment in six steps for an audience, with one key to go on."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from lib.ledger.payments import new_key
from lib.ledger.tables import Creation, Payment
from pages.parts import frame, held_keys, present_money, present_refund, present_steps, showing
from pages.parts.session import desk

STEPS = (
    ("Present", "Show the whole life of a KakaoPay payment, one step a screen, with one key to go on."),
    ("Scan", "The customer points the phone's camera at the code, which holds nothing but the link."),
    ("Pay", "The customer agrees on the KakaoPay page, and this screen hears of it by itself."),
    ("Event by event", "Checkout.com tells the shop of every step in a signed webhook; each appears as it arrives."),
    ("Refund a part", "A quarter goes back to the customer, once, however often the key is pressed."),
    ("Money by currency", "What this one payment did to the sums. Currencies are never added up."),
)
STEP, PRESS, CREATION, REFUND = "slide", "press", "key", "refund"
"""What the address holds, so that loading the page again loses nothing: the step that the browser shows, what the key
does there, and the keys under which are asked for the payment and the refund.

A press comes with the address of the browser in which it was made, and means what that browser showed. So none is lost
on a step that has just come, and one made again while the screen still changes means the same again, which is nothing.
"""
GOING = "present_going"
"""In the session: the step that a press leads to, until the address says so."""


@dataclass(frozen=True)
class Action:
    """What the one key does, and how the address calls that."""

    label: str
    icon: str
    press: str


ON = Action("Go on", "arrow_forward", "on")
ASK = Action("Ask for it", "send", "ask")


def screen() -> None:
    number = st.session_state.get(GOING, step_number())
    title, _ = STEPS[number - 1]
    st.set_page_config(page_title=frame.tab_title(title, desk().settings.world), initial_sidebar_state="collapsed")
    head, body, foot = st.container(), st.container(gap="medium"), st.container()
    with body:
        if not frame.allowed("create"):
            with head:
                frame.page(*STEPS[number - 1])
            return
        keys = {name: st.query_params.get(name) or new_key() for name in (CREATION, REFUND)}
        creation = showing.asked(keys[CREATION])
        payment = showing.payment_of(creation) if creation else None
    action = what_the_key_does(number, creation, payment, keys[REFUND])
    tell_address({STEP: str(number), PRESS: action.press, **keys})
    # The keys before the title: whoever reads it can press them.
    with foot:
        navigate(number, action, payment)
        held_keys.count_once()
    with head:
        frame.page(*STEPS[number - 1])
    with body:
        draw(number, creation, payment)


def step_number() -> int:
    """The step that the address names; the first for what is none."""
    text = st.query_params.get(STEP, "1")
    return int(text) if text in [str(number) for number, _ in enumerate(STEPS, 1)] else 1


def what_the_key_does(number: int, creation: Creation | None, payment: Payment | None, refund_key: str) -> Action:
    if number == 1 and creation is None:
        return ASK
    part = present_refund.part(payment, refund_key) if number == 5 and payment else None
    return Action(f"Refund {part}", "undo", "refund") if part else ON


def tell_address(address: dict[str, str]) -> None:
    if st.query_params.to_dict() != address:
        st.query_params.from_dict(address)
    st.session_state.pop(GOING, None)


def draw(number: int, creation: Creation | None, payment: Payment | None) -> None:
    """The step's own part."""
    if number == 1:
        present_steps.begin(payment)
    elif creation is None:
        frame.empty(
            "undo", "Nothing has been asked for yet", "Go back to the first step, and ask for the payment there."
        )
    elif payment is None:
        begin_again("instead")
    elif number == 2:
        present_steps.scan(payment)
    elif number == 3:
        present_steps.pay(payment)
    elif number == 4:
        present_steps.events(payment)
    elif number == 5:
        present_refund.show(payment, st.query_params[REFUND])
    else:
        present_money.show(payment)


def navigate(number: int, action: Action, payment: Payment | None) -> None:
    """The keys at the foot: back, and the one that goes on."""
    st.progress(number / len(STEPS))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.button(
            "Back", icon=":material/arrow_back:", shortcut="Left", disabled=number == 1, on_click=back, key="back"
        )
        st.caption(f"Step {number} of {len(STEPS)}", width="content")
        if number < len(STEPS):
            # One button for all steps: a browser keeps pressing the last step's for a moment after drawing the next.
            # Not a primary one: those write the key's arrow in white, which nobody sees on yellow. The icon stands in the
            # label, so that the button stays the same one.
            st.button(
                f":material/{action.icon}: {action.label}", shortcut="Right", on_click=on, args=(payment,), key="on"
            )
        else:
            begin_again("at_the_end")


def begin_again(place: str) -> None:
    st.button("Begin again", icon=":material/replay:", on_click=st.query_params.clear, key=f"begin_again_{place}")


def back() -> None:
    st.session_state[GOING] = max(1, step_number() - 1)


def on(payment: Payment | None) -> None:
    """Do what the key did in the browser that it was pressed in. Asking and refunding happen once, under their keys."""
    press = st.query_params.get(PRESS)
    if press == "refund" and payment:
        present_refund.send(payment, st.query_params[REFUND])
        return
    if press == ASK.press:
        showing.ask(st.query_params[CREATION])
    st.session_state[GOING] = min(len(STEPS), step_number() + 1)


screen()
