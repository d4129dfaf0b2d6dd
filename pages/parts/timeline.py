"""Everything that is known of one payment, newest first, each with the exact JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from lib.ledger.tables import Event
from lib.money import Money
from pages.parts import words
from pages.parts.session import desk

SHOWN = 40


def show(facts: Sequence[Event]) -> None:
    """The timeline over the full width; long ones open on demand."""
    zone = desk().settings.zone
    with st.container(gap="xxsmall"):
        st.subheader("Timeline", anchor=False)
        st.caption(f"Newest first, times in {datetime.now(zone):%Z}. Open an entry for the exact JSON.")
    with st.container(border=True, gap="xxsmall"):
        everything = len(facts) <= SHOWN or st.session_state.get("whole_timeline", False)
        for fact in facts if everything else facts[:SHOWN]:
            show_fact(fact)
        if len(facts) > SHOWN:
            st.toggle(f"Show all {len(facts)} entries", key="whole_timeline")


def show_fact(fact: Event) -> None:
    body = json.loads(fact.body)
    icon, source = words.SOURCES.get(fact.source, ("help", fact.source))
    who = words.plain(str(body.get("requested_by"))) if fact.source == "human" and body.get("requested_by") else source
    label = f"{words.clock(fact.occurred_at, desk().settings.zone)} **{who}** {said(fact, body)}"
    with st.expander(label, icon=f":material/{icon}:", type="compact"):
        st.json(body)


def said(fact: Event, body: dict[str, Any]) -> str:
    """What the fact says, with its amount."""
    money = amount(body)
    much = f", {money}" if money else ""
    if fact.source == "webhook":
        return (
            f"{words.plain(fact.type)}: {words.event(fact.type)}{much}"
            if fact.type in words.EVENTS
            else f"{words.plain(fact.type)}{much}"
        )
    if fact.source == "human":
        return f"{words.event(fact.type)}{f' of {money}' if money else ''}"
    if isinstance(body.get("status"), int) and "elapsed_ms" in body:
        return f"{words.event(fact.type)}: {body['status']} in {body['elapsed_ms']} ms"
    return words.event(fact.type)


def amount(body: dict[str, Any]) -> Money | None:
    """The amount that a fact names in its own words, if it names one."""
    for part in (body, body.get("data"), body.get("request")):
        if isinstance(part, dict) and isinstance(part.get("amount"), int) and isinstance(part.get("currency"), str):
            return Money(part["amount"], part["currency"])
    return None
