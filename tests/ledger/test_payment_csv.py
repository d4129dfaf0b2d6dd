"""The downloaded file: its totals are those of its rows, and it is harmless, complete and told of."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from lib.ledger import payment_csv
from lib.ledger.audit import AUDIT
from lib.ledger.database import Database
from lib.ledger.payment_csv import HEADER, Sheet, payments_csv
from lib.ledger.payment_filter import PaymentFilter
from lib.ledger.record import record
from lib.ledger.tables import Payment, Refund
from lib.operators import NotAllowed, Operator
from tests.support.events import at, balances, webhook

ZONE = ZoneInfo("Asia/Seoul")
MINA = Operator("Mina")
codes = st.sampled_from(("HKD", "KRW", "EUR", "XYZ"))
minors = st.integers(0, 10**12)


def read(content: bytes) -> tuple[list[list[str]], list[dict[str, str]]]:
    """The lines above the header, and the rows below it."""
    assert content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    head = lines.index(list(HEADER))
    return lines[:head], [dict(zip(HEADER, line, strict=True)) for line in lines[head + 1 :]]


def totals(above: list[list[str]]) -> dict[str, tuple[Decimal, ...]]:
    start = above.index(["Totals", "Currency", "Captured", "Refunded", "Net"])
    return {line[1]: tuple(map(Decimal, line[2:])) for line in above[start + 1 :] if line}


@st.composite
def payments(draw: st.DrawFn) -> tuple[Payment, list[Refund]]:
    number, moment = draw(st.integers(0, 999)), datetime(2026, 3, 2, tzinfo=UTC)
    payment = Payment(
        id=f"pay_{number}",
        currency=draw(codes),
        status="Captured",
        captured=draw(minors),
        refunded=draw(minors),
        requested_at=moment,
        updated_at=moment,
        folded="",
        reference=draw(st.text(max_size=8)),
    )
    refunds = [
        Refund(
            key=f"{number}-{each}",
            payment_id=payment.id,
            amount=draw(minors),
            currency=draw(codes),
            status="refunded",
            requested_at=moment,
        )
        for each in range(draw(st.integers(0, 3)))
    ]
    return payment, refunds


@given(st.lists(payments(), max_size=8))
def test_totals_are_what_the_rows_add_up_to(entered: list[tuple[Payment, list[Refund]]]) -> None:
    sheet = Sheet(ZONE)
    for payment, refunds in entered:
        sheet.add(payment, refunds)
    above, rows = read(sheet.render([]))
    captured: dict[str, Decimal] = defaultdict(Decimal)
    refunded: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        (captured if row["Row"] == "payment" else refunded)[row["Currency"]] += Decimal(row["Captured or refunded"])
    assert totals(above) == {
        code: (captured[code], -refunded[code], captured[code] + refunded[code]) for code in {*captured, *refunded}
    }
    assert ["Rows", str(len(rows)), "payments", str(len(entered)), "refunds", str(len(rows) - len(entered))] in above
    assert all(
        row["Captured or refunded"].startswith("-") or row["Row"] == "payment" or not float(row["Captured or refunded"])
        for row in rows
    )


@pytest.fixture
def filled(database: Database) -> Database:
    """Two captured payments, one refunded in part and one more than events tell of; and one that is pending."""
    formula = {"name": '=HYPERLINK("http://x")', "email": "+kim@example.com"}
    record(
        database,
        [
            webhook("payment_captured", 1, 0, amount=1100, action_id="act_1", reference="-1+1", customer=formula),
            webhook("payment_refunded", 2, 86_400, amount=300, action_id="act_2"),
            webhook("payment_refund_declined", 3, 90_000, amount=200, action_id="act_3"),
            webhook("payment_captured", 4, 60, "pay_2", amount=45_000, currency="KRW", action_id="act_4"),
            webhook(
                "payment_refunded",
                5,
                120,
                "pay_2",
                amount=5000,
                currency="KRW",
                action_id="act_5",
                balances=balances(45_000, 7000),
            ),
            webhook("payment_pending", 6, 180, "pay_3", amount=900),
        ],
    )
    return database


def test_payments_and_their_refunds_each_on_its_own_day(filled: Database) -> None:
    above, rows = read(payments_csv(filled, MINA, PaymentFilter(), now=at(0), zone=ZONE, world="Simulator"))
    assert [(row["Row"], row["Time"], row["Currency"], row["Captured or refunded"]) for row in rows] == [
        ("payment", "2026-03-02 13:03:00+09:00", "HKD", "0.00"),
        ("payment", "2026-03-02 13:01:00+09:00", "KRW", "45000"),
        ("refund", "2026-03-02 13:02:00+09:00", "KRW", "-5000"),
        ("refund", "2026-03-02 13:02:00+09:00", "KRW", "-2000"),
        ("payment", "2026-03-02 13:00:00+09:00", "HKD", "11.00"),
        ("refund", "2026-03-03 13:00:00+09:00", "HKD", "-3.00"),
    ]
    assert totals(above) == {
        "HKD": (Decimal("11.00"), Decimal("3.00"), Decimal("8.00")),
        "KRW": (Decimal(45000), Decimal(7000), Decimal(38000)),
    }
    assert above[:5] == [
        ["World", "Simulator"],
        ["Payments", "made 2026-03-02 13:00:00+09:00", "by Mina"],
        ["Time zone", "Asia/Seoul"],
        ["Filter", "all payments"],
        ["To find them again", ""],
    ]
    assert rows[4]["Reference"] == "'-1+1"
    assert rows[4]["Customer name"] == '\'=HYPERLINK("http://x")'
    assert rows[4]["Customer e-mail"] == "'+kim@example.com"


def test_the_filter_is_in_the_file_and_without_names_in_the_log(filled: Database) -> None:
    wanted = PaymentFilter(email="kim@", statuses=("Partially Refunded",))
    above, rows = read(payments_csv(filled, MINA, wanted, now=at(0), zone=ZONE, world="Simulator"))
    assert ["Filter", "email with “kim@”; status Partially Refunded"] in above
    assert len(rows) == 2
    with filled.read() as connection:
        said = connection.execute(select(AUDIT.c.action, AUDIT.c.who, AUDIT.c.after)).one()
    assert tuple(said[:2]) == ("payments.downloaded", "Mina")
    assert msgspec.json.decode(said.after) == {
        "filter": 'email:… status:"Partially Refunded"',
        "rows": 2,
        "cut": False,
    }


def test_a_file_that_is_cut_says_so_and_holds_whole_payments(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment_csv, "MOST_ROWS", 3)
    monkeypatch.setattr(payment_csv, "_AT_ONCE", 1)
    above, rows = read(payments_csv(filled, MINA, PaymentFilter(), now=at(0), zone=ZONE, world="Simulator"))
    assert [row["Payment id"] for row in rows] == ["pay_3"], "the next has three rows"
    assert any("this file ends at 3 rows" in cell for line in above for cell in line)


def test_pages_of_the_file_meet_without_gap_or_overlap(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payment_csv, "_AT_ONCE", 1)
    _, rows = read(payments_csv(filled, MINA, PaymentFilter(), now=at(0), zone=ZONE, world="Simulator"))
    assert len(rows) == 6


def test_a_viewer_downloads_nothing(filled: Database) -> None:
    with pytest.raises(NotAllowed, match="download rows"):
        payments_csv(
            filled,
            Operator("Vi", roles=frozenset({"viewer"})),
            PaymentFilter(),
            now=at(0),
            zone=ZONE,
            world="Simulator",
        )
