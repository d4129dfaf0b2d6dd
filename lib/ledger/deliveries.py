"""Deliveries to the receiver: each kept with its verdict, and the facts of the good ones stored in the same transaction."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select

from lib.ledger.batch import Batch
from lib.ledger.database import Database, StoreUnavailable
from lib.ledger.facts import KNOWN_TYPES, Fact, NotReadable, from_webhook
from lib.ledger.record import EVENT, store
from lib.ledger.redaction import is_redacted
from lib.ledger.tables import Table, time_text

logger = logging.getLogger(__name__)

DELIVERY = Table.metadata.tables["delivery"]

VERDICTS = (
    "accepted",
    "duplicate",
    "conflicting",
    "unknown_type",
    "bad_signature",
    "no_signature",
    "not_json",
    "too_large",
    "quarantined",
)
UNSIGNED = ("bad_signature", "no_signature", "too_large")
"""What anybody can make us store. Kept few and short."""

KEPT = {"bad_signature": 2000, "no_signature": 2000, "too_large": 500, "not_json": 500}
"""How many deliveries of each refused kind are kept; the oldest go first."""
KEPT_BODY = 16 * 1024
"""Characters kept of a body whose sender we do not know."""


class Incoming(NamedTuple):
    """One request to the receiver. `refusal` is a verdict of `UNSIGNED` with its reason, None when the signature holds."""

    raw: bytes
    received_at: datetime
    signature: str | None
    sender: str | None
    size: int
    refusal: tuple[str, str] | None = None
    key_index: int | None = None
    """Which of our keys fits."""


class Verdict(NamedTuple):
    """What became of a delivery. `word` is one of `VERDICTS`."""

    word: str
    reason: str


_ACCEPTED = Verdict("accepted", "Stored")


def receive(database: Database, deliveries: Sequence[Incoming], *, patient: bool = True) -> list[Verdict]:
    """Judge and store deliveries in one durable transaction. `patient` as in `Database.write`. Raises `StoreUnavailable`.

    A delivery that we fail to understand is kept apart, whole, so that it holds up nobody else and can be tried again.
    """
    try:
        return _receive(database, deliveries, patient=patient)
    except StoreUnavailable:
        raise
    except Exception as error:
        if len(deliveries) > 1:
            return [receive(database, [delivery])[0] for delivery in deliveries]
        logger.exception("A delivery could not be understood and is kept apart")
        return [_quarantine(database, deliveries[0], f"{type(error).__name__} while reading it; it can be tried again")]


def _quarantine(database: Database, delivery: Incoming, reason: str) -> Verdict:
    verdict = Verdict("quarantined", reason)
    with database.write() as connection:
        _insert(connection, [_row(delivery, verdict, verdict, None)])
    return verdict


def _receive(database: Database, deliveries: Sequence[Incoming], *, patient: bool) -> list[Verdict]:
    read = [_read(delivery) for delivery in deliveries]
    with database.write(patient=patient) as connection:
        facts = [fact for fact in read if isinstance(fact, Fact)]
        places = store(connection, facts)
        known = {fact.id for fact, place in zip(facts, places, strict=True) if not place.new}
        firsts = _firsts(connection, known) if known else {}
        stored = iter(places)
        verdicts, rows = [], []
        for delivery, item in zip(deliveries, read, strict=True):
            if isinstance(item, Verdict):
                verdict, seq = item, None
            else:
                seq, new = next(stored)
                verdict = _judge(item, None if new else firsts[item.id])
            verdicts.append(verdict)
            rows.append(_row(delivery, item, verdict, seq))
        _insert(connection, rows)
        for word in {verdict.word for verdict in verdicts} & KEPT.keys():
            _forget_oldest(connection, word)
    return verdicts


def _insert(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    batch = Batch(connection)
    numbers = batch.next_numbers(DELIVERY, len(rows), "id")
    batch.insert_tuples(
        DELIVERY, ("id", *_COLUMNS), [(number, *row) for number, row in zip(numbers, rows, strict=True)]
    )


def _read(delivery: Incoming) -> Fact | Verdict:
    if delivery.refusal:
        return Verdict(*delivery.refusal)
    try:
        return from_webhook(delivery.raw, delivery.received_at)
    except NotReadable as error:
        return Verdict("not_json", f"Signed, but {error}")


def _firsts(connection: Connection, event_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """Body and source of events that are stored. After an outage whole batches repeat them, so all are read at once."""
    found = Batch(connection).rows_of(EVENT, ("id", "body", "source"), "id", event_ids)
    return {event_id: (body, source) for event_id, body, source in found}


def _judge(fact: Fact, first: tuple[str, str] | None) -> Verdict:
    """The verdict on a fact, given what is stored of it when it has come before."""
    if first is None:
        if fact.type not in KNOWN_TYPES:
            return Verdict("unknown_type", f"Kept; {fact.type} changes nothing here")
        return _ACCEPTED
    body, source = first
    if body != fact.text and source == "webhook" and not is_redacted(body):
        return Verdict(
            "conflicting",
            "Same event id as an earlier delivery, but another body; the first stands",
        )
    return Verdict("duplicate", "Same event id as an earlier delivery")


_COLUMNS = (
    "received_at",
    "verdict",
    "reason",
    "event_id",
    "event_seq",
    "key_index",
    "event_type",
    "payment_id",
    "signature",
    "sender",
    "size",
    "body",
)


def _row(delivery: Incoming, read: Fact | Verdict, verdict: Verdict, seq: int | None) -> tuple[Any, ...]:
    body = None
    if verdict.word in UNSIGNED:
        body = _text(delivery.raw[:KEPT_BODY])
    elif verdict.word in ("not_json", "conflicting", "quarantined"):
        body = _text(delivery.raw)
    event_id, kind, payment_id = (read.id, read.type, read.payment_id) if isinstance(read, Fact) else (None, None, None)
    return (
        time_text(delivery.received_at),
        verdict.word,
        verdict.reason,
        event_id,
        seq,
        delivery.key_index,
        kind,
        payment_id,
        _text(delivery.signature.encode())[:128] if delivery.signature else None,
        delivery.sender,
        delivery.size,
        body,
    )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def _forget_oldest(connection: Connection, word: str) -> None:
    newest = select(DELIVERY.c.id).where(DELIVERY.c.verdict == word).order_by(DELIVERY.c.id.desc())
    last_kept = newest.offset(KEPT[word]).limit(1).scalar_subquery()
    connection.execute(delete(DELIVERY).where(DELIVERY.c.verdict == word, DELIVERY.c.id <= last_kept))
