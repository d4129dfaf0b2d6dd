"""What volumes are made of: kept in step with every fact, and the same when filled anew."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from lib.ledger import rebuild
from lib.ledger.breakdown import Breakdown, breakdown, rate
from lib.ledger.database import Database
from lib.ledger.facts import Fact
from lib.ledger.record import BREAKDOWN, record
from lib.ledger.volumes import adopt_zone
from lib.money import Money
from tests.support.events import accepted, asked, at, balances, webhook

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
DAY = date(2026, 3, 2)


def story() -> list[list[Fact]]:
    """In pieces, as facts arrive: paid after 50 seconds and after two days, refunded for a reason and without, declined."""
    return [
        [
            webhook("payment_pending", 1, 0, amount=1000, processing={"terminal_type": "APP"}),
            webhook("payment_captured", 2, 47, amount=1000, action_id="act_1"),
        ],
        [asked("key-1", 300, 60), accepted("key-1", "act_r", 61)],
        [webhook("payment_refunded", 3, 62, amount=300, action_id="act_r")],
        [webhook("payment_refunded", 4, 63, amount=200, action_id="act_e", balances=balances(1000, 500))],
        [
            webhook("payment_captured", 5, 2 * 86400, "pay_2", amount=500, currency="KRW", action_id="act_2"),
            webhook("payment_pending", 6, 1, "pay_2", amount=500, currency="KRW", processing={"terminal_type": "WEB"}),
        ],
        [webhook("payment_declined", 7, 5, "pay_3", amount=900, response_code="20051")],
        [webhook("payment_declined", 8, 5, "pay_4", amount=900)],
        [webhook("payment_captured", 9, 9, "pay_4", amount=900, action_id="act_4")],
        [webhook("payment_captured", 10, 86400, "pay_5", amount=100, currency="EUR", action_id="act_5")],
    ]


def told(database: Database, days: int = 9) -> Breakdown:
    """Of noon, in Hong Kong, to noon some days later."""
    with database.read() as connection:
        found = breakdown(connection, at(0), at(days * 86400 + 1))
    assert found
    assert found.first == DAY
    return found


@pytest.mark.parametrize("known", [True, False])
def test_parts_are_the_same_kept_all_along_or_filled_at_the_start(database: Database, known: bool) -> None:
    if known:
        adopt_zone(database, HONG_KONG)
    else:
        with database.read() as connection:
            assert breakdown(connection, at(0), at(1)) is None
    for facts in story():
        record(database, facts)
    adopt_zone(database, HONG_KONG)
    assert rebuild.compare(database).differing == 0
    found = told(database)
    assert found.declines == {"20051": 1}, "money wins over a decline"
    assert found.terminals == {"": 2, "APP": 1, "WEB": 1}
    assert found.reasons == {"": 1, "damaged": 1}
    assert found.refunds == {"HKD": {"": Money(200, "HKD"), "damaged": Money(300, "HKD")}}
    assert found.seconds == {"5": 2, "50": 1, "longer": 1}
    assert found.median_seconds == 5
    assert (found.hours[0][12], found.hours[1][12], found.hours[2][12]) == (2, 1, 1)
    assert told(database, 0).terminals == {"": 1, "APP": 1}
    adopt_zone(database, ZoneInfo("Asia/Kathmandu"))
    assert rebuild.compare(database).differing == 0
    assert told(database).hours[0][9] == 2, "a quarter to ten there"


def test_rebuild_mends_them(database: Database) -> None:
    adopt_zone(database, HONG_KONG)
    for facts in story():
        record(database, facts)
    with database.write() as connection:
        connection.execute(text("UPDATE breakdown SET count = count + 1 WHERE kind = 'reason'"))
        connection.execute(text("DELETE FROM breakdown WHERE kind = 'decline'"))
        connection.execute(
            BREAKDOWN.insert().values(kind="hour", day="2020-01-01", currency="", value="01", count=1, amount=0)
        )
    assert rebuild.compare(database, mend=True).differing == 4
    assert rebuild.compare(database).differing == 0
    with database.read() as connection:
        assert connection.execute(select(BREAKDOWN.c.count).where(BREAKDOWN.c.day == "2020-01-01")).scalar() == 0


def test_no_rate_of_nothing() -> None:
    assert rate(Money(3, "HKD"), Money(8, "HKD")) == Decimal("37.5")
    assert rate(Money(3, "HKD"), Money(0, "HKD")) is None
