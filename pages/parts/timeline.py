"""Everything that is known of one payment on one time axis: what came, what it changed, what is missing, and the proof."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lib.ledger.curl import curl_of
from lib.ledger.notes import read_note
from lib.ledger.queries import deliveries_of, refused_about
from lib.ledger.story import NOTE, SILENT, Gap, Refused, Silence, Told, tell
from lib.ledger.tables import Delivery, Event, Payment
from pages.parts import ask, simulator, words
from pages.parts.kept import kept
from pages.parts.session import desk

SHOWN = 25
"""Entries a page."""

COPIES = 3
"""Deliveries that are listed with one event."""
MOST_DELIVERIES = 1000
REPEATS = ("duplicate", "conflicting")
_GAPS = {
    "late": ("schedule", "{span} late"),
    "disorder": ("low_priority", "out of order"),
    "never": ("webhook", "webhook never came"),
    "not_yet": ("webhook", "no webhook yet"),
    "later": ("webhook", "webhook came later"),
    "refused": ("gpp_bad", "webhook refused"),
}


class Link(NamedTuple):
    """One into Webhook events."""

    label: str
    icon: str
    query_params: dict[str, str]


def show(payment: Payment, facts: Sequence[Event]) -> None:
    """The axis over the full width, latest first, with the button that asks Checkout.com."""
    zone = desk().settings.zone
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(
            f"Latest first, times in {datetime.now(zone):%Z}. Open an entry for what it changed and the exact JSON.",
            width="content",
        )
        ask.button(payment)
    ask.answer(payment)
    key = f"timeline_page_{payment.id}"
    chapter = tell(
        facts,
        deliveries_of(desk().database, payment.id, limit=MOST_DELIVERIES),
        refused_about(desk().database, payment.id),
        now=simulator.now(),
        first=(st.session_state.get(key, 1) - 1) * SHOWN,
        count=SHOWN,
    )
    with st.container(border=True, gap="xsmall"):
        for entry in chapter.entries:
            if isinstance(entry, Told):
                show_fact(entry)
            elif isinstance(entry, Silence):
                show_silence(entry)
            else:
                show_refused(entry)
    if chapter.total > SHOWN:
        st.pagination(-(-chapter.total // SHOWN), key=key)


def entry_box(label: str, icon: str, key: str) -> DeltaGenerator:
    """An entry to be opened. By its key the browser knows an open one again when a newer entry comes above it."""
    return st.expander(label, icon=f":material/{icon}:", type="step", key=key)


def show_fact(entry: Told) -> None:
    fact, body = entry.fact, json.loads(entry.fact.body)
    icon, source = words.SOURCES.get(fact.source, ("help", fact.source))
    who = words.plain(str(author(body))) if fact.source == "human" and author(body) else source
    changed = "changed " if entry.changed.startswith("nothing") else ""
    did = f" · {changed}{changes(entry.changed)}" if entry.changed else ""
    parts = [f"{words.clock(entry.at, desk().settings.zone)} **{who}** {said(fact, body)}{did}"]
    parts += [gap_badge(gap) for gap in entry.gaps]
    repeats = sum(copy.verdict in REPEATS for copy in entry.deliveries)
    if repeats:
        parts.append(f":gray-badge[:material/content_copy: {'a repeat' if repeats == 1 else f'{repeats} repeats'}]")
    refused = sum(copy.event_seq is None for copy in entry.deliveries)
    if refused:
        parts.append(f":orange-badge[:material/gpp_bad: {'one refused' if refused == 1 else f'{refused} refused'}]")
    with entry_box(" ".join(parts), icon, f"fact_{fact.seq}"):
        if (fact.source, fact.type) == NOTE:
            st.text(read_note(fact).text)
        lines = [f"Changed: {changes(entry.changed)}."] if entry.changed and (fact.source, fact.type) != NOTE else []
        lines += [f":material/{_GAPS[gap.word][0]}: {gap_sentence(gap)}" for gap in entry.gaps]
        show_lines(lines, links_to(entry))
        settings = desk().settings
        command = curl_of(
            fact,
            base_url=desk().api_url,
            secret_key=settings.secret_key,
        )
        if command:
            st.caption("The call as curl, with the secret key left out")
            st.code(command, language=None, wrap_lines=True)
        st.json(body)


def links_to(entry: Told) -> list[Link]:
    """The deliveries of an event; the first is what told us of it, the others repeat it or were refused in its name."""
    zone = desk().settings.zone
    found = []
    for copy in entry.deliveries[:COPIES]:
        sign = words.verdict(copy.verdict)
        what = "nothing: a repeat" if copy.verdict in REPEATS else sign.meaning
        found.append(link_to(copy, f"{words.clock(copy.received_at, zone)} {sign.word}: {what}"))
    more = len(entry.deliveries) - COPIES
    if more > 0:
        found.append(Link(f"{more} more in Webhook events", "webhook", {"payment": entry.fact.payment_id or ""}))
    return found


def link_to(delivery: Delivery, label: str) -> Link:
    return Link(label, words.verdict(delivery.verdict).icon, {"delivery": str(delivery.id)})


@kept
def show_lines(lines: Sequence[str], links: Sequence[Link]) -> None:
    for line in lines:
        st.markdown(line)
    for link in links:
        st.page_link(
            "webhook_events.py", label=link.label, icon=f":material/{link.icon}:", query_params=link.query_params
        )


def show_silence(silence: Silence) -> None:
    zone = desk().settings.zone
    until = f"until {words.clock(silence.until, zone)}" if silence.until else "to this minute"
    label = f"**No word for {words.span(silence.span)}** from {words.clock(silence.at, zone)} {until}"
    label = f"{label} :orange-badge[the {silence.awaited} was undecided]"
    with entry_box(label, "hourglass_empty", f"silence_{silence.awaited}_{silence.at:%s}"):
        st.markdown(
            f"While a {silence.awaited} is undecided, Checkout.com mostly tells more within {words.span(SILENT)}. After "
            "that it is asked by itself, at growing gaps."
        )


def show_refused(refused: Refused) -> None:
    sign = words.verdict(refused.delivery.verdict)
    label = (
        f"{words.clock(refused.at, desk().settings.zone)} **Webhook** refused, in the name of this payment {sign.badge}"
    )
    with entry_box(label, "gpp_bad", f"refused_{refused.delivery.id}"):
        show_lines(
            [f"Changed: nothing. {sign.meaning} Anybody can send such; nothing in it is believed."],
            [link_to(refused.delivery, "Open it in Webhook events")],
        )


def author(body: dict[str, Any]) -> Any:
    return body.get("requested_by") or body.get("by")


def said(fact: Event, body: dict[str, Any]) -> str:
    """What the fact says, in plain words."""
    if (fact.source, fact.type) == NOTE:
        text = read_note(fact).text
        return f"wrote: {words.plain(text if len(text) <= 80 else text[:79] + '…')}"
    answer = ""
    if isinstance(body.get("status"), int) and "elapsed_ms" in body:
        answer = f" ({body['status']} in {body['elapsed_ms']} ms)"
    return f"{words.event(fact.type)}{answer}"


def changes(changed: str) -> str:
    """What a fact changed, as Markdown; the no-break spaces in amounts stay."""
    return "\u00a0".join(words.plain(part) for part in changed.split("\u00a0"))


def gap_badge(gap: Gap) -> str:
    icon, text = _GAPS[gap.word]
    return f":orange-badge[:material/{icon}: {text.format(span=words.span(gap.span))}]"


def gap_sentence(gap: Gap) -> str:
    """What was not as it should be with a fact."""
    span = words.span(gap.span)
    behind = f", {span} after it happened" if gap.span.total_seconds() >= 1 else ""
    return {
        "late": f"This webhook arrived {span} late: so long after what it tells of.",
        "disorder": f"Out of order: it came after “{words.event(gap.kind)}”, which happened {span} later.",
        "never": f"Learned from a poll{behind}; its webhook never came.",
        "not_yet": f"Learned from a poll{behind}; its webhook has not come yet.",
        "later": f"Learned from a poll; its webhook came {span} later.",
        "refused": f"Learned from a poll{behind}; its webhook came and was refused.",
    }[gap.word]
