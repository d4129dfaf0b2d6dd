"""Asking Checkout.com about one payment, and what it says as facts."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select

from lib.checkout.client import CheckoutClient
from lib.checkout.errors import NotFound
from lib.ledger import audit, queries
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.facts import from_webhook
from lib.ledger.record import record
from lib.ledger.reread import reread, reread_now
from lib.operators import NotAllowed, Operator
from lib.settings import Settings
from tests.support.events import at, balances, event
from tests.support.provider import client_of

RAW = [
    event("payment_pending", 1, at(0), id="pay_1", currency="HKD", amount=1000),
    event(
        "payment_captured",
        2,
        at(5),
        id="pay_1",
        currency="HKD",
        amount=1000,
        action_id="act_c",
        balances=balances(1000, 0),
    ),
    event("payment_refund_pending", 3, at(60), id="pay_1", currency="HKD", amount=400, action_id="act_r"),
]
EVENTS = {json.loads(raw)["id"]: json.loads(raw) for raw in RAW}


class Provider:
    """Checkout.com's look-ups of one payment. `refuse` names what it does not answer, and how."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.refuse: dict[str, int] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.asked.append(path)
        for part, status in self.refuse.items():
            if part in path:
                return httpx.Response(status)
        if path == "/payments/pay_1":
            details = {"id": "pay_1", "status": "Captured", "amount": 1000, "currency": "HKD"}
            return httpx.Response(200, json=details | {"balances": balances(1000, 0)})
        if path == "/payments/pay_1/actions":
            capture = {"id": "act_c", "type": "Capture", "amount": 1000, "approved": True}
            return httpx.Response(200, json=[capture | {"processed_on": at(5).isoformat()}])
        if path == "/workflows/events/subject/pay_1":
            return httpx.Response(200, json={"data": [{"id": event_id} for event_id in EVENTS]})
        told = EVENTS.get(path.rpartition("/")[2])
        return httpx.Response(200, json=told | {"action_invocations": []}) if told else httpx.Response(404)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def client(provider: Provider) -> Iterator[CheckoutClient]:
    with client_of(provider) as client:
        yield client


def test_all_that_checkout_knows_becomes_facts(database: Database, client: CheckoutClient) -> None:
    assert reread(database, client, "pay_1") == 5
    payment = queries.find_payment(database, "pay_1")
    assert payment is not None
    assert (payment.status, payment.captured, payment.refund_pending) == ("Captured", 1000, 400)
    assert {fact.source for fact in queries.facts_of(database, "pay_1")} == {"poll"}


def test_asking_again_finds_nothing_new_and_fetches_no_event_twice(
    database: Database, client: CheckoutClient, provider: Provider
) -> None:
    reread(database, client, "pay_1")
    provider.asked.clear()
    assert reread(database, client, "pay_1") == 0
    assert len(provider.asked) == 3


def test_events_that_came_as_webhooks_are_not_fetched(
    database: Database, client: CheckoutClient, provider: Provider
) -> None:
    record(database, [from_webhook(raw, at(70)) for raw in RAW[:2]])
    assert reread(database, client, "pay_1") == 3
    assert [path for path in provider.asked if "evt_" in path] == [f"/workflows/events/{list(EVENTS)[2]}"]


def test_a_webhook_after_the_look_up_is_the_same_fact(database: Database, client: CheckoutClient) -> None:
    reread(database, client, "pay_1")
    assert record(database, [from_webhook(raw, at(70)) for raw in RAW]) == [False, False, False]


@pytest.mark.parametrize("part", ["/workflows/", "evt_00000000000000000000000002"])
def test_without_the_event_look_up_the_rest_is_kept(
    database: Database, client: CheckoutClient, provider: Provider, part: str
) -> None:
    """The first event was read before the second was refused; it and the payment's own answers stay."""
    provider.refuse = {part: 403}
    found = reread(database, client, "pay_1")
    assert found == (2 if part == "/workflows/" else 3)
    payment = queries.find_payment(database, "pay_1")
    assert payment is not None
    assert (payment.status, payment.captured) == ("Captured", 1000)


def test_a_payment_that_checkout_does_not_know_leaves_nothing(
    database: Database, client: CheckoutClient, provider: Provider
) -> None:
    provider.refuse = {"/payments/": 404}
    with pytest.raises(NotFound):
        reread(database, client, "pay_1")
    assert queries.find_payment(database, "pay_1") is None


def test_a_person_is_told_what_was_new_and_the_asking_is_on_record(database: Database, client: CheckoutClient) -> None:
    record(database, [from_webhook(RAW[0], at(70))])
    desk = Desk(Settings(_env_file=None), database, client, "http://desk")  # type: ignore[call-arg]
    found = reread_now(desk, Operator("Ana"), "pay_1")
    assert (found.before.status, found.after.status) == ("Pending", "Captured")
    assert found.events == ("payment_captured", "payment_refund_pending")
    again = reread_now(desk, Operator("Ana"), "pay_1")
    assert (again.before, again.events) == (again.after, ())
    with pytest.raises(NotAllowed):
        reread_now(desk, Operator("Vic", roles=frozenset({"viewer"})), "pay_1")
    with database.read() as connection:
        rows = connection.execute(select(audit.AUDIT.c.who, audit.AUDIT.c.action, audit.AUDIT.c.subject)).all()
    assert list(map(tuple, rows)) == [("Ana", "payment.reread", "pay_1")] * 2 + [("Vic", "refused", "pay_1")]
