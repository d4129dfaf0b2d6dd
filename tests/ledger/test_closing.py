"""A closed month keeps its figures: what is heard later goes to the next, and nobody reopens alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from lib.ledger import audit, rebuild
from lib.ledger.calendar import SettlementDays
from lib.ledger.closed import close as closing_module
from lib.ledger.closing import (
    CannotClose,
    Month,
    Period,
    ask_to_reopen,
    booked_elsewhere,
    close_period,
    decide_reopening,
    heard_late,
    months,
    recompute,
    sheet_text,
)
from lib.ledger.database import Database
from lib.ledger.facts import Fact, from_webhook
from lib.ledger.movements import every
from lib.ledger.record import record
from lib.ledger.settlement import settlement
from lib.operators import NotAllowed, Operator
from tests.ledger.test_movements import EACH_ANEW
from tests.support.events import balances, event

ANA, BEN = Operator("Ana"), Operator("Ben")
DAYS = SettlementDays(ZoneInfo("Asia/Hong_Kong"))
NOW = datetime(2026, 5, 1, tzinfo=UTC)


def told(kind: str, number: int, when: str, amount: int, **more: object) -> Fact:
    """A capture or refund of payment `number` at a local time, heard at that time."""
    moment = datetime.fromisoformat(when).replace(tzinfo=DAYS.zone).astimezone(UTC)
    action = more.pop("action", f"act_{kind}{number}")
    data = {"id": f"pay_{number}", "currency": "HKD", "amount": amount, "action_id": action, **more}
    return from_webhook(event(f"payment_{kind}", f"{action}{when}{amount}", moment, **data), moment)


JANUARY = [
    told("captured", 1, "2026-01-10T12:00:00", 10_000),
    told("captured", 2, "2026-01-31T23:59:59", 5_000),
    told("refunded", 1, "2026-01-20T09:00:00", 1_000),
]
FEBRUARY = [
    told("captured", 3, "2026-02-01T00:00:00", 700),
    told("refunded", 2, "2026-02-03T10:00:00", 2_500),
]


def known(database: Database) -> dict[str, Month]:
    return {each.month: each for each in months(database, "HKD", DAYS, NOW)}


def close(database: Database, month: str, by: Operator = ANA) -> Period:
    return close_period(by, database, DAYS, "HKD", month, seen=known(database)[month].figures, now=NOW)


def frozen(month: Month) -> tuple[int, ...]:
    figures = month.figures
    money = (figures.opening, figures.gross, figures.refunded, figures.fees, figures.net, figures.closing)
    return (*(each.minor for each in money), figures.captured_count, figures.refunded_count)


def test_a_month_is_frozen_with_the_hash_of_its_rows(database: Database) -> None:
    record(database, JANUARY + FEBRUARY)

    period = close(database, "2026-01")

    month = known(database)["2026-01"]
    assert frozen(month) == (0, 15_000, 1_000, 0, 14_000, 14_000, 2, 1)
    assert (period.closed_by, period.rows) == ("Ana", 3)
    text_of = sheet_text(ANA, database, period.id or 0)
    assert hashlib.sha256(text_of.encode()).hexdigest() == period.sha256
    assert [line.split("\t")[1] for line in text_of.splitlines()] == [
        "capture:pay_1",
        "refund:act_refunded1",
        "capture:pay_2",
    ]
    assert frozen(known(database)["2026-02"]) == (14_000, 700, 2_500, 0, -1_800, 12_200, 1, 1)
    assert audit.check(database).broken_at is None


def test_what_is_heard_late_goes_to_the_next_month_with_a_pointer_back(database: Database) -> None:
    record(database, JANUARY + FEBRUARY)
    before = close(database, "2026-01")

    record(database, [told("refunded", 1, "2026-01-25T10:00:00", 300, action="act_late")])

    after = known(database)
    assert frozen(after["2026-01"]) == (0, 15_000, 1_000, 0, 14_000, 14_000, 2, 1)
    assert frozen(after["2026-02"]) == (14_000, 700, 2_800, 0, -2_100, 11_900, 1, 2)
    [late] = after["2026-02"].late
    assert (late.month, late.id, late.amount) == ("2026-01", "refund:act_late", -300)
    assert heard_late(after["2026-01"], after.values()) == [("2026-02", late)]
    assert recompute(database, DAYS, before).sha256 == before.sha256

    second = close(database, "2026-02")
    record(database, [told("captured", 9, "2026-01-02T10:00:00", 50)])

    later = known(database)
    assert frozen(later["2026-02"]) == frozen(after["2026-02"])
    assert [(row.month, row.amount) for row in later["2026-03"].late] == [("2026-01", 50)]
    assert [month for month, _ in heard_late(later["2026-01"], later.values())] == ["2026-02", "2026-03"]
    for period in (before, second):
        assert recompute(database, DAYS, period).sha256 == period.sha256
    lines = settlement(database, date(2025, 12, 1), date(2026, 5, 1), DAYS)
    by_day = {line.day: line.sums.net.minor for line in lines}
    assert by_day == {
        date(2026, 1, 10): 10_000,
        date(2026, 1, 20): -1_000,
        date(2026, 1, 31): 5_000,
        date(2026, 2, 1): 700 - 300,
        date(2026, 2, 3): -2_500,
        date(2026, 3, 1): 50,
    }
    assert lines[0].closing.minor == later["2026-05"].figures.closing.minor == 11_950
    for first in (date(2026, 1, 15), date(2026, 2, 1), date(2026, 2, 2), date(2026, 3, 1)):
        part = settlement(database, first, date(2026, 5, 1), DAYS)
        assert part == [line for line in lines if line.day >= first]


def test_a_month_is_not_closed_after_one_that_is_reopened_meanwhile(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(database, JANUARY + FEBRUARY)
    january = close(database, "2026-01").id or 0
    ask_to_reopen(ANA, database, january, "wrong zone")
    rows_of_month = closing_module.rows_of_month

    def and_meanwhile(*of: Any) -> Any:
        decide_reopening(BEN, database, january, agree=True)
        return rows_of_month(*of)

    monkeypatch.setattr(closing_module, "rows_of_month", and_meanwhile)
    with pytest.raises(CannotClose, match="reopened"):
        close(database, "2026-02")
    assert [month.period for month in known(database).values()] == [None] * 5


def test_a_row_that_moves_to_another_month_is_counted_once(database: Database) -> None:
    """A look-up may say a second later than the webhook did, and that second may be another month's."""
    record(database, JANUARY)
    period = close(database, "2026-01")

    record(database, [told("captured", 2, "2026-02-01T00:00:01", 5_000)])

    after = known(database)
    assert frozen(after["2026-01"])[5] == 14_000
    assert [(row.id, row.amount, row.count) for row in after["2026-02"].late] == [("capture:pay_2", -5_000, -1)]
    assert frozen(after["2026-02"])[4:] == (0, 14_000, 0, 0)
    assert recompute(database, DAYS, period).sha256 == period.sha256


def test_refunds_that_only_totals_told_of_are_replaced_by_the_refund(database: Database) -> None:
    record(database, [told("captured", 1, "2026-01-10T12:00:00", 10_000, balances=balances(10_000, 400))])
    close(database, "2026-01")

    record(database, [told("refunded", 1, "2026-01-10T11:00:00", 400)])

    february = known(database)["2026-02"]
    assert {(row.kind, row.amount, row.count) for row in february.late} == {("untold", 400, -1), ("refund", -400, 1)}
    assert frozen(february) == (9_600, 0, 0, 0, 0, 9_600, 0, 1)


@pytest.mark.parametrize(
    ("month", "why"),
    [("2026-02", "Close HKD 2026-01 first"), ("2026-05", "is not over yet"), ("2025-12", "nothing to close")],
)
def test_months_are_closed_in_order_and_when_they_are_over(database: Database, month: str, why: str) -> None:
    record(database, JANUARY + FEBRUARY)
    figures = known(database)["2026-01"].figures

    with pytest.raises(CannotClose, match=why):
        close_period(ANA, database, DAYS, "HKD", month, seen=figures, now=NOW)


def test_figures_that_moved_meanwhile_are_looked_at_again(database: Database) -> None:
    record(database, JANUARY)
    seen = known(database)["2026-01"].figures
    record(database, [told("captured", 4, "2026-01-05T00:00:00", 1)])

    with pytest.raises(CannotClose, match="moved"):
        close_period(ANA, database, DAYS, "HKD", "2026-01", seen=seen, now=NOW)

    close(database, "2026-01")
    with pytest.raises(CannotClose, match="Ana closed HKD 2026-01 already"):
        close(database, "2026-01", BEN)


def test_closing_is_for_finance(database: Database) -> None:
    record(database, JANUARY)
    support = Operator("Sue", frozenset({"support"}))

    with pytest.raises(NotAllowed):
        close(database, "2026-01", support)
    period = close(database, "2026-01")
    for act in (
        lambda: ask_to_reopen(support, database, period.id or 0, "a reason"),
        lambda: decide_reopening(support, database, period.id or 0, agree=True),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_reopening_takes_a_reason_and_two_people(database: Database) -> None:
    record(database, JANUARY + FEBRUARY)
    january, february = close(database, "2026-01"), close(database, "2026-02")
    with pytest.raises(CannotClose, match="2026-02 is closed after it"):
        ask_to_reopen(ANA, database, january.id or 0, "a capture is missing")
    with pytest.raises(CannotClose, match="Say why"):
        ask_to_reopen(ANA, database, february.id or 0, " ")
    with pytest.raises(CannotClose, match="Nobody asks"):
        decide_reopening(BEN, database, february.id or 0, agree=True)

    ask_to_reopen(ANA, database, february.id or 0, "a capture is missing")
    with pytest.raises(CannotClose, match="another person"):
        decide_reopening(ANA, database, february.id or 0, agree=True)
    assert known(database)["2026-02"].period

    reopened = decide_reopening(BEN, database, february.id or 0, agree=True)

    assert (reopened.reopen_asked_by, reopened.reopened_by) == ("Ana", "Ben")
    assert known(database)["2026-02"].period is None
    record(database, [told("captured", 5, "2026-02-28T12:00:00", 10)])
    again = close(database, "2026-02")
    assert (again.gross, again.id != february.id) == (710, True)
    assert not known(database)["2026-03"].late


def test_what_was_asked_can_be_turned_down(database: Database) -> None:
    record(database, JANUARY)
    period = close(database, "2026-01")
    ask_to_reopen(ANA, database, period.id or 0, "by mistake")

    kept = decide_reopening(ANA, database, period.id or 0, agree=False)

    assert (kept.reopen_asked_by, kept.reopened_at) == (None, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE period SET gross = gross + 1, closing = closing + 1",
        "UPDATE period SET sha256 = 'x'",
        "DELETE FROM period",
        "UPDATE period_sheet SET lines = ''",
        "DELETE FROM period_sheet",
        "DELETE FROM period_quarter",
        "UPDATE period SET reopened_by = 'Ana', reopened_at = closed_at, reopen_asked_by = 'Ana', reopen_reason = 'x'",
        "UPDATE period SET reopened_by = 'Ana', reopened_at = closed_at",
    ],
)
def test_the_database_itself_keeps_a_closed_period(database: Database, statement: str) -> None:
    record(database, JANUARY)
    close(database, "2026-01")

    with pytest.raises(DBAPIError), database.write() as connection:
        connection.execute(text(statement))


def test_days_that_are_cut_elsewhere_now_leave_no_gap(database: Database) -> None:
    record(database, JANUARY + FEBRUARY)
    close(database, "2026-01")

    elsewhere = months(database, "HKD", SettlementDays(ZoneInfo("Europe/London"), 13), NOW)

    assert frozen(elsewhere[-1]) == (0, 15_000, 1_000, 0, 14_000, 14_000, 2, 1)
    assert elsewhere[0].figures.closing.minor == 12_200


HISTORY = st.lists(
    st.tuples(
        st.sampled_from(("captured", "refunded")),
        st.integers(1, 4),
        st.sampled_from(("2026-01-31T23:44:59", "2026-01-31T23:59:59", "2026-02-01T00:00:00", "2026-02-28T12:00:00")),
        st.integers(1, 500),
    ),
    max_size=10,
)


@settings(EACH_ANEW, max_examples=4)
@given(HISTORY, HISTORY, st.randoms(use_true_random=False))
def test_a_closed_month_is_the_same_for_ever(
    fresh_database: Callable[[], AbstractContextManager[Database]], first: list, later: list, chance: Random
) -> None:
    stays_the_same(fresh_database, first, later, chance)


@pytest.mark.soak
@settings(EACH_ANEW, max_examples=60)
@given(HISTORY, HISTORY, st.randoms(use_true_random=False))
def test_a_closed_month_is_the_same_for_ever_in_many_lives(
    fresh_database: Callable[[], AbstractContextManager[Database]], first: list, later: list, chance: Random
) -> None:
    stays_the_same(fresh_database, first, later, chance)


def stays_the_same(
    fresh_database: Callable[[], AbstractContextManager[Database]], first: list, later: list, chance: Random
) -> None:
    """Whatever comes after the close, and in whatever order what it closed had come."""
    early = [told("captured", 8, "2026-01-05T00:00:00", 100), *_facts(first, "a")]
    permuted = list(early)
    chance.shuffle(permuted)
    with fresh_database() as one, fresh_database() as other:
        record(one, early)
        record(other, permuted)
        period, twin = close(one, "2026-01"), close(other, "2026-01")
        assert period.sha256 == twin.sha256
        before = frozen(known(one)["2026-01"])
        record(one, _facts(later, "b"))
        close(one, "2026-02")
        rebuild.compare(one, mend=True)
        after = known(one)
        assert frozen(after["2026-01"]) == before
        assert recompute(one, DAYS, period).sha256 == period.sha256
        lines = settlement(one, date(2026, 1, 1), date(2026, 5, 1), DAYS)
        assert sum(line.sums.net.minor for line in lines) == after["2026-05"].figures.closing.minor
        with one.read() as connection:
            rows = every(connection, "HKD", datetime(2020, 1, 1, tzinfo=UTC), NOW, DAYS)
            assert sum(row.amount for row in rows) == after["2026-05"].figures.closing.minor
        for day in {row.day for row in lines} | {date(2026, 1, 31), date(2026, 2, 1), date(2026, 3, 1)}:
            _explains(one, day, sum(line.sums.net.minor for line in lines if line.day == day))


def _explains(database: Database, day: date, settled: int) -> None:
    """The rows of a day, less those booked elsewhere and with those taken over, come to what settlement says of it."""
    since, until = DAYS.span(day, day)
    found = booked_elsewhere(database, "HKD", since, until, DAYS, NOW)
    with database.read() as connection:
        rows = sum(row.amount for row in every(connection, "HKD", since, until, DAYS))
    away, taken = (sum(row.amount for _, row in told) for told in (found.away, found.taken))
    assert rows - away + taken == settled


def test_a_row_heard_late_is_booked_elsewhere_than_it_is_dated(database: Database) -> None:
    record(database, JANUARY + FEBRUARY)
    close(database, "2026-01")
    record(database, [told("refunded", 1, "2026-01-25T10:00:00", 300, action="act_late")])

    dated, booked, between = (
        booked_elsewhere(database, "HKD", *DAYS.span(day, day), DAYS, NOW)
        for day in (date(2026, 1, 25), date(2026, 2, 1), date(2026, 1, 26))
    )

    assert [(day, row.id) for day, row in dated.away] == [(date(2026, 2, 1), "refund:act_late")]
    assert [(day, row.amount) for day, row in booked.taken] == [(date(2026, 2, 1), -300)]
    assert dated.taken == booked.away == between.away == between.taken == []


def _facts(history: list, source: str) -> list[Fact]:
    return [
        told(kind, number, when, amount, action=f"act_{kind}{number}{source if kind == 'refunded' else ''}{place}")
        for place, (kind, number, when, amount) in enumerate(history)
    ]
