"""The faults of the simulator: a switch for each, and by group how often, how long and with which code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lib.board import Fault
from lib.money import NBSP
from pages.parts import frame, words
from pages.parts.session import operator
from pages.parts.simulator import acts, attempt, change, hold, outcome

PLACES: Mapping[str, str] = {
    "webhook": "On the way to us: webhooks",
    "api": "On the way there: requests",
    "wallet": "At KakaoPay",
}
CODES = ("20005", "20006", "20051", "20120", "30041", "40101")
SEEN: Mapping[str, str] = {
    "duplicate": "Webhook events shows the second copy as Duplicate, and the payment stays as it is.",
    "reorder": "A payment's events arrive in another order than they happened; it ends up the same.",
    "delay": "The screens learn of it that much later.",
    "drop": "Until then it waits under Deliveries, from where you can send it again.",
    "bad_signature": "Webhook events shows it refused as Bad signature; the next retry brings the event.",
    "old_key": "Accepted while the old key is still among CHECKOUT_WEBHOOK_KEYS, else refused as Bad signature.",
    "slow_acknowledgement": "Webhook events shows the later copy as Duplicate.",
    "too_many_requests": "The request is tried again by itself; only if all tries fail does the form say so.",
    "bad_gateway": "The request is tried again by itself; only if all tries fail does the form say so.",
    "timeout_before": "The form says that the outcome is not known yet; asked again under the same key, it happens once.",
    "timeout_after": "The form says that the outcome is not known yet; asked again under the same key, nothing happens twice.",
    "slow_answer": "The button waits that long, and works.",
    "payment_declined": "Pay one: it shows as Declined, with this code in words.",
    "refund_declined_late": "A refund shows as Pending, then as Declined, and its amount can be refunded again.",
    "late_capture": "A payment that was Expired shows as Captured, marked for a person to look at.",
}
"""What to look for in the dashboard while a fault is on."""


def show(faults: Mapping[str, Fault]) -> None:
    """All faults, grouped by where they strike. What is changed here holds at once, for everybody."""
    switched = [fault for fault in faults.values() if fault.on]
    on = sum(fault.times != 0 for fault in switched)
    with st.container(border=True):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                st.subheader("Faults", anchor=False, width="content")
                st.badge(
                    f"{on} on" if on else "None on",
                    icon=":material/bolt:" if on else ":material/check_circle:",
                    color="orange" if on else "gray",
                )
            st.button("All off", icon=":material/toggle_off:", disabled=not switched, on_click=_all_off, key="all_off")
        outcome("faults")
        for where in dict.fromkeys(fault.where for fault in faults.values()):
            _group(where, {name: fault for name, fault in faults.items() if fault.where == where})


def how(fault: Fault) -> str:
    """`50 % · 5 s` and the like: how a fault is set, in a few words."""
    rate = round(fault.rate * 100)
    parts = [] if rate == 100 else [f"{rate}{NBSP}%"]
    if fault.times is not None:
        parts.append("used up" if fault.times == 0 else f"{fault.times}{NBSP}more")
    if fault.seconds is not None:
        parts.append(f"{fault.seconds:g}{NBSP}s")
    if fault.code is not None:
        parts.append(fault.code)
    return " · ".join(parts) or "every time"


def _group(where: str, faults: Mapping[str, Fault]) -> None:
    """The faults of one place: a switch each, and one way to set any of them."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{PLACES.get(where, words.plain(where))}**", width="content")
        # Its label does not say how they are set: with another label it is another pop-over, and shut.
        settings = st.popover(
            "Set", icon=":material/tune:", type="tertiary", width="content", key=f"fault_set_{where}", on_change="rerun"
        )
    if settings.open:
        with settings:
            _settings(*_chosen(where, faults))
    for name, fault in faults.items():
        _switched(name, fault)


def _chosen(where: str, faults: Mapping[str, Fault]) -> tuple[str, Fault]:
    """The fault to set: at first one that is on, if any is."""
    names = list(faults)
    first = next((place for place, fault in enumerate(faults.values()) if fault.on), 0)
    name = st.selectbox("Fault", names, first, format_func=lambda name: faults[name].title, key=f"fault_chosen_{where}")
    return name, faults[name]


def _switched(name: str, fault: Fault) -> None:
    key, seen = hold(_widget(name, "on"), fault.on), SEEN.get(name, "")
    st.toggle(
        f"{fault.title} :small[:gray[· {how(fault)}]]",
        fault.on,
        key=key,
        on_change=_switch,
        args=(name, fault, key),
        help=f"{fault.effect} {seen}".strip(),
    )
    with frame.place():
        if fault.on:
            st.caption(seen)


def _settings(name: str, fault: Fault) -> None:
    percent = round(fault.rate * 100)
    key = hold(_widget(name, "rate"), percent)
    st.number_input(
        "How often, in percent",
        min_value=0,
        max_value=100,
        value=percent,
        step=5,
        key=key,
        on_change=_change,
        args=(name, "rate", key),
    )
    key = hold(_widget(name, "times"), fault.times)
    st.number_input(
        "How many times more",
        min_value=0,
        max_value=1_000_000,
        value=fault.times,
        step=1,
        placeholder="No end",
        key=key,
        on_change=_change,
        args=(name, "times", key),
    )
    if fault.seconds is not None:
        key = hold(_widget(name, "seconds"), float(fault.seconds))
        st.number_input(
            "Seconds",
            min_value=0.0,
            max_value=86_400.0,
            value=float(fault.seconds),
            step=1.0,
            format="%g",
            key=key,
            on_change=_change,
            args=(name, "seconds", key),
        )
    if fault.code is not None:
        codes, key = list(dict.fromkeys((*CODES, fault.code))), hold(_widget(name, "code"), fault.code)
        st.selectbox(
            "Response code",
            codes,
            codes.index(fault.code),
            format_func=lambda code: f"{code} · {words.response(code, None)}".removesuffix(f" ({code})"),
            accept_new_options=True,
            key=key,
            on_change=_change,
            args=(name, "code", key),
        )


def _widget(name: str, field: str) -> str:
    return f"fault_{name}_{field}"


def _switch(name: str, fault: Fault, key: str) -> None:
    def switch(on: bool) -> None:
        again = {"times": None} if on and fault.times == 0 else {}
        acts().set_fault(operator(), name, on=on, **again)

    change("faults", _widget(name, "on"), key, switch)


def _change(name: str, field: str, key: str) -> None:
    def set_it(value: Any) -> None:
        acts().set_fault(operator(), name, **{field: value / 100 if field == "rate" else value})

    change("faults", _widget(name, field), key, set_it)


def _all_off() -> None:
    def off() -> str:
        acts().all_off(operator())
        return "Every fault is off and set as it began."

    attempt("faults", off)
