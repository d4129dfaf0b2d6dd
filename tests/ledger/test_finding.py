"""What the payments list finds, on both databases, against the same question asked row by row; and that no index is missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from lib.ledger import queries
from lib.ledger.database import Database
from lib.ledger.payment_filter import PaymentFilter
from lib.ledger.query_text import read
from lib.ledger.reading import narrowing
from lib.ledger.record import record
from lib.ledger.search import index_waiting
from lib.ledger.tables import Payment
from tests.support.events import asked, at, webhook

ZONE = ZoneInfo("Asia/Hong_Kong")
NOW = at(7200)
CURRENCIES = ("HKD", "KRW", "EUR")
FATES = ("pending", "captured", "part", "whole", "refund pending", "declined", "retried", "asked here")


@pytest.fixture
def filled(database: Database) -> Database:
    """Payments of every fate in three currencies, two of each amount in major units, one every minute."""
    facts = []
    for number in range(72):
        payment, fate, currency = f"pay_{number:03}", FATES[number % 8], CURRENCIES[number % 3]
        amount = (100 + number // 2) * (1 if currency == "KRW" else 100)
        told = {"payment": payment, "currency": currency}
        about = {
            "reference": f"ORD-{1000 + number}",
            "customer": {"name": f"Kim {number % 5}", "email": f"k{number}@example.com"},
        }
        if number % 4 == 0:
            about["source"] = {"id": f"src_{number % 12}", "type": "kakaopay"}
        facts.append(webhook("payment_pending", f"{number}p", number * 60, amount=amount, **told, **about))
        if fate != "pending":
            facts.append(
                webhook(
                    "payment_captured",
                    f"{number}c",
                    number * 60 + 30,
                    amount=amount,
                    action_id=f"act_c{number}",
                    **told,
                )
            )
        if fate == "whole":
            facts.append(
                webhook("payment_refunded", f"{number}r", 5000, amount=amount, action_id=f"act_r{number}", **told)
            )
        if fate == "part":
            facts.append(
                webhook("payment_refunded", f"{number}r", 5000, amount=amount // 4, action_id=f"act_r{number}", **told)
            )
        if fate in ("refund pending", "retried"):
            facts.append(
                webhook("payment_refund_pending", f"{number}o", 6000, amount=10, action_id=f"act_o{number}", **told)
            )
        if fate in ("declined", "retried"):
            facts.append(
                webhook("payment_refund_declined", f"{number}d", 5500, amount=10, action_id=f"act_d{number}", **told)
            )
        if fate == "asked here" and currency == "HKD":
            facts.append(asked(f"key-{number}", 10, 6500, payment=payment))
    facts.append(webhook("payment_expired", "late", 7000, payment="pay_001", currency="KRW"))
    record(database, facts)
    return database


def fate(row: Payment) -> str:
    return FATES[int(row.id[4:]) % 8]


def major(row: Payment) -> Decimal:
    return row.money.major


def today(row: Payment) -> bool:
    return bool(row.captured_at and row.captured_at >= at(1000))


FOUND: list[tuple[str, Callable[[Payment], bool]]] = [
    ("110", lambda row: major(row) == 110 or "110" in row.id),
    ("1010", lambda row: row.reference == "ORD-1010"),
    ("HKD 110", lambda row: major(row) == 110 and row.currency == "HKD"),
    ("amount:>=120", lambda row: major(row) >= 120),
    ("amount:<100.5", lambda row: major(row) < Decimal("100.5")),
    ("amount:>100.5 amount:<=KRW102", lambda row: row.currency == "KRW" and 101 <= major(row) <= 102),
    ("amount:110..112 status:captured", lambda row: 110 <= major(row) <= 112 and row.status == "Captured"),
    ("refunded:>0", lambda row: row.refunded > 0),
    ("refunded:27", lambda row: row.refunded > 0 and row.refunded == 27 * (1 if row.currency == "KRW" else 100)),
    (
        "refund:pending",
        lambda row: fate(row) in ("refund pending", "retried") or (fate(row) == "asked here" and row.currency == "HKD"),
    ),
    ("refund:declined", lambda row: fate(row) in ("declined", "retried")),
    ("refund:unretried", lambda row: fate(row) == "declined"),
    ("refund:part", lambda row: row.status == "Partially Refunded"),
    ("refund:whole currency:krw", lambda row: row.status == "Refunded" and row.currency == "KRW"),
    ("refund:whole status:captured", lambda row: False),
    (
        "refund:none",
        lambda row: fate(row) in ("pending", "captured") or (fate(row) == "asked here" and row.currency != "HKD"),
    ),
    ("refund:awaiting", lambda row: False),
    ("refund:failed", lambda row: False),
    ("chain:any", lambda row: row.source_id is not None),
    ("chain:src_4", lambda row: row.source_id == "src_4"),
    ("src_4", lambda row: row.source_id == "src_4"),
    ("attention:yes", lambda row: row.id == "pay_001"),
    ("id:ay_01", lambda row: "ay_01" in row.id),
    ("reference:ord-105", lambda row: "ORD-105" in (row.reference or "")),
    ("email:k7", lambda row: "k7" in (row.customer_email or "")),
    ('name:"kim 3"', lambda row: row.customer_name == "Kim 3"),
    ("name:ord", lambda row: False),
    ("kim amount:110", lambda row: major(row) == 110),
    ("kim 3", lambda row: row.customer_name == "Kim 3"),
    ("act_r2", lambda row: row.id == "pay_002"),
    ("action:act_r2", lambda row: row.id == "pay_002"),
    ("action:act_r", lambda row: False),
    ("age:>1h", lambda row: row.requested_at < NOW - timedelta(hours=1)),
    ("status:pending age:>1h", lambda row: row.status == "Pending" and row.requested_at < NOW - timedelta(hours=1)),
    ("captured:>=2026-03-02T12:16:40", today),
    (
        "captured:>=2026-03-02T12:16:40 currency:hkd,eur status:refunded",
        lambda row: today(row) and row.currency != "KRW" and row.status == "Refunded",
    ),
    ("captured:>=2026-03-02T12:16:40 kim 1", lambda row: today(row) and row.customer_name == "Kim 1"),
    ("captured:..2026-03-01", lambda row: False),
]


@pytest.mark.parametrize("few", [2000, 3])
def test_each_search_finds_what_looking_at_every_row_finds(
    filled: Database, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether its payments are looked up first (there are few) or met along the way, indexed or not, in pages of any size."""
    monkeypatch.setattr(narrowing, "_FEW", few)
    everything = queries.find_payments(filled, PaymentFilter(), limit=100).rows
    assert len(everything) == 72
    index_waiting(filled)
    for search, fits in FOUND:
        reading = read(search, now=NOW, zone=ZONE)
        assert reading.problems == ()
        by_capture = reading.wanted.captured_since or reading.wanted.captured_until
        found, cursor = [], None
        while True:
            page = queries.find_payments(filled, reading.wanted, cursor=cursor, limit=9)
            found += page.rows
            cursor = page.older
            if cursor is None:
                break
        expected = [row for row in everything if fits(row)]
        if by_capture:
            expected.sort(key=lambda row: row.captured_at or datetime.min.replace(tzinfo=UTC), reverse=True)
        assert [row.id for row in found] == [row.id for row in expected], search
        count = queries.count_payments(filled, reading.wanted)
        assert count.number == len(expected) if count.exact else few <= len(expected), search
        if page.newer:
            back = queries.find_payments(filled, reading.wanted, cursor=page.newer, limit=9).rows
            assert [row.id for row in back] == [row.id for row in found[-len(page.rows) - 9 : -len(page.rows)]], search


def test_a_count_that_means_a_walk_looks_at_the_newest_only(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(narrowing, "_FEW", 0)
    monkeypatch.setattr("lib.ledger.reading.payments._LOOKED_AT", 10)
    wanted = read("amount:<=110 status:captured", now=NOW, zone=ZONE).wanted
    count = queries.count_payments(filled, wanted)
    assert not count.exact
    assert 0 <= count.number <= 10


def test_more_matches_than_are_looked_up_do_not_hide_what_else_is_asked_for(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many with that name, the refunded ones are not among the newest."""
    index_waiting(filled)
    for module in ("lib.ledger.search", "lib.ledger.reading.narrowing"):
        monkeypatch.setattr(f"{module}.MATCHES", 2)
    for search in ("kim status:refunded", "name:kim status:refunded"):
        wanted = read(search, now=NOW, zone=ZONE).wanted
        rows = queries.find_payments(filled, wanted).rows
        assert [row.id for row in rows] == [f"pay_{number:03}" for number in range(67, 0, -8)]
        assert queries.count_payments(filled, wanted) == (9, True)


def test_of_very_many_refunds_in_one_state_the_newest_are_listed_and_a_day_finds_the_others(
    filled: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrowing, "_NEWEST_REFUNDS", 2)
    newest = queries.find_payments(filled, read("refund:declined", now=NOW, zone=ZONE).wanted).rows
    every = queries.find_payments(filled, read("refund:declined since:2026-03-01", now=NOW, zone=ZONE).wanted).rows
    assert (len(newest), len(every)) == (2, 18)
