"""Present: the whole life of a payment in six steps for an audience, with one key to go on."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from lib.ledger.payments import new_key
from lib.ledger.tables import Creation, Payment
from pages.parts import frame, present_money, present_refund, present_steps, showing

STEPS = (
    ("Present", "Show the whole life of a KakaoPay payment, one step a screen, with one key to go on."),
    ("Scan", "The customer points the phone's camera at the code, which holds nothing but the link."),
    ("Pay", "The customer agrees on the KakaoPay page, and this screen hears of it by itself."),
    ("Event by event", "Checkout.com tells the shop of every step in a signed webhook; each appears as it arrives."),
    ("Refund a part", "A quarter goes back to the customer, once, however often the key is pressed."),
    ("Money by currency", "What this one payment did to the sums. Currencies are never added up."),
)
STEP, CREATION, REFUND = "slide", "key", "refund"
"""Where the presentation stands, in the address, so that loading the page again loses nothing."""


@dataclass(frozen=True)
class Action:
    """What the one key does."""

    label: str
    icon: str


ON = Action("Go on", "arrow_forward")


def screen() -> None:
    st.set_page_config(initial_sidebar_state="collapsed")
    number = step_number()
    frame.page(*STEPS[number - 1])
    if not frame.allowed("create"):
        return
    for name in (CREATION, REFUND):
        st.query_params.setdefault(name, new_key())
    creation = showing.asked(st.query_params[CREATION])
    payment = showing.payment_of(creation) if creation else None
    with st.container(gap="medium"):
        action = draw(number, creation, payment)
    navigate(number, action, payment)


def step_number() -> int:
    """The step that the address names; the first for what is none."""
    text = st.query_params.get(STEP, "1")
    return int(text) if text in [str(number) for number, _ in enumerate(STEPS, 1)] else 1


def draw(number: int, creation: Creation | None, payment: Payment | None) -> Action:
    """The step's own part. What the key does next."""
    if number == 1:
        present_steps.begin(payment)
        return ON if creation else Action("Ask for it", "send")
    if creation is None:
        frame.empty(
            "undo", "Nothing has been asked for yet", "Go back to the first step, and ask for the payment there."
        )
    elif payment:
        return draw_payment(number, payment)
    else:
        begin_again("instead")
    return ON


def draw_payment(number: int, payment: Payment) -> Action:
    if number == 2:
        present_steps.scan(payment)
    elif number == 3:
        present_steps.pay(payment)
    elif number == 4:
        present_steps.events(payment)
    elif number == 5:
        part = present_refund.show(payment, st.query_params[REFUND])
        return Action(f"Refund {part}", "undo") if part else ON
    else:
        present_money.show(payment)
    return ON


def navigate(number: int, action: Action, payment: Payment | None) -> None:
    """The keys at the foot: back, and the one that goes on."""
    st.progress(number / len(STEPS))
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.button(
            "Back",
            icon=":material/arrow_back:",
            shortcut="Left",
            disabled=number == 1,
            on_click=go,
            args=(number - 1,),
            key=f"back_{number}",
        )
        st.caption(f"Step {number} of {len(STEPS)}", width="content")
        if number < len(STEPS):
            st.button(
                frame.primary(action.label, action.icon),
                type="primary",
                shortcut="Right",
                on_click=act,
                args=(number, action, payment),
                # A key pressed again while the screen changes presses the button it was meant for, and no other.
                key=f"on_{number}_{action.icon}",
            )
        else:
            begin_again("at_the_end")


def begin_again(place: str) -> None:
    st.button("Begin again", icon=":material/replay:", on_click=st.query_params.clear, key=f"begin_again_{place}")


def act(number: int, action: Action, payment: Payment | None) -> None:
    """What the key stands for in this step. Asking and refunding happen once, under the keys in the address."""
    if action == ON:
        go(number + 1)
    elif number == 1:
        showing.ask(st.query_params[CREATION])
        go(2)
    elif payment:
        present_refund.send(payment, st.query_params[REFUND])


def go(number: int) -> None:
    st.query_params[STEP] = str(number)


screen()
