"""What should have been heard by now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest
from sqlalchemy import event, text

from lib.ledger.database import Database
from lib.ledger.facts import Fact
from lib.ledger.record import record
from lib.ledger.watchdog import RULES, candidates, count_overdue, overdue
from tests.support.events import accepted, asked, at, balances, created, webhook

MINUTE = 60
CAPTURED = webhook("payment_captured", 2, 20, amount=1000, action_id="act_c", balances=balances(1000, 0))


def waited_for(database: Database, facts: Sequence[Fact], seconds: float) -> dict[str, datetime]:
    """What is overdue so many seconds after noon, and since when."""
    record(database, facts)
    return {each.what: each.since for each in overdue(database, at(seconds))}


def pending(**data: object) -> Fact:
    return webhook("payment_pending", 1, 0, amount=1000, **data)


def test_a_pending_payment_is_overdue_once_its_link_has_ended(database: Database) -> None:
    ended = 15 * MINUTE + RULES["decision"].patience.total_seconds()
    facts = [pending(expires_on=at(15 * MINUTE).isoformat())]
    assert waited_for(database, facts, ended - 1) == {}
    assert waited_for(database, facts, ended + 1) == {"decision": at(ended)}


def test_without_a_link_it_is_overdue_counted_from_the_request(database: Database) -> None:
    patience = RULES["decision"].patience.total_seconds()
    assert waited_for(database, [pending()], patience + 1) == {"decision": at(patience)}


def test_a_link_that_never_ends_is_asked_about_after_a_day(database: Database) -> None:
    facts = [pending(expires_on=at(90 * 86400).isoformat())]
    assert waited_for(database, facts, 86000) == {}
    assert list(waited_for(database, facts, 86400 + 10 * MINUTE)) == ["decision"]


def test_a_capture_is_awaited_from_the_customers_agreement(database: Database) -> None:
    facts = [
        pending(expires_on=at(10 * MINUTE).isoformat()),
        webhook("payment_capture_pending", 3, 30, action_id="act_c", amount=1000),
    ]
    patience = RULES["capture"].patience.total_seconds()
    assert waited_for(database, facts, 30 + patience - 1) == {}
    assert waited_for(database, facts, 30 + patience + 1) == {"capture": at(30 + patience)}
    assert waited_for(database, [CAPTURED], 3 * 86400) == {}


@pytest.mark.parametrize("kind", ["payment_captured", "payment_declined", "payment_expired", "payment_canceled"])
def test_a_decided_payment_is_at_rest(database: Database, kind: str) -> None:
    assert waited_for(database, [pending(), webhook(kind, 9, 30, amount=1000, action_id="a")], 9 * 86400) == {}


def test_a_refund_without_an_answer_and_then_without_a_decision(database: Database) -> None:
    request = [CAPTURED, asked("key-1", 300, 100)]
    assert waited_for(database, request, 100 + 59) == {}
    assert waited_for(database, request, 100 + 61) == {"answer": at(160)}
    answered = [
        accepted("key-1", "act_r", 101),
        webhook("payment_refund_pending", 4, 102, amount=300, action_id="act_r"),
    ]
    patience = RULES["refund"].patience.total_seconds()
    assert waited_for(database, answered, 101 + patience - 1) == {}
    assert waited_for(database, answered, 101 + patience + 1) == {"refund": at(101 + patience)}
    decided = [webhook("payment_refunded", 5, 103, amount=300, action_id="act_r", balances=balances(1000, 300))]
    assert waited_for(database, decided, 9 * 86400) == {}


def test_totals_that_no_fact_explains_are_overdue(database: Database) -> None:
    unexplained = webhook("payment_refunded", 7, 200, amount=100, action_id="act_x", balances=balances(1000, 400))
    assert waited_for(database, [CAPTURED, unexplained], 200 + 59) == {}
    assert waited_for(database, [], 200 + 61) == {"missing_facts": at(260)}


def test_where_no_webhook_arrives_its_absence_is_overdue_within_seconds(database: Database) -> None:
    """A sandbox that cannot reach us: nothing but the answer to our own request tells of the payment."""
    facts = created("pay_1", 1000, 0)
    assert waited_for(database, facts, 9) == {}
    assert waited_for(database, facts, 11) == {"first_event": at(10)}
    assert waited_for(database, [pending()], 60) == {}


def test_where_no_webhook_arrives_a_refund_is_overdue_within_seconds(database: Database) -> None:
    facts = [CAPTURED, asked("key-1", 300, 100), accepted("key-1", "act_r", 101)]
    assert waited_for(database, facts, 112) == {"first_event": at(111)}


def test_times_of_a_clock_ahead_of_ours_count_from_when_we_heard(database: Database) -> None:
    """A simulator whose time was moved a month ahead tells of what, here, has not happened yet."""
    month = 30 * 86400
    early = pending(processed_on=at(month).isoformat(), expires_on=at(month + 10 * MINUTE).isoformat())
    ended = 10 * MINUTE + RULES["decision"].patience.total_seconds()
    assert waited_for(database, [early], ended - 1) == {}
    assert waited_for(database, [early], ended + 1) == {"decision": at(ended)}


def test_the_longest_overdue_come_first_with_their_age(database: Database) -> None:
    record(database, [webhook("payment_pending", n, n * MINUTE, f"pay_{n}", amount=5) for n in (3, 1, 2)])
    found = overdue(database, at(3600))
    assert [each.payment_id for each in found] == ["pay_1", "pay_2", "pay_3"]
    assert found[0].age == at(3600) - at(MINUTE) - RULES["decision"].patience
    assert found[0].expected == RULES["decision"].expected
    assert [each.payment_id for each in overdue(database, at(3600), limit=2)] == ["pay_1", "pay_2"]
    assert [count_overdue(database, at(3600), limit=limit) for limit in (2, 3, 9)] == [2, 3, 3]


def test_new_trouble_is_found_behind_much_that_is_not_overdue(database: Database) -> None:
    late = [webhook("payment_pending", f"l{n}", n, f"pay_late_{n}", amount=5) for n in range(5)]
    young = [webhook("payment_pending", f"y{n}", 7200 + n, f"pay_young_{n}", amount=5) for n in range(50)]
    record(database, late + young)
    with database.read() as connection:
        found = candidates(connection, at(7300), limit=5, newest_first=True, unwatched=True)
    assert found[:5] == [f"pay_late_{n}" for n in reversed(range(5))]


def test_overdue_payments_are_found_through_indexes(database: Database) -> None:
    """No statement of it reads a table from end to end, however large it is."""
    record(database, [webhook("payment_pending", 1, 0, amount=5), CAPTURED, asked("k", 5, 9)])
    statements: list[tuple[str, object]] = []
    with database.read() as connection:
        event.listen(connection, "before_cursor_execute", lambda *said: statements.append((said[2], said[3])))
        candidates(connection, at(86400), limit=10, unwatched=True)
        ran = list(statements)
        if database.sqlite:
            plans = [
                row.detail
                for statement, values in ran
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
            ]
        else:
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            plans = [
                row[0]
                for statement, values in ran
                for row in connection.exec_driver_sql(f"EXPLAIN {statement}", values)  # type: ignore[arg-type]
                if " on " in row[0]
            ]
    assert len(ran) == 3
    reads_it_all = "SCAN" if database.sqlite else "Seq Scan"
    # An index of nothing but the few that need attention, the handful of currencies, and what each of those brought.
    small = "payment_with_attention", "told", "stretch"
    assert [plan for plan in plans if reads_it_all in plan and not any(name in plan for name in small)] == []
    assert not any("TEMP B-TREE" in plan for plan in plans)
