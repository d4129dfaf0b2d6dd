"""Deliveries found by when they came, whatever gaps their numbers have and however little their order is that of the clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete

from lib.ledger.database import Database
from lib.ledger.deliveries import DELIVERY, Incoming, receive
from lib.ledger.queries import DeliveryFilter, delivery_counts, find_deliveries
from tests.support.events import at

MINUTE = 60.0


def come(store: Database, *seconds: float) -> None:
    refused = ("no_signature", "No Cko-Signature header")
    receive(store, [Incoming(b"{}", at(each), None, None, 2, refused) for each in seconds])


def found(store: Database, since: float | None, until: float | None) -> list[float]:
    wanted = DeliveryFilter(since=None if since is None else at(since), until=None if until is None else at(until))
    rows = find_deliveries(store, wanted, limit=500).rows
    return sorted((row.received_at - at(0)) / timedelta(seconds=1) for row in rows)


@pytest.mark.parametrize(
    ("since", "until"),
    [(None, None), (0, None), (None, 0), (600, 1200), (595, 1205), (-9999, 9999), (9999, None), (None, -9999), (7, 7)],
)
def test_between_two_moments(database: Database, since: float | None, until: float | None) -> None:
    moments = [10.0 * number for number in range(180)]
    come(database, *moments)
    with database.write() as connection:
        connection.execute(delete(DELIVERY).where(DELIVERY.c.id.in_([*range(20, 60), 100, 180])))
    kept = [
        moment for number, moment in enumerate(moments, start=1) if not 20 <= number < 60 and number not in (100, 180)
    ]
    low, high = -1e9 if since is None else since, 1e9 if until is None else until
    assert found(database, since, until) == [moment for moment in kept if low <= moment < high]


def test_nothing_ever_came(database: Database) -> None:
    assert found(database, 0, None) == found(database, None, 0) == []
    assert delivery_counts(database, since=at(0)) == {}


def test_a_delivery_that_was_stored_out_of_order_is_found(database: Database) -> None:
    come(database, *(MINUTE * number for number in range(60)))
    come(database, 56 * MINUTE + 1)
    come(database, *(MINUTE * number for number in range(60, 120)))
    assert 56 * MINUTE + 1 in found(database, 56 * MINUTE, 57 * MINUTE)
    assert delivery_counts(database, since=at(118 * MINUTE)) == {"no_signature": 2}
