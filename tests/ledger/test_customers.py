"""A customer's other payments, and the chain of a stored source."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine, text

from lib.ledger import queries
from lib.ledger.customers import chain_of, others_of
from lib.ledger.database import Database
from lib.ledger.facts import Fact
from lib.ledger.migrations import migrate
from lib.ledger.record import record
from lib.ledger.search import index_waiting
from lib.ledger.sums import Net
from lib.ledger.tables import Payment
from lib.money import Money
from tests.support.events import webhook


def paid(number: int, currency: str = "HKD", amount: int = 1000, **data: Any) -> Fact:
    details = {
        "amount": amount,
        "currency": currency,
        "action_id": f"act_{number}",
        "reference": f"ORD-{number}",
        **data,
    }
    return webhook("payment_captured", number, number, f"pay_{number}", **details)


def known(database: Database, number: int) -> Payment:
    payment = queries.find_payment(database, f"pay_{number}")
    assert payment is not None
    return payment


@pytest.mark.parametrize("indexed", [False, True])
def test_the_same_customer_by_id_or_by_address_in_any_case(database: Database, indexed: bool) -> None:
    record(
        database,
        [
            paid(1, customer={"id": "cus_A", "email": "minji@example.com"}),
            paid(2, customer={"email": "MinJi@Example.com"}),
            paid(3, customer={"id": "cus_A"}),
            paid(4, customer={"email": "other@example.com", "name": "minji@example.com"}),
            paid(5),
        ],
    )
    while indexed and index_waiting(database):
        pass
    found = others_of(database, known(database, 1))
    assert [payment.reference for payment in found.newest] == ["ORD-3", "ORD-2"]
    assert (found.count, found.more) == (2, False)
    assert others_of(database, known(database, 5)).count == 0


def test_many_payments_are_counted_to_a_limit(database: Database) -> None:
    record(database, [paid(number, customer={"id": "cus_A"}) for number in range(1, 8)])
    index_waiting(database)
    found = others_of(database, known(database, 2), limit=2, most=6)
    assert ([payment.reference for payment in found.newest], found.count, found.more) == (["ORD-7", "ORD-6"], 6, False)
    fewer = others_of(database, known(database, 2), limit=2, most=5)
    assert (fewer.count, fewer.more) == (5, True)


def test_a_customer_id_that_is_learnt_later_is_found(database: Database) -> None:
    record(database, [paid(1, customer={"id": "cus_A"}), paid(2)])
    index_waiting(database)
    told = webhook("payment_approved", 9, 1, "pay_2", customer={"id": "cus_A"})
    record(database, [told])
    index_waiting(database)
    assert others_of(database, known(database, 1)).count == 1


def test_a_store_that_was_indexed_before_knows_its_customers_too(unborn_database: Database) -> None:
    engine = create_engine(unborn_database.url)
    migrate(engine, to="0011")
    row = {"status": "Captured", "requested_at": "2026-03-02T04:00:00.000000Z", "folded": "{}", "customer_id": "cus_A"}
    with engine.begin() as connection:
        for number in (1, 2):
            columns = (
                "id, seq, status, customer_id, requested_at, updated_at, folded, captured, refunded, refund_pending"
            )
            values = ":id, :seq, :status, :customer_id, :requested_at, :requested_at, :folded, 0, 0, 0"
            connection.execute(
                text(f"INSERT INTO payment ({columns}, refund_reserved, version, searched) VALUES ({values}, 0, 1, 1)"),
                row | {"id": f"pay_{number}", "seq": number},
            )
    engine.dispose()
    assert others_of(unborn_database, known(unborn_database, 1)).count == 1


def test_a_chain_from_its_first_payment_with_a_net_for_each_currency(database: Database) -> None:
    source = {"source": {"id": "src_1", "type": "kakaopay"}}
    record(
        database,
        [
            paid(1, **source),
            paid(2, amount=700, **source),
            paid(3, "KRW", 5000, **source),
            webhook("payment_declined", 4, 4, "pay_4", amount=800, **source),
            webhook("payment_refunded", 5, 5, "pay_2", amount=200, action_id="act_r"),
            paid(6, source={"id": "src_2"}),
        ],
    )
    chain = chain_of(database, known(database, 3), limit=3)
    assert chain is not None
    assert (chain.first.reference, chain.count) == ("ORD-1", 4)
    assert [payment.id for payment in chain.newest] == ["pay_4", "pay_3", "pay_2"]
    hkd, krw = chain.totals
    assert (hkd, hkd.net) == (Net(Money(1700, "HKD"), Money(200, "HKD")), Money(1500, "HKD"))
    assert krw.net == Money(5000, "KRW")
    record(database, [paid(7)])
    assert chain_of(database, known(database, 7)) is None
