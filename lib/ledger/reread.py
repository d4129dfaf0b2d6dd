"""Asking Checkout.com what it knows of a payment, and keeping what it says as facts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sqlalchemy import select

from lib.checkout.client import CheckoutClient
from lib.checkout.errors import CheckoutError
from lib.ledger import facts
from lib.ledger.database import Database
from lib.ledger.facts import Fact
from lib.ledger.record import EVENT, record


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
