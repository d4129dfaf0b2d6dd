"""Asking Checkout.com what it knows of a payment, and keeping what it says as facts."""

from __future__ import annotations

import contextlib

from lib.checkout.client import CheckoutClient
from lib.checkout.errors import CheckoutError
from lib.ledger import facts
from lib.ledger.database import Database
from lib.ledger.record import record


def reread(database: Database, checkout: CheckoutClient, payment_id: str) -> int:
    """Read the payment, its actions and its events at Checkout.com. How many facts were new.

    Raises `CheckoutError` when the payment or its actions cannot be read. The event lookup comes with a permission
    that not every key has, so its failure is no reason to do without the rest.
    """
    found = [
        facts.payment_read(payment_id, checkout.get_payment(payment_id)),
        facts.actions_read(payment_id, checkout.get_actions(payment_id)),
    ]
    with contextlib.suppress(CheckoutError):
        found += _events(checkout, payment_id)
    return sum(record(database, found))


def _events(checkout: CheckoutClient, payment_id: str) -> list[facts.Fact]:
    listed = checkout.get_events_of(payment_id).body
    entries = listed.get("data") if isinstance(listed, dict) else None
    ids = [entry.get("id") for entry in entries or () if isinstance(entry, dict)]
    looked_up = [facts.from_lookup(checkout.get_event(event_id)) for event_id in ids if isinstance(event_id, str)]
    return [fact for fact in looked_up if fact is not None]
