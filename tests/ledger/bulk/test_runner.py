"""Sending the rows: once each, whatever stops, breaks or is done twice."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import pytest
import stamina
from sqlalchemy import update

from lib.ledger import audit, queries, rebuild
from lib.ledger.bulk import batches
from lib.ledger.bulk.batches import CannotRun
from lib.ledger.bulk.runner import REFUSALS, Runner
from lib.ledger.bulk.tables import LINE
from lib.ledger.bulk.views import find_bulk, lines_of, outcomes, result, tallies, would_move
from lib.ledger.desk import Desk
from lib.ledger.record import record
from lib.operators import NotAllowed, Operator
from tests.ledger.bulk.conftest import ANA, Provider, paid, run, start, statuses, upload
from tests.support.databases import on_both
from tests.support.events import at, webhook


def state(desk: Desk, bulk_id: str) -> str:
    bulk = find_bulk(desk.database, bulk_id)
    assert bulk
    return bulk.state


def refunded(desk: Desk) -> int:
    return sum(refund.amount for refund in queries.find_refunds(desk.database, queries.RefundFilter(), limit=999).rows)


@on_both
def test_every_ready_row_is_one_refund_in_the_name_of_who_confirmed(desk: Desk, provider: Provider) -> None:
    for number in range(6):
        paid(desk.database, number)
    bulk = upload(
        desk, *(f"ORD-{number},2.50,HKD,damaged,note {number}" for number in range(6)), "ORD-9,1,HKD,other"
    ).bulk
    assert (state(desk, bulk.id), provider.calls) == ("checked", [])
    start(desk, bulk.id, Operator("Ben", frozenset({"support"})))
    run(desk)
    assert state(desk, bulk.id) == "done"
    assert statuses(desk, bulk.id) == {"sent": 6, "unknown_payment": 1}
    assert outcomes(desk.database, bulk.id) == {"pending": 6}
    assert sorted(provider.refunds) == [f"bulk-{bulk.id}-{line}" for line in range(2, 8)]
    [refund] = queries.refunds_of(desk.database, "pay_3")
    assert (refund.amount, refund.requested_by, refund.reason, refund.note) == (250, "Ben", "damaged", "note 3")
    assert rebuild.compare(desk.database).differing == 0


def test_rows_on_one_payment_are_sent_one_after_the_other(desk: Desk, provider: Provider) -> None:
    paid(desk.database, 1)
    bulk = upload(desk, *(f"ORD-1,{amount},HKD,other" for amount in (1, 2, 3, 4))).bulk
    start(desk, bulk.id)
    run(desk)
    assert statuses(desk, bulk.id) == {"sent": 4}
    assert (len(provider.refunds), refunded(desk)) == (4, 1000)


def test_the_same_file_again_refunds_nothing(desk: Desk, provider: Provider) -> None:
    paid(desk.database, 1)
    first = upload(desk, "ORD-1,2,HKD,other")
    start(desk, first.bulk.id)
    run(desk)
    again = upload(desk, "ORD-1,2,HKD,other")
    assert (again.new, again.bulk.state) == (False, "done")
    with pytest.raises(CannotRun, match="No row"):
        start(desk, first.bulk.id)
    batches.check_again(desk, ANA, first.bulk.id)
    run(desk)
    assert (statuses(desk, first.bulk.id), state(desk, first.bulk.id)) == ({"sent": 1}, "done")
    assert len(provider.refunds) == 1


@on_both
def test_of_a_corrected_file_only_what_was_not_refunded_is_sent(desk: Desk, provider: Provider) -> None:
    for number in (1, 2, 3):
        paid(desk.database, number)
    first = upload(desk, "ORD-1,2,HKD,other", "ORD-2,2,HKD,other", "ORD-3,2,EUR,other", name="march.csv").bulk
    provider.answer = lambda key: httpx.Response(422) if key.endswith("-3") else None
    start(desk, first.id)
    run(desk)
    provider.answer = lambda key: None
    assert outcomes(desk.database, first.id) == {"pending": 1, "failed": 1}
    second = upload(
        desk, "ORD-1,2,HKD,other,mended", "ORD-2,2,HKD,other", "ORD-3,2,HKD,other", "ORD-1,2,HKD,other"
    ).bulk
    found = [(shown.line.status, shown.line.said) for shown in lines_of(desk.database, second.id).rows]
    assert [status for status, _ in found] == ["already_refunded", "ready", "ready", "ready"]
    assert found[0][1].startswith("Row 2 of the file march.csv, which Ana confirmed on ")
    start(desk, second.id)
    run(desk)
    assert (len(provider.refunds), refunded(desk)) == (4, 1000)


def test_two_files_with_a_row_in_common_at_work_at_once(desk: Desk, provider: Provider) -> None:
    paid(desk.database, 1)
    bulks = [upload(desk, "ORD-1,2,HKD,other", extra).bulk.id for extra in ("ORD-8,1,HKD,other", "ORD-9,1,HKD,other")]
    for bulk_id in bulks:
        start(desk, bulk_id)
    run(desk)
    assert [statuses(desk, bulk_id) for bulk_id in bulks] == [
        {"sent": 1, "unknown_payment": 1},
        {"already_refunded": 1, "unknown_payment": 1},
    ]
    assert len(provider.refunds) == 1


@on_both
def test_stopped_and_resumed(desk: Desk, provider: Provider) -> None:
    for number in range(12):
        paid(desk.database, number)
    bulk = upload(desk, *(f"ORD-{number},1,HKD,other" for number in range(12))).bulk
    start(desk, bulk.id)
    run(desk, rounds=1)
    batches.stop(desk, ANA, bulk.id)
    run(desk)
    assert (state(desk, bulk.id), statuses(desk, bulk.id)) == ("stopped", {"ready": 8, "sent": 4})
    with pytest.raises(CannotRun, match="not running"):
        batches.stop(desk, ANA, bulk.id)
    batches.resume(desk, Operator("Ben"), bulk.id)
    with pytest.raises(CannotRun, match="not stopped"):
        batches.resume(desk, ANA, bulk.id)
    run(desk)
    assert (state(desk, bulk.id), len(provider.refunds), len(provider.calls)) == ("done", 12, 12)
    with desk.database.read() as connection:
        logged = [(row.action, row.who) for row in connection.execute(audit.AUDIT.select()) if "bulk" in row.action]
    assert logged == [
        ("bulk.uploaded", "Ana"),
        ("bulk.started", "Ana"),
        ("bulk.stopped", "Ana"),
        ("bulk.resumed", "Ben"),
    ]


def test_what_was_confirmed_is_what_moves(desk: Desk, provider: Provider) -> None:
    paid(desk.database, 1)
    bulk = upload(desk, "ORD-1,2,HKD,other", "ORD-2,3,HKD,other").bulk
    shown = would_move(tallies(desk.database, bulk.id))
    paid(desk.database, 2)
    batches.check_again(desk, ANA, bulk.id)
    with pytest.raises(CannotRun, match="has changed since you saw it"):
        batches.start(desk, ANA, bulk.id, confirmed=shown)
    run(desk)
    assert (state(desk, bulk.id), provider.calls) == ("checked", [])
    with pytest.raises(NotAllowed):
        start(desk, bulk.id, Operator("Vera", frozenset({"viewer"})))


def test_a_stopped_file_looked_at_again_is_confirmed_anew(desk: Desk, provider: Provider) -> None:
    paid(desk.database, 1)
    bulk = upload(desk, "ORD-1,1,HKD,other", "ORD-2,3,HKD,other").bulk
    start(desk, bulk.id)
    batches.stop(desk, ANA, bulk.id)
    paid(desk.database, 2)
    batches.check_again(desk, ANA, bulk.id)
    with pytest.raises(CannotRun, match="not stopped"):
        batches.resume(desk, ANA, bulk.id)
    run(desk)
    assert (state(desk, bulk.id), provider.calls) == ("checked", [])
    start(desk, bulk.id)
    run(desk)
    assert (state(desk, bulk.id), len(provider.refunds)) == ("done", 2)


def test_a_row_that_no_longer_fits_is_refused_with_the_reason(desk: Desk, provider: Provider) -> None:
    paid(desk.database, 1)
    bulk = upload(desk, "ORD-1,9,HKD,other").bulk
    start(desk, bulk.id)
    record(desk.database, [webhook("payment_refunded", "r", 99, "pay_1", amount=500, action_id="act_elsewhere")])
    run(desk)
    [shown] = lines_of(desk.database, bulk.id).rows
    assert (shown.line.status, state(desk, bulk.id)) == ("refused", "done")
    assert shown.line.said.startswith("Only HKD\u00a05.00 is left to refund")
    assert provider.calls == []


@on_both
def test_what_a_crash_left_half_done_is_taken_up_under_the_same_key(desk: Desk, provider: Provider) -> None:
    """The process dies after the claim, and after the provider carried the refund out but before that was written down."""
    for number in (1, 2, 3):
        paid(desk.database, number)
    bulk = upload(desk, *(f"ORD-{number},1,HKD,other" for number in (1, 2, 3))).bulk
    start(desk, bulk.id)
    dead = Runner(desk)
    claimed = dead._claim(bulk.id)
    confirmed = dead._next_bulk()
    assert confirmed
    dead._send(confirmed, claimed[0])
    left_behind = update(LINE).where(LINE.c.line == claimed[0].line).values(status="sending")
    with desk.database.write() as connection:
        connection.execute(left_behind)
    run(desk)
    assert (state(desk, bulk.id), len(provider.refunds)) == ("running", 1)
    with desk.database.write() as connection:  # so much time goes by
        connection.execute(update(LINE).values(claimed_until=at(0)))
    run(desk)
    assert (state(desk, bulk.id), statuses(desk, bulk.id)) == ("done", {"sent": 3})
    assert (len(provider.refunds), refunded(desk)) == (3, 300)


@on_both
def test_two_dashboards_share_the_rows(desk: Desk, provider: Provider) -> None:
    for number in range(30):
        paid(desk.database, number)
    bulk = upload(desk, *(f"ORD-{number},1,HKD,other" for number in range(30))).bulk
    start(desk, bulk.id)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: run(desk), range(2)))
    run(desk)
    assert (state(desk, bulk.id), statuses(desk, bulk.id)) == ("done", {"sent": 30})
    assert len(provider.calls) == len(provider.refunds) == 30


def test_while_checkout_is_silent_no_more_rows_are_begun(desk: Desk, provider: Provider) -> None:
    for number in range(8):
        paid(desk.database, number)

    def silent(key: str) -> httpx.Response:
        raise httpx.ConnectError("gone")

    bulk = upload(desk, *(f"ORD-{number},1,HKD,other" for number in range(8))).bulk
    start(desk, bulk.id)
    provider.answer = silent
    runner = Runner(desk)
    with stamina.set_testing(True, attempts=1):
        assert [runner.round() for _ in range(3)] == [True, False, False]
    assert (statuses(desk, bulk.id), outcomes(desk.database, bulk.id)) == ({"ready": 4, "sent": 4}, {"submitting": 4})


def test_what_waits_for_a_second_person_is_an_outcome(desk: Desk, provider: Provider) -> None:
    paid(desk.database, 1)
    limited = replace(desk, settings=desk.settings.model_copy(update={"refund_limits": "support HKD 3"}))
    support = Operator("Sam", frozenset({"support"}))
    bulk = batches.upload(limited, support, "f.csv", b"reference,amount,currency,reason\nORD-1,4,HKD,other\n").bulk
    start(limited, bulk.id, support)
    run(limited)
    assert (state(desk, bulk.id), outcomes(desk.database, bulk.id)) == ("done", {"awaiting_approval": 1})
    assert provider.calls == []


def test_refusals_one_after_another_stop_the_file(desk: Desk, provider: Provider) -> None:
    for number in range(20):
        paid(desk.database, number)
    bulk = upload(desk, *(f"ORD-{number},1,HKD,other" for number in range(20))).bulk
    start(desk, bulk.id)
    provider.answer = lambda key: httpx.Response(401)
    run(desk)
    stopped = find_bulk(desk.database, bulk.id)
    assert stopped
    assert (stopped.state, len(provider.calls)) == ("stopped", 12)
    assert stopped.problem
    assert stopped.problem.startswith(f"Checkout.com refused {REFUSALS} refunds")


def test_the_result_has_every_row_with_what_became_of_it(desk: Desk) -> None:
    paid(desk.database, 1)
    bulk = upload(desk, "ORD-1,1.50,HKD,other,-cup", "=2+3,1,HKD,other").bulk
    start(desk, bulk.id)
    run(desk)
    read: list[Any] = list(csv.reader(io.StringIO(result(desk, ANA, bulk.id).decode("utf-8-sig"))))
    blank = read.index([])
    assert read[:2] == [["World", "Simulator · no real money"], ["Bulk refund", "refunds.csv"]]
    rows = [dict(zip(read[blank + 1], row, strict=True)) for row in read[blank + 2 :]]
    key = f"bulk-{bulk.id}-2"
    assert [rows[0][name] for name in ("row", "amount", "note", "outcome", "refund_key", "action_id", "refund_status")] == [
        "2", "1.50", "'-cup", "sent", key, "act_0", "pending",
    ]  # fmt: skip
    assert (rows[1]["reference"], rows[1]["outcome"], rows[1]["refund_key"]) == ("'=2+3", "bad_row", "")
    assert rows[1]["why"].startswith("“=2+3” in the column reference")
    with pytest.raises(NotAllowed):
        result(desk, Operator("Vera", frozenset({"viewer"})), bulk.id)
