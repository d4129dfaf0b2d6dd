"""Refunding by order line, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ledger import facts, queries
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.order_lines import OrderLine, lines_of, order_lines
from lib.ledger.record import record
from lib.ledger.refund_rules import NotRefundable
from lib.ledger.refunds import request_refund
from lib.ledger.tables import Refund
from lib.money import Money
from lib.operators import Operator
from tests.support.events import answer, at, webhook
from tests.support.provider import Provider, captured_desk

ITEMS = [
    {"name": "Cup", "unit_price": 200, "quantity": 3},
    {"reference": "SKU-7", "unit_price": 100},
    {"name": "Set", "unit_price": 100, "quantity": 3, "total_amount": 250},
    "nonsense",
    {"name": "No price"},
]


@pytest.fixture
def backend() -> str:
    """What is read here are a few rows by their key, on either database alike."""
    return "sqlite"


@pytest.fixture
def desk(database: Database) -> Iterator[Desk]:
    with captured_desk(database, Provider()) as desk:
        yield desk


def tell(desk: Desk, items: Any) -> None:
    request = {"amount": 1000, "currency": "HKD", "items": items}
    record(desk.database, [facts.payment_requested("key", "pay_1", "Ana", request, at(-5))])


def lines(desk: Desk) -> list[OrderLine]:
    payment = queries.find_payment(desk.database, "pay_1")
    assert payment is not None
    return order_lines(desk.database, payment, queries.refunds_of(desk.database, "pay_1"))


def give_back(desk: Desk, amount: int, chosen: dict[int, int], key: str) -> Refund:
    payment = queries.find_payment(desk.database, "pay_1")
    assert payment is not None
    how: dict[str, Any] = {"drawn_with": payment.refundable, "reason": "damaged", "lines": chosen}
    return request_refund(desk, Operator("Ana"), "pay_1", Money(amount, "HKD"), key=key, **how)


def test_lines_come_from_the_payment_request(desk: Desk) -> None:
    tell(desk, ITEMS)
    assert [(line.number, line.name, line.quantity, line.total.minor) for line in lines(desk)] == [
        (0, "Cup", 3, 600),
        (1, "SKU-7", 1, 100),
        (2, "Set", 3, 250),
    ]


@pytest.mark.parametrize("items", [None, "x", [], [None], [{"unit_price": -1}], [{"unit_price": "5"}]])
def test_an_order_without_readable_lines_has_none(desk: Desk, items: Any) -> None:
    tell(desk, items)
    assert lines(desk) == []


def test_lines_are_learnt_from_a_look_up_too(desk: Desk) -> None:
    read = answer({"id": "pay_1", "items": ITEMS[:1]}, method="GET", status=200)
    record(desk.database, [facts.payment_read("pay_1", read)])
    assert [line.name for line in lines(desk)] == ["Cup"]


def test_what_was_given_back_is_not_offered_twice(desk: Desk) -> None:
    tell(desk, ITEMS)
    refund = give_back(desk, 400, {0: 2}, "k1")
    assert lines_of(refund) == [{"line": 0, "name": "Cup", "quantity": 2, "amount": 400}]
    assert [line.left for line in lines(desk)] == [1, 1, 3]
    with pytest.raises(NotRefundable, match="Of “Cup” 1 of 3 can still be given back, not 2"):
        give_back(desk, 400, {0: 2}, "k2")


def test_a_declined_refund_gives_its_lines_back(desk: Desk) -> None:
    tell(desk, ITEMS)
    refund = give_back(desk, 400, {0: 2}, "k1")
    record(desk.database, [webhook("payment_refund_declined", 5, 60, amount=400, action_id=refund.action_id)])
    assert lines(desk)[0].left == 3


def test_the_lines_must_come_to_the_amount(desk: Desk) -> None:
    tell(desk, ITEMS)
    with pytest.raises(NotRefundable, match=r"come to HKD\s2\.00, not HKD\s3\.00"):
        give_back(desk, 300, {0: 1}, "k1")
    with pytest.raises(NotRefundable, match="no such order line"):
        give_back(desk, 300, {4: 1}, "k1")
    with pytest.raises(NotRefundable, match="not 0"):
        give_back(desk, 300, {0: 0}, "k1")


@given(total=st.integers(0, 10**9), parts=st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_the_pieces_of_a_line_come_to_its_total_whatever_the_steps(total: int, parts: list[int]) -> None:
    quantity, returned, paid = sum(parts), 0, 0
    for pieces in parts:
        paid += OrderLine(0, "Cup", quantity, Money(total, "KRW"), returned).price(pieces).minor
        returned += pieces
    assert paid == total
