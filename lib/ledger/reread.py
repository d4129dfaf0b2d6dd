"""Asking Checkout.com what it knows of a payment, and keeping what it says as facts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from lib.checkout.client import CheckoutClient
from lib.checkout.errors import CheckoutError
from lib.ledger import audit, facts
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.facts import Fact
from lib.ledger.queries import find_payment
from lib.ledger.record import EVENT, record, store
from lib.ledger.tables import Payment
from lib.operators import Operator


@dataclass(frozen=True, slots=True)
class Found:
    """What asking brought: the payment before and after, and the types of the events that had not reached us."""

    before: Payment
    after: Payment
    events: tuple[str, ...]


def reread_now(desk: Desk, operator: Operator, payment_id: str) -> Found:
    """A person asks about a payment that is known here. Raises `NotAllowed`, and as `reread`."""
    audit.permit(desk.database, operator, "reread", payment_id)
    before = find_payment(desk.database, payment_id)
    looked_up = look_up(desk.database, desk.checkout, payment_id)
    with desk.database.write() as connection:
        stored = store(connection, looked_up)
        audit.note(connection, operator, "payment.reread", payment_id)
    after = find_payment(desk.database, payment_id)
    assert before, "only a payment that is known here is asked about"
    assert after, "payments are never deleted"
    new = [fact for fact, place in zip(looked_up, stored, strict=True) if place.new]
    events = tuple(fact.type for fact in new if fact.type not in ("payment_read", "actions_read"))
    return Found(before, after, events)


def reread(database: Database, checkout: CheckoutClient, payment_id: str) -> int:
    """Read the payment, its actions and its events at Checkout.com, and store what they say. How many facts were new.

    Raises `CheckoutError` when the payment or its actions cannot be read, and `StoreUnavailable`.
    """
    return sum(record(database, look_up(database, checkout, payment_id)))


def look_up(database: Database, checkout: CheckoutClient, payment_id: str) -> list[Fact]:
    """What Checkout.com says of the payment now; of its events those that are not stored here. Raises as `reread`.

    The event look-up comes with a permission that not every key has, so its failure is no reason to do without the rest.
    """
    found = [
        facts.payment_read(payment_id, checkout.get_payment(payment_id)),
        facts.actions_read(payment_id, checkout.get_actions(payment_id)),
    ]
    with contextlib.suppress(CheckoutError):
        found.extend(_missed_events(database, checkout, payment_id))
    return found


def _missed_events(database: Database, checkout: CheckoutClient, payment_id: str) -> Iterator[Fact]:
    listed = checkout.get_events_of(payment_id).body
    entries = listed.get("data") if isinstance(listed, dict) else listed
    ids = [entry["id"] for entry in entries or () if isinstance(entry, dict) and isinstance(entry.get("id"), str)]
    with database.read() as connection:
        held = set(connection.execute(select(EVENT.c.id).where(EVENT.c.id.in_(ids))).scalars())
    for event_id in ids:
        if event_id not in held:
            fact = facts.from_lookup(checkout.get_event(event_id))
            if fact is not None:
                yield fact
