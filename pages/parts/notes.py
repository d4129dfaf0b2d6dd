"""What colleagues noted on a payment, and writing another note."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from lib.ledger.notes import LONGEST, BadNote, Note, add_note
from lib.ledger.payments import new_key
from lib.ledger.tables import Payment
from lib.operators import NotAllowed
from pages.parts import frame, words
from pages.parts.session import desk, operator


def show(payment: Payment, notes: Sequence[Note]) -> None:
    """The form, for whoever may write, above the notes, latest first."""
    if operator().may("note"):
        form(payment)
    if not notes:
        frame.empty("sticky_note_2", "No notes yet", "Write down what the next colleague should know.")
    for note in notes:
        with st.container(border=True, gap="xxsmall"):
            st.markdown(f"**{words.plain(note.by)}** :gray[:small[{words.when(note.at, desk().settings.zone)}]]")
            st.text(note.text)


def form(payment: Payment) -> None:
    """One opened form is one note, however often it is sent."""
    name = f"note_key_{payment.id}"
    key = st.session_state.setdefault(name, new_key())
    with st.form(f"note_form_{key}", border=False):
        text = st.text_area(
            "New note",
            key=f"new_note_{key}",
            max_chars=LONGEST,
            height=80,
            placeholder="What colleagues should know; the customer never sees it",
        )
        sent = st.form_submit_button("Add note", icon=":material/sticky_note_2:", key=f"add_note_{key}")
    if sent:
        try:
            add_note(desk().database, operator(), payment.id, text or "", key=key)
        except (BadNote, NotAllowed) as problem:
            st.error(words.plain(str(problem)), icon=":material/error:")
        else:
            st.session_state[name] = new_key()
            st.rerun()


def latest(notes: Sequence[Note]) -> str:
    """The newest note in one line, as Markdown; empty when there is none."""
    if not notes:
        return ""
    note = notes[0]
    text = note.text if len(note.text) <= 120 else f"{note.text[:119]}…"
    more = f" (and {len(notes) - 1} more)" if len(notes) > 1 else ""
    return f":material/sticky_note_2: **{words.plain(note.by)}** {words.ago(note.at)}: {words.plain(text)}{more}"
