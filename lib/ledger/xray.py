"""The X-ray of one delivery: what its signature proves, which copy it is, when it came against when it happened, and what it did."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from lib.checkout.signature import verify
from lib.ledger.database import Database
from lib.ledger.deliveries import DELIVERY
from lib.ledger.effect import effect, why_none
from lib.ledger.facts import Fact, NotReadable, from_row, from_webhook
from lib.ledger.fold import fold
from lib.ledger.project import Projection, project
from lib.ledger.record import EVENT
from lib.ledger.state import encode
from lib.ledger.tables import Delivery


@dataclass(frozen=True, slots=True)
class Finding:
    """What a signature proves. `word` is one of `fits`, `fits_older_key`, `none`, `not_hex`, `wrong_key`, `body_changed`,
    `unknown`; `sentence` says it, and what to do."""

    word: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fact stands among the facts of its payment, from 1: as they reached us, and as they happened."""

    arrived: int
    happened: int
    of: int


@dataclass(frozen=True, slots=True)
class XRay:
    """One delivery, seen through. `copy` of `copies` deliveries of its event so far; both 0 when it brought no event."""

    delivery: Delivery
    signature: Finding
    copy: int
    copies: int
    place: Place | None
    effect: str
    """What it did to the payment, in words; begins with `none` when it did nothing."""


def xray(database: Database, delivery_id: int, keys: Sequence[str], *, secret_key: str = "") -> XRay | None:
    """See through one delivery; None if there is no such delivery. `keys` are our signature keys, the first one first.

    `secret_key` is the API's; signing with it is a mistake that is made.
    """
    with database.read() as connection:
        row = connection.execute(select(DELIVERY).where(DELIVERY.c.id == delivery_id)).mappings().one_or_none()
        if row is None:
            return None
        delivery = Delivery(**row)
        copies = _copies(connection, delivery)
        place, did = _in_its_payment(connection, delivery)
        return XRay(delivery, _signature(connection, delivery, keys, secret_key), *copies, place, did)


def whole_body(delivery: Delivery) -> bytes | None:
    """The bytes that were delivered, if they were kept with the delivery whole and unaltered."""
    raw = (delivery.body or "").encode()
    return raw if delivery.body is not None and len(raw) == delivery.size else None


def _signature(connection: Connection, delivery: Delivery, keys: Sequence[str], secret_key: str) -> Finding:
    if delivery.key_index is not None:
        return _fitting(delivery.key_index)
    if delivery.verdict == "no_signature" or not delivery.signature:
        return Finding(
            "none", "It came without a Cko-Signature header. Checkout.com signs every delivery; this one is not theirs."
        )
    if delivery.verdict == "too_large":
        return Finding("unknown", "Not checked: larger than an event ever is.")
    raw = whole_body(delivery)
    if raw is None and delivery.event_seq is not None:
        kept = connection.execute(select(EVENT.c.body).where(EVENT.c.seq == delivery.event_seq)).scalar()
        raw = kept.encode() if kept else None
    if raw is None:
        return Finding(
            "unknown", "No key of ours fitted. The body was not kept whole, so that no more can be told now."
        )
    found = verify(raw, delivery.signature, keys)
    if found.key_index is not None:
        if delivery.verdict != "bad_signature":
            return _fitting(found.key_index)
        return Finding("fits", "No key of ours fitted when it came, but one does now. Try it again.")
    if found.refusal == "not hex":
        return Finding("not_hex", "The Cko-Signature is not 64 hexadecimal digits, as Checkout.com's are.")
    for known in (secret_key, f"Bearer {secret_key}"):
        if secret_key and verify(raw, delivery.signature, [known]):
            words = "It is signed with the API's secret key. Set the workflow's signature key to one in CHECKOUT_WEBHOOK_KEYS."
            return Finding("wrong_key", words)
    for words, other in _other_bodies(connection, raw, delivery.received_at):
        if verify(other, delivery.signature, keys):
            return Finding(
                "body_changed", f"The key is ours, but the body was changed on the way: the signature fits {words}."
            )
    return Finding(
        "wrong_key",
        "No key of ours fits, nor any body that this one may have been. If it is Checkout.com's, copy the signature key of "
        "the workflow's webhook action to CHECKOUT_WEBHOOK_KEYS, then try this delivery again.",
    )


def _fitting(index: int) -> Finding:
    if index == 0:
        return Finding("fits", "It fits our first signature key.")
    return Finding("fits_older_key", f"It fits our signature key number {index + 1}, one that is being rotated out.")


def _other_bodies(connection: Connection, raw: bytes, received_at: datetime) -> Iterator[tuple[str, bytes]]:
    """Bodies that the delivered one may have been made of, with the words for each."""
    stripped = raw.strip()
    for other in (stripped, stripped + b"\n", stripped + b"\r\n", stripped.removeprefix(b"\xef\xbb\xbf")):
        yield "the same text without, or with, white space at its end", other
    try:
        fact = from_webhook(raw, received_at)
    except NotReadable:
        return
    held = connection.execute(select(EVENT.c.body).where(EVENT.c.id == fact.id)).scalar()
    if held is not None:
        yield "the body of this event that we hold", held.encode()
    for words, options in _WRITINGS:
        yield f"the same JSON written {words}", json.dumps(fact.body, **options).encode("utf-8", "surrogatepass")


_WRITINGS: Sequence[tuple[str, Mapping[str, Any]]] = [
    (f"{how}, with {letters}", {"separators": separators, "ensure_ascii": ascii_only, "indent": indent})
    for how, separators, indent in (
        ("without spaces", (",", ":"), None),
        ("with spaces", (", ", ": "), None),
        ("over indented lines", (",", ": "), 2),
    )
    for letters, ascii_only in (("its letters as they are", False), ("escaped letters", True))
]


def _copies(connection: Connection, delivery: Delivery) -> tuple[int, int]:
    if delivery.event_seq is None:
        return 0, 0
    same = DELIVERY.c.event_seq == delivery.event_seq
    earlier = func.count().filter(DELIVERY.c.id <= delivery.id)
    copy, copies = connection.execute(select(earlier, func.count()).where(same)).one()
    return int(copy), int(copies)


def _in_its_payment(connection: Connection, delivery: Delivery) -> tuple[Place | None, str]:
    """The place of the delivery's event among its payment's facts, and what the delivery did there."""
    if delivery.event_seq is None:
        return None, "none: it was not taken in"
    own = connection.execute(select(EVENT).where(EVENT.c.seq == delivery.event_seq)).mappings().one()
    if own["payment_seq"] is None:
        return None, "none: it is not about a payment"
    of_payment = select(EVENT).where(EVENT.c.payment_seq == own["payment_seq"]).order_by(EVENT.c.seq)
    rows = [dict(row) for row in connection.execute(of_payment).mappings()]
    seqs = [row["seq"] for row in rows]
    arrived = seqs.index(own["seq"])
    by_time = sorted(rows, key=lambda row: (row["occurred_at"], row["seq"]))
    place = Place(arrived + 1, [row["seq"] for row in by_time].index(own["seq"]) + 1, len(rows))
    facts = [from_row(row) for row in rows]
    if delivery.verdict in ("duplicate", "conflicting"):
        by_then = [fact for fact in facts if fact.recorded_at <= delivery.received_at] or facts[: arrived + 1]
        return place, f"none: {why_none(own['type'], own['action_id'], _projection(by_then))}"
    before = _projection(facts[:arrived]) if arrived else None
    after = _projection(facts[: arrived + 1])
    return place, effect(before, after) or f"none: {why_none(own['type'], own['action_id'], after)}"


def _projection(facts: Sequence[Fact]) -> Projection:
    state = fold(facts)
    return project(facts[0].payment_id or "", state, encode(state))
