"""Payments made elsewhere are read once, so that they are found by their customer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import stamina

from lib.ledger import facts, queries, rebuild
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.facts import Fact, from_webhook
from lib.ledger.introductions import A_ROUND, introduce
from lib.ledger.record import record
from lib.ledger.search import index_waiting
from tests.support.events import answer, event
from tests.support.provider import desk_with

A_MINUTE = timedelta(minutes=1)


class Provider:
    """Checkout.com, which knows every payment but `pay_unknown`."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 200

    def __call__(self, request: httpx.Request) -> httpx.Response:
        payment_id = request.url.path.rsplit("/", 1)[1]
        self.asked.append(payment_id)
        if payment_id == "pay_unknown":
            return httpx.Response(404)
        customer = {"id": "cus_1", "email": f"{payment_id}@example.com", "name": "Kim Minji"}
        return httpx.Response(self.status, json={"id": payment_id, "status": "Captured", "customer": customer})


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def desk(database: Database, provider: Provider) -> Iterator[Desk]:
    with stamina.set_testing(True, attempts=1), desk_with(database, provider) as desk:
        yield desk


def told(name: str, ago: timedelta = A_MINUTE, **data: object) -> Fact:
    """A webhook of so long ago about a payment that was made elsewhere."""
    when = datetime.now(UTC) - ago
    raw = event("payment_captured", name, when, id=f"pay_{name}", currency="HKD", amount=100, action_id=name, **data)
    return from_webhook(raw, when)


def emails(database: Database) -> list[str | None]:
    return sorted(
        (payment.customer_email for payment in queries.find_payments(database, queries.PaymentFilter()).rows), key=str
    )


def until_none_is_left(desk: Desk, again: Callable[[], None] = lambda: None) -> None:
    while introduce(desk).read:
        again()


def test_a_payment_made_elsewhere_is_found_by_its_customer(desk: Desk, provider: Provider) -> None:
    record(desk.database, [told("one"), told("two")])
    assert introduce(desk) == (2, False)
    while index_waiting(desk.database):
        pass
    [found] = queries.find_payments(desk.database, queries.PaymentFilter(text="pay_two@example.com")).rows
    assert (found.id, found.customer_name, found.captured) == ("pay_two", "Kim Minji", 100)
    assert rebuild.compare(desk.database).differing == 0


def test_each_is_read_once_and_known_ones_never(desk: Desk, provider: Provider) -> None:
    request = {"amount": 100, "currency": "HKD"}
    ours = facts.payment_accepted("key", "pay_ours", answer({"id": "pay_ours"}, sent=request, seconds=0))
    asked = facts.payment_requested("key", "pay_ours", "Ana", request, datetime.now(UTC) - A_MINUTE)
    known = told("known", customer={"email": "k@example.com"})
    record(desk.database, [ours, asked, known, *(told(f"n{number}") for number in range(A_ROUND + 1))])
    assert [introduce(desk) for _ in range(3)] == [(A_ROUND, True), (1, False), (0, False)]
    assert sorted(provider.asked) == [f"pay_n{number}" for number in range(A_ROUND + 1)]


def test_one_that_checkout_does_not_know_holds_up_nobody(desk: Desk, provider: Provider) -> None:
    record(desk.database, [told("unknown"), told("two")])
    until_none_is_left(desk)
    assert provider.asked == ["pay_unknown", "pay_two"]
    assert emails(desk.database) == [None, "pay_two@example.com"]


def test_while_checkout_does_not_answer_nothing_is_passed_over(desk: Desk, provider: Provider) -> None:
    record(desk.database, [told("one"), told("two")])
    provider.status = 503
    assert introduce(desk) == (0, False)
    provider.status = 200
    until_none_is_left(desk)
    assert emails(desk.database) == ["pay_one@example.com", "pay_two@example.com"]


def test_a_very_young_one_is_left_until_it_is_older(desk: Desk, provider: Provider) -> None:
    record(desk.database, [told("old"), told("young", ago=timedelta())])
    until_none_is_left(desk)
    assert provider.asked == ["pay_old"]


def test_while_deliveries_come_in_a_round_passes_by_a_few_hundred_and_no_more(desk: Desk, provider: Provider) -> None:
    known = [told(f"k{number}", customer={"email": "k@example.com"}) for number in range(600)]
    record(desk.database, [*known, told("last")])
    with desk.database.write(patient=False):
        pass  # as a delivery is stored
    assert introduce(desk) == (0, True)
    assert introduce(desk) == (1, False)
    assert provider.asked == ["pay_last"]
