"""Colleagues' notes on a payment: facts like all others, never changed, and unknown to money."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from lib.ledger import audit, facts
from lib.ledger.database import Database
from lib.ledger.record import PAYMENT, store
from lib.ledger.story import NOTE
from lib.ledger.tables import Event
from lib.operators import Operator

LONGEST = 2000
ERASED = "(erased with the customer's data)"
"""What stands for the text of a note that was erased."""


class BadNote(ValueError):
    """A note that was not kept; the message is a sentence for whoever wrote it."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a colleague wrote, and when."""

    at: datetime
    by: str
    text: str


def add_note(database: Database, operator: Operator, payment_id: str, text: str, *, key: str) -> None:
    """Keep a note of at most `LONGEST` characters; under the same key once. Raises `NotAllowed`, `BadNote`, `StoreUnavailable`."""
    audit.permit(database, operator, "note", payment_id)
    text = text.replace("\x00", "").strip()
    if not text:
        raise BadNote("Write something first.")
    if len(text) > LONGEST:
        raise BadNote(f"A note may have {LONGEST:,} characters, this has {len(text):,}. Shorten it, or write two.")
    with database.write() as connection:
        if connection.execute(select(PAYMENT.c.seq).where(PAYMENT.c.id == payment_id)).first() is None:
            raise BadNote("There is no such payment here. Find it under Payments.")
        fact = facts.note_added(key, payment_id, text=text, by=operator.name, at=datetime.now(UTC))
        [stored] = store(connection, [fact])
        if stored.new:
            audit.note(connection, operator, "note.added", payment_id, None, {"fact": fact.id})


def notes_in(known: Iterable[Event]) -> list[Note]:
    """The notes among a payment's facts, in their order."""
    return [read_note(fact) for fact in known if (fact.source, fact.type) == NOTE]


def read_note(fact: Event) -> Note:
    """The note that a fact is. Of one that was erased it says so."""
    body = json.loads(fact.body)
    return Note(fact.occurred_at, str(body["by"]), str(body["text"]) or ERASED)
