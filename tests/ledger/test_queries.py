"""Lists by keyset: every row once, whatever stands in the address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ledger import queries
from lib.ledger.database import Database
from lib.ledger.queries import PaymentFilter, RefundFilter
from lib.ledger.reading import keyset
from lib.ledger.record import PAYMENT, record
from lib.ledger.search import index_waiting
from tests.support.events import at, webhook


@pytest.fixture
def filled(database: Database) -> Database:
    facts = []
    for number in range(60):
        payment, currency = f"pay_{number:03}", "HKD" if number % 3 else "KRW"
        facts.append(
            webhook(
                "payment_pending",
                f"{number}a",
                number // 2,  # two of each time, so that the tie-breaker is needed
                payment,
                amount=100 + number,
                currency=currency,
                reference=f"ORD-{number}",
                customer={"email": f"person{number % 5}@example.com", "name": "김민지"},
            )
        )
        if number % 2:
            facts.append(
                webhook(
                    "payment_captured",
                    f"{number}b",
                    number,
                    payment,
                    amount=100 + number,
                    currency=currency,
                    action_id=f"act_{number}",
                )
            )
    record(database, facts)
    return database


@pytest.mark.parametrize(
    "wanted",
    [
        PaymentFilter(),
        PaymentFilter(statuses=("Captured",)),
        PaymentFilter(currencies=("HKD",)),
        PaymentFilter(statuses=("Captured", "Pending"), currencies=("HKD", "KRW")),
        PaymentFilter(text="ord-", statuses=("Captured",)),
    ],
)
def test_pages_cover_everything_once_forwards_and_back(filled: Database, wanted: PaymentFilter) -> None:
    page = queries.find_payments(filled, wanted, limit=7)
    assert page.newer is None
    forwards = [page]
    while page.older:
        page = queries.find_payments(filled, wanted, cursor=page.older, limit=7)
        forwards.append(page)
    ids = [row.id for each in forwards for row in each.rows]
    assert len(ids) == len(set(ids)) == queries.count_payments(filled, wanted).number
    assert [row.requested_at for each in forwards for row in each.rows] == sorted(
        (row.requested_at for each in forwards for row in each.rows), reverse=True
    )
    for earlier in reversed(forwards[:-1]):
        assert page.newer is not None
        page = queries.find_payments(filled, wanted, cursor=page.newer, limit=7)
        assert [row.id for row in page.rows] == [row.id for row in earlier.rows]
    assert page.newer is None


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("pay_007", 1),
        ("y_007", 1),
        ("ORD-59", 1),
        ("ord-5", 11),
        ("rd-5", 11),
        ("person3@", 12),
        ("N3@EXAMPLE", 12),
        ("민지", 60),
        ("김민지", 60),
        ("07", 1),
        ("nothing", 0),
        ("%", 0),
        ("___", 0),
        ('"*"', 0),
        ("' OR 1=1", 0),
        ("\\", 0),
        ("", 60),
    ],
)
def test_text_finds_any_part_of_id_reference_email_and_name(filled: Database, text: str, count: int) -> None:
    """Before they are indexed, half indexed, and after."""
    assert queries.count_payments(filled, PaymentFilter(text=text)) == (count, True)
    index_waiting(filled)
    assert queries.count_payments(filled, PaymentFilter(text=text)) == (count, True)


def test_few_may_wait_to_be_indexed_while_deliveries_come_in(filled: Database) -> None:
    assert not filled.in_haste
    with filled.write(patient=False):
        pass
    assert filled.in_haste
    assert index_waiting(filled, spare=60) == 0
    assert index_waiting(filled, spare=59) > 0
    assert index_waiting(filled, spare=59) == 0


def test_what_is_learned_later_is_found_too(filled: Database) -> None:
    record(filled, [webhook("payment_pending", "early", 98, "pay_x", amount=100)])
    while index_waiting(filled):
        pass
    name = {"name": "Late Arrival"}
    record(filled, [webhook("payment_captured", "late", 99, "pay_x", amount=100, customer=name, action_id="x")])
    for _ in range(2):
        assert [row.id for row in queries.find_payments(filled, PaymentFilter(text="e arr")).rows] == ["pay_x"]
        index_waiting(filled)


def test_a_refunds_action_id_finds_its_payment(filled: Database) -> None:
    record(filled, [webhook("payment_refund_pending", "r", 99, "pay_001", amount=1, action_id="act_refund")])
    assert [row.id for row in queries.find_payments(filled, PaymentFilter(text="act_refund")).rows] == ["pay_001"]


def test_filters_narrow_together(filled: Database) -> None:
    wanted = PaymentFilter(statuses=("Captured",), currencies=("KRW",), since=at(10), until=at(20))
    rows = queries.find_payments(filled, wanted).rows
    assert rows
    assert all((row.status, row.currency) == ("Captured", "KRW") for row in rows)
    assert all(at(10) <= row.requested_at < at(20) for row in rows)


def test_the_count_stops_at_its_cap(filled: Database) -> None:
    assert queries.count_payments(filled, PaymentFilter(), cap=50) == (50, False)


@given(cursor=st.text(max_size=60))
def test_a_cursor_from_the_address_bar_never_breaks_a_page(cursor: str) -> None:
    assert keyset.read_cursor(cursor, (PAYMENT.c.requested_at, PAYMENT.c.seq))[0] in (
        "newer",
        "older",
    )


def test_a_meddled_cursor_starts_at_the_newest(filled: Database) -> None:
    newest = queries.find_payments(filled, PaymentFilter()).rows
    beyond = keyset.write_cursor("older", [at(0), 10**30])
    for cursor in ("x", "bnVsbA", "WyJvbGRlciIsMSwyXQ", "WyJvbGRlciIsIjIwMjYtMDEtMDEiLDJd", beyond):
        assert [row.id for row in queries.find_payments(filled, PaymentFilter(), cursor=cursor).rows] == [
            row.id for row in newest
        ]


def test_a_refund_is_found_by_its_payments_reference(database: Database) -> None:
    record(
        database,
        [
            webhook("payment_captured", 1, 0, amount=500, action_id="act_c", reference="ORD-77"),
            webhook("payment_refund_pending", 2, 5, amount=100, action_id="act_r"),
        ],
    )
    for text in ("ORD-77", "d-77", "act_r", "pay_1"):
        assert [row.action_id for row in queries.find_refunds(database, RefundFilter(text=text)).rows] == ["act_r"]
    assert queries.find_refunds(database, RefundFilter(text="ORD-78")).rows == []
    assert queries.find_refunds(database, RefundFilter(statuses=("refunded",))).rows == []


def test_the_pulse_grows_with_every_fact(database: Database) -> None:
    before = queries.pulse(database)
    record(database, [webhook("payment_pending", 1, 0, amount=1)])
    assert queries.pulse(database) > before


def test_a_timeline_tells_what_ended_above_what_began_at_the_same_moment(database: Database) -> None:
    steps = [("payment_captured", 5), ("payment_capture_pending", 5), ("payment_pending", 1)]  # as they arrived
    record(database, [webhook(kind, number, when, amount=100) for number, (kind, when) in enumerate(steps)])

    told = [fact.type for fact in queries.facts_of(database, "pay_1")]

    assert told == ["payment_captured", "payment_capture_pending", "payment_pending"]
