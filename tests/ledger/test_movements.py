"""Rows of money: they are what the volumes are made of, on pages as in one go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.ledger import movements
from lib.ledger.calendar import SettlementDays
from lib.ledger.database import Database
from lib.ledger.facts import Fact
from lib.ledger.movements import Movement, every
from lib.ledger.record import record
from lib.ledger.sums import added_up, nothing, rows_summed, sums, sums_by_currency
from lib.ledger.volumes import adopt_zone
from lib.money import Money
from tests.support.events import at, balances, captured, refunded, webhook

DAYS = SettlementDays(ZoneInfo("Asia/Hong_Kong"), 13)
EACH_ANEW = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
"""For examples that each open a store of their own."""
LONG_AGO, LATER = at(-400 * 86400), at(400 * 86400)


def all_rows(database: Database, currency: str, since: datetime = LONG_AGO, until: datetime = LATER) -> list[Movement]:
    with database.read() as connection:
        return list(every(connection, currency, since, until, DAYS))


def test_a_row_says_what_moved_when_and_of_which_payment(database: Database) -> None:
    record(database, [captured(1, 0, 1000), refunded(1, 3600, 300)])
    first, second = all_rows(database, "HKD")
    assert first == Movement(
        "capture", at(0), DAYS.day_of(at(0)), "pay_1", "act_1", "ORD-1", "HKD", 1000, "Partially Refunded"
    )
    assert (second.kind, second.at, second.action_id, second.money) == (
        "refund",
        at(3600),
        "act_r1",
        Money(-300, "HKD"),
    )
    assert (second.day - first.day).days == 1, "13:00 is the cut-off"
    assert [first.id, second.id] == ["capture:pay_1", "refund:act_r1"]


def test_what_only_checkout_coms_totals_tell_of_is_a_row_too(database: Database) -> None:
    record(database, [captured(1, 0, 1000)])
    record(
        database,
        [webhook("payment_captured", "x", 60, "pay_1", amount=1000, action_id="act_1", balances=balances(1000, 250))],
    )
    assert [(row.kind, row.amount, row.at) for row in all_rows(database, "HKD")] == [
        ("capture", 1000, at(60)),
        ("untold", -250, at(60)),
    ]
    record(database, [refunded(1, 50, 250)])
    assert [row.kind for row in all_rows(database, "HKD")] == ["refund", "capture"]


def test_a_refund_in_a_foreign_currency_moves_no_money(database: Database) -> None:
    record(database, [captured(1, 0, 1000), refunded(1, 60, 300, "KRW")])
    assert all_rows(database, "KRW") == []
    assert [row.kind for row in all_rows(database, "HKD")] == ["capture"]


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """Captures and refunds of a few payments at few moments, some refunds told of only in totals."""
    told: list[Fact] = []
    moments = st.sampled_from([0, 1, 450, 899.999999, 900, 1800, 3600, 86400, 90000])
    for number in range(draw(st.integers(1, 6))):
        currency = draw(st.sampled_from(["HKD", "KRW"]))
        told.append(captured(number, draw(moments), 1000, currency))
        told += [
            refunded(number, draw(moments), draw(st.integers(0, 400)), currency, name=f"r{turn}x")
            for turn in range(draw(st.integers(0, 3)))
        ]
        if draw(st.booleans()):
            told.append(
                webhook(
                    "payment_refunded",
                    f"b{number}",
                    draw(moments),
                    f"pay_{number}",
                    currency=currency,
                    balances=balances(1000, draw(st.integers(0, 1000))),
                )
            )
    return draw(st.permutations(told))


@settings(EACH_ANEW, max_examples=6)
@given(data=st.data())
def test_rows_add_up_to_the_volumes_over_any_span(
    fresh_database: Callable[[], AbstractContextManager[Database]], data: st.DataObject
) -> None:
    with fresh_database() as database:
        record(database, data.draw(histories()))
        if data.draw(st.booleans()):
            adopt_zone(database, ZoneInfo("Asia/Kathmandu"))
        edges = st.sampled_from([-86400, 0, 1, 300, 899, 900, 1000, 2000, 86399, 86400, 90000, 200000])
        since, until = sorted((at(data.draw(edges)), at(data.draw(edges))))
        for currency in ("HKD", "KRW"):
            rows = all_rows(database, currency, since, until)
            assert all(since <= row.at < until and row.currency == currency for row in rows)
            with database.read() as connection:
                assert sums(connection, currency, since, until) == added_up(currency, rows)
                assert rows_summed(connection, currency, since, until) == added_up(currency, rows)
        with database.read() as connection:
            everything = sums_by_currency(connection, LONG_AGO, LATER)
        assert everything == {
            currency: added_up(currency, rows) for currency in ("HKD", "KRW") if (rows := all_rows(database, currency))
        }


@settings(EACH_ANEW, max_examples=3)
@given(facts=histories(), limit=st.integers(1, 4))
def test_pages_cover_everything_once_forwards_and_back(
    fresh_database: Callable[[], AbstractContextManager[Database]], facts: list[Fact], limit: int
) -> None:
    with fresh_database() as database:
        record(database, facts)
        everything = all_rows(database, "HKD")
        assert [row.at for row in everything] == sorted(row.at for row in everything)
        assert max(Counter(row.id for row in everything).values(), default=1) == 1

        def page(cursor: str | None) -> movements.Stretch:
            return movements.movements(database, "HKD", LONG_AGO, LATER, DAYS, cursor=cursor, limit=limit)

        pages = [page(None)]
        assert pages[0].newer is None
        while pages[-1].older:
            pages.append(page(pages[-1].older))
        assert [row for each in pages for row in each.rows] == everything[::-1]
        back = pages[-1]
        for expected in reversed(pages[:-1]):
            back = page(back.newer)
            assert back.rows == expected.rows
        assert back.newer is None


@pytest.mark.parametrize("cursor", ["", "x", "bnVsbA", "WyJvbGRlciIsICIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsIDcsIDFd"])
def test_a_cursor_that_cannot_be_read_starts_at_the_newest(database: Database, cursor: str) -> None:
    record(database, [captured(1, 0, 1000)])
    assert len(movements.movements(database, "HKD", LONG_AGO, LATER, DAYS, cursor=cursor).rows) == 1


def test_a_span_with_nothing_in_it(database: Database) -> None:
    with database.read() as connection:
        assert sums(connection, "HKD", at(0), at(0) + timedelta(days=1)) == nothing("HKD")
