"""Each fact is stored once, and with it all that follows from it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from lib.ledger import queries, rebuild, volumes
from lib.ledger.calendar import SettlementDays
from lib.ledger.database import Database
from lib.ledger.facts import Fact
from lib.ledger.periods import edges, whole_days
from lib.ledger.record import record
from lib.ledger.settlement import settlement, settlement_totals
from lib.ledger.sums import Sums, sums_by_currency
from lib.money import Money
from tests.support.events import accepted, asked, at, balances, webhook

HONG_KONG = ZoneInfo("Asia/Hong_Kong")


def moved(database: Database, since: datetime, until: datetime) -> dict[str, Sums]:
    with database.read() as connection:
        return sums_by_currency(connection, since, until)


def by_day(database: Database, first: date, last: date, zone: ZoneInfo) -> list[dict[str, volumes.Volumes]]:
    with database.read() as connection:
        return volumes.by_slot(connection, edges(whole_days(first, last, zone), zone, "day"))


def life(payment: str, number: int, amount: int, refund: int) -> list[Fact]:
    """A payment that was captured, and refunded by somebody here when `refund` is not 0."""
    told = [
        webhook("payment_pending", f"{number}1", number, payment, amount=amount, reference=f"ORD-{number}"),
        webhook(
            "payment_captured",
            f"{number}2",
            number * 900,
            payment,
            amount=amount,
            action_id=f"act_c{number}",
            balances=balances(amount, 0),
        ),
    ]
    if refund:
        told += [
            asked(f"key-{number}", refund, number * 900 + 60, payment),
            accepted(f"key-{number}", f"act_r{number}", number * 900 + 61, payment),
            webhook(
                "payment_refund_pending",
                f"{number}3",
                number * 900 + 62,
                payment,
                amount=refund,
                action_id=f"act_r{number}",
            ),
            webhook(
                "payment_refunded",
                f"{number}4",
                number * 900 + 63,
                payment,
                amount=refund,
                action_id=f"act_r{number}",
                balances=balances(amount, refund),
            ),
        ]
    return told


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=12)
@given(st.data())
def test_whatever_arrives_in_whatever_batches_one_state_one_refund_row_and_volumes_equal_a_recount(
    fresh_database: Callable[[], AbstractContextManager[Database]], data: st.DataObject
) -> None:
    lives = [life(f"pay_{n}", n, 1000 * n, data.draw(st.sampled_from([0, 100, 1000 * n]))) for n in range(1, 4)]
    facts = [fact for told in lives for fact in told]
    again = data.draw(st.lists(st.sampled_from(facts)))
    order = data.draw(st.permutations(facts + again))
    batches = []
    while order:
        size = data.draw(st.integers(1, len(order)))
        batches.append(order[:size])
        order = order[size:]
    with fresh_database() as database:
        assert sum(new for batch in batches for new in record(database, batch)) == len(facts)
        comparison = rebuild.compare(database)
        assert (comparison.events, comparison.payments, comparison.differing) == (len(facts), 3, 0)
        for number, told in enumerate(lives, 1):
            refunds = queries.refunds_of(database, f"pay_{number}")
            assert [refund.status for refund in refunds] == ["refunded"] * (len(told) > 2)
        payments = queries.find_payments(database, queries.PaymentFilter()).rows
        everything = moved(database, at(-86400), at(86400))["HKD"]
        assert everything.captured.minor == sum(payment.captured for payment in payments) == 6000
        assert everything.refunded.minor == sum(payment.refunded for payment in payments)


def test_a_fact_stored_twice_is_stored_once(database: Database) -> None:
    facts = life("pay_1", 1, 1000, 300)
    assert record(database, [*facts, *facts]) == [True] * len(facts) + [False] * len(facts)
    assert record(database, facts) == [False] * len(facts)


def test_a_failed_batch_leaves_nothing_behind(database: Database) -> None:
    good, bad = life("pay_1", 1, 1000, 0)
    try:
        with database.write() as connection:
            from lib.ledger.record import store

            store(connection, [good])
            raise KeyError
    except KeyError:
        pass
    assert queries.find_payment(database, "pay_1") is None
    assert record(database, [good, bad]) == [True, True]


def test_rebuild_finds_and_mends_what_differs(database: Database) -> None:
    record(database, life("pay_1", 1, 1000, 300) + life("pay_2", 2, 2000, 0))
    with database.write() as connection:
        connection.execute(text("UPDATE payment SET refunded = 999 WHERE id = 'pay_1'"))
        connection.execute(text("DELETE FROM refund"))
        connection.execute(text("UPDATE volume SET captured_count = captured_count + 1 WHERE captured > 0"))
    assert rebuild.compare(database).differing == 4
    rebuild.compare(database, mend=True)
    assert rebuild.compare(database).differing == 0
    payment = queries.find_payment(database, "pay_1")
    assert payment
    assert payment.refunded == 300


def test_rebuild_speaks_on_the_command_line(database: Database, monkeypatch: object, capsys: object) -> None:
    record(database, life("pay_1", 1, 1000, 300))
    monkeypatch.setenv("DATABASE_URL", str(database.url))  # type: ignore[attr-defined]
    assert rebuild.main(["--check"]) == 0
    assert capsys.readouterr().out == "6 events, 1 payments, 0 rows differ\n"  # type: ignore[attr-defined]
    with database.write() as connection:
        connection.execute(text("UPDATE payment SET status = 'Refunded'"))
    assert rebuild.main(["--check"]) == 1


def test_settlement_puts_a_refund_on_the_day_it_was_decided(database: Database) -> None:
    captured = webhook("payment_captured", 1, 0, amount=1000, action_id="a", balances=balances(1000, 0))
    next_day = webhook("payment_refunded", 2, 86400, amount=400, action_id="b", balances=balances(1000, 400))
    record(database, [captured, next_day])
    first = at(0).astimezone(HONG_KONG).date()
    lines = settlement(database, first, first + timedelta(days=1), SettlementDays(HONG_KONG))
    assert [(line.day, line.sums.captured, line.sums.refunded, line.opening, line.closing) for line in lines] == [
        (first + timedelta(days=1), *(Money(minor, "HKD") for minor in (0, 400, 1000, 600))),
        (first, *(Money(minor, "HKD") for minor in (1000, 0, 0, 1000))),
    ]
    assert settlement_totals(lines)["HKD"].net == Money(600, "HKD")


def test_a_day_ends_where_the_zone_says(database: Database) -> None:
    """15:59 and 16:00 UTC are two days in Hong Kong; at +5:45 the day turns at 18:15 UTC."""
    record(
        database,
        [
            webhook("payment_captured", n, seconds, f"pay_{n}", amount=100, action_id=f"a{n}")
            for n, seconds in enumerate((12 * 3600 - 60, 12 * 3600, 14 * 3600 + 14 * 60, 14 * 3600 + 15 * 60))
        ],
    )
    day = at(0).astimezone(HONG_KONG).date()
    span = (day - timedelta(days=1), day + timedelta(days=1))
    counts = [
        [slot["HKD"].captured_count for slot in by_day(database, *span, zone) if slot]
        for zone in (HONG_KONG, ZoneInfo("Asia/Kathmandu"))
    ]
    assert counts == [[1, 3], [3, 1]]


def test_days_of_the_ledgers_own_zone_are_kept_and_equal_the_quarters(database: Database) -> None:
    day = at(0).astimezone(HONG_KONG).date()
    span = (day - timedelta(days=40), day + timedelta(days=40))
    record(database, life("pay_1", 1, 1000, 300))
    summed = by_day(database, *span, HONG_KONG)
    volumes.adopt_zone(database, HONG_KONG)
    assert by_day(database, *span, HONG_KONG) == summed
    record(database, life("pay_60", 60, 2000, 100) + life("pay_2", 2, 5, 0))
    kept = by_day(database, *span, HONG_KONG)
    assert len([slot for slot in kept if slot]) == 2
    assert rebuild.compare(database).differing == 0
    tokyo = ZoneInfo("Asia/Tokyo")
    elsewhere = by_day(database, *span, tokyo)
    volumes.adopt_zone(database, tokyo)
    assert by_day(database, *span, tokyo) == elsewhere
    assert by_day(database, *span, HONG_KONG) == kept
    with database.write() as connection:
        connection.execute(text("UPDATE volume_day SET captured = captured + 1"))
    assert rebuild.compare(database, mend=True).differing == len([slot for slot in elsewhere if slot])
    assert by_day(database, *span, tokyo) == elsewhere


@pytest.mark.parametrize("zone", ["Asia/Hong_Kong", "Asia/Kathmandu", "Europe/London", "Australia/Adelaide"])
def test_totals_are_the_same_whether_read_by_days_or_by_quarters(database: Database, zone: str) -> None:
    for number in range(1, 60):
        record(database, life(f"pay_{number}", number * 7, 1000 + number, number % 3 * 100))
    spans = [(at(0), at(86400 * 5)), (at(900 * 7), at(900 * 300)), (at(900 * 33), at(900 * 34)), (at(-86400), at(-900))]
    by_quarters = [moved(database, *span) for span in spans]
    volumes.adopt_zone(database, ZoneInfo(zone))
    assert [moved(database, *span) for span in spans] == by_quarters


def test_the_hour_that_winter_time_repeats_counts_as_two(database: Database) -> None:
    london = ZoneInfo("Europe/London")
    for number, hour in enumerate(("00:30", "01:30")):
        moment = f"2026-10-25T{hour}:00Z"
        record(
            database,
            [
                webhook(
                    "payment_captured",
                    number,
                    0,
                    f"pay_{number}",
                    amount=1,
                    action_id=f"a{number}",
                    processed_on=moment,
                )
            ],
        )
    day = whole_days(date(2026, 10, 25), date(2026, 10, 25), london)
    begins = edges(day, london, "hour")
    with database.read() as connection:
        slots = volumes.by_slot(connection, begins)
    assert len(slots) == 25
    hours = [begin.astimezone(london).isoformat() for begin, said in zip(begins, slots, strict=False) if said]
    assert hours == ["2026-10-25T01:00:00+01:00", "2026-10-25T01:00:00+00:00"]
