"""One refund, once, whatever happens between asking and knowing."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from lib.ledger import queries, rebuild, refunds, sending
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.record import record
from lib.ledger.refund_rules import ExceedsRefundable, KeyReused, NotRefundable, PaymentUnknown, RemainingMoved
from lib.ledger.tables import Refund
from lib.money import Money
from lib.operators import Operator
from tests.support.events import asked, balances, webhook
from tests.support.provider import Provider, captured_desk

ANA, BEN = Operator("Ana"), Operator("Ben")


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def desk(database: Database, provider: Provider) -> Iterator[Desk]:
    with captured_desk(database, provider) as desk:
        yield desk


def ask(desk: Desk, amount: int, *, key: str | None = None, left: int = 1000, by: Operator = ANA, **how: Any) -> Refund:
    return refunds.request_refund(
        desk,
        by,
        how.pop("payment", "pay_1"),
        Money(amount, how.pop("currency", "HKD")),
        key=key or str(uuid.uuid4()),
        drawn_with=Money(left, "HKD"),
        reason=how.pop("reason", "damaged"),
        **how,
    )


def left(desk: Desk) -> int:
    payment = queries.find_payment(desk.database, "pay_1")
    assert payment is not None
    return payment.refundable.minor


def test_an_accepted_refund_is_pending_and_holds_its_amount(desk: Desk) -> None:
    refund = ask(desk, 300, note="  torn  ")
    assert (refund.status, refund.amount, refund.requested_by, refund.note) == ("pending", 300, "Ana", "torn")
    assert left(desk) == 700


def test_the_same_key_is_the_same_refund(desk: Desk, provider: Provider) -> None:
    first, second = ask(desk, 300, key="k"), ask(desk, 300, key="k", left=700)
    assert first == second
    assert (provider.calls, len(provider.refunds), left(desk)) == (1, 1, 700)
    with pytest.raises(KeyReused):
        ask(desk, 301, key="k")


@pytest.mark.parametrize(
    ("how", "problem", "words"),
    [
        ({"amount": 1001}, ExceedsRefundable, "Only HKD\u00a010.00 is left to refund"),
        ({"amount": 0}, NotRefundable, "more than zero"),
        ({"amount": -5}, NotRefundable, "more than zero"),
        ({"amount": 5, "currency": "KRW"}, NotRefundable, "only be refunded in HKD"),
        ({"amount": 5, "payment": "pay_none"}, PaymentUnknown, "no such payment"),
        ({"amount": 5, "reason": "because"}, NotRefundable, "reason"),
        ({"amount": 5, "note": "x" * 1001}, NotRefundable, "1000 characters"),
    ],
)
def test_what_cannot_be_refunded_is_said_and_nothing_is_reserved(
    desk: Desk, provider: Provider, how: dict[str, Any], problem: type[Exception], words: str
) -> None:
    with pytest.raises(problem, match=words):
        ask(desk, **how)
    assert (provider.calls, left(desk)) == (0, 1000)
    assert queries.refunds_of(desk.database, "pay_1") == []


def test_an_uncaptured_payment_cannot_be_refunded(desk: Desk) -> None:
    record(desk.database, [webhook("payment_declined", 9, 0, "pay_2", amount=5, action_id="d")])
    with pytest.raises(NotRefundable, match="this one is Declined"):
        ask(desk, 5, payment="pay_2")


def test_who_moved_the_remaining_amount_is_named(desk: Desk) -> None:
    ask(desk, 300, by=BEN)
    with pytest.raises(
        RemainingMoved,
        match=r"Ben refunded HKD\u00a03\.00 meanwhile, on \d+ \w+ at \d\d:\d\d:\d\d HKT\. HKD\u00a07\.00 is left now",
    ) as caught:
        ask(desk, 200)
    assert caught.value.latest is not None
    assert left(desk) == 700


def test_what_is_left_and_why_is_named(desk: Desk) -> None:
    ask(desk, 300)
    with pytest.raises(
        ExceedsRefundable, match=r"HKD\u00a010\.00 was captured, HKD\u00a03\.00 is accepted and pending"
    ):
        ask(desk, 800, left=700)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_gives_the_reservation_back_and_says_why(desk: Desk, provider: Provider, status: int) -> None:
    provider.misbehave = lambda: httpx.Response(status)
    refund = ask(desk, 300)
    assert refund.status == "failed"
    assert refund.response_summary
    assert left(desk) == 1000


def test_a_time_out_after_the_provider_accepted_ends_as_one_refund(desk: Desk, provider: Provider) -> None:
    """Each answer is lost for as long as a person waits; the worker's next round learns what became of it."""

    def lose() -> None:
        raise httpx.ReadTimeout("lost")

    provider.forget = lose
    refund = ask(desk, 300)
    assert refund.status == "submitting"
    assert left(desk) == 700
    provider.forget = lambda: None
    assert sending.resume_refunds(desk, older_than=datetime.now(UTC) + timedelta(seconds=1)) == 1
    [settled] = queries.refunds_of(desk.database, "pay_1")
    assert (settled.key, settled.status, settled.action_id) == (refund.key, "pending", "act_0")
    assert len(provider.refunds) == 1
    assert sending.resume_refunds(desk, older_than=datetime.now(UTC) + timedelta(seconds=1)) == 0


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_of_the_second_try_does_not_undo_a_first_that_may_have_been_accepted(
    desk: Desk, provider: Provider, status: int
) -> None:
    """A key revoked between the two says nothing of what became of the first."""

    def lose() -> None:
        raise httpx.ReadTimeout("lost")

    later = datetime.now(UTC) + timedelta(seconds=60)
    provider.forget = lose
    ask(desk, 300)
    provider.forget = lambda: None
    provider.misbehave = lambda: httpx.Response(status)
    sending.resume_refunds(desk, older_than=later)
    assert (queries.refunds_of(desk.database, "pay_1")[0].status, left(desk)) == ("submitting", 700)
    provider.misbehave = lambda: None
    sending.resume_refunds(desk, older_than=later)
    [settled] = queries.refunds_of(desk.database, "pay_1")
    assert (settled.status, len(provider.refunds)) == ("pending", 1)


def test_a_refund_whose_key_is_forgotten_is_looked_for_before_it_is_sent_again(
    desk: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose() -> None:
        raise httpx.ReadTimeout("lost")

    provider.forget = lose
    refund = ask(desk, 300)
    provider.forget = lambda: None
    monkeypatch.setattr(sending, "KEY_LIFE", timedelta(0))
    calls = provider.calls
    provider.refunds = {"forgotten": "act_0"}  # under the old key Checkout.com would now refund a second time
    sending.resume_refunds(desk, older_than=datetime.now(UTC) + timedelta(seconds=1))
    assert provider.calls == calls
    [settled] = queries.refunds_of(desk.database, "pay_1")
    assert (settled.key, settled.status, settled.action_id) == (refund.key, "refunded", "act_0")


def test_a_refund_that_only_the_balances_tell_of_is_waited_for_and_not_sent_again(
    desk: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Still pending it is in no list of actions, the key is forgotten, and events may not be looked up."""

    def lose() -> None:
        raise httpx.ReadTimeout("lost")

    provider.forget = lose
    refund = ask(desk, 300)
    provider.forget = lambda: None
    provider.refunds = {}
    provider.held_back = 300
    monkeypatch.setattr(sending, "KEY_LIFE", timedelta(0))
    calls = provider.calls
    later = datetime.now(UTC) + timedelta(seconds=1)
    sending.resume_refunds(desk, older_than=later)
    assert (provider.calls, queries.refunds_of(desk.database, "pay_1")[0].status) == (calls, "submitting")
    provider.refunds = {"forgotten": "act_0"}  # decided now, and so among the actions
    sending.resume_refunds(desk, older_than=later)
    [settled] = queries.refunds_of(desk.database, "pay_1")
    assert (settled.key, settled.status, provider.calls) == (refund.key, "refunded", calls)


def test_a_refund_that_never_arrived_is_sent_after_the_life_of_its_key(
    desk: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable() -> httpx.Response:
        raise httpx.ConnectError("gone")

    provider.misbehave = unreachable
    refund = ask(desk, 300)
    provider.misbehave = lambda: None
    monkeypatch.setattr(sending, "KEY_LIFE", timedelta(0))
    sending.resume_refunds(desk, older_than=datetime.now(UTC) + timedelta(seconds=1))
    [settled] = queries.refunds_of(desk.database, "pay_1")
    assert (settled.key, settled.status, len(provider.refunds)) == (refund.key, "pending", 1)


def test_a_hundred_at_once_never_refund_more_than_there_is(desk: Desk, provider: Provider) -> None:
    """Thirty per cent of the payment each: exactly three fit, whoever comes first."""
    start = threading.Barrier(20)

    def try_one(number: int) -> bool:
        if number < 20:
            start.wait(20)
        for _ in range(200):
            try:
                ask(desk, 300, left=left(desk))
                return True
            except RemainingMoved:
                time.sleep(0.001)
            except ExceedsRefundable:
                return False
        return False

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(try_one, range(100))) == 3
    assert (len(provider.refunds), left(desk)) == (3, 100)
    assert rebuild.compare(desk.database).differing == 0


def test_a_double_click_is_one_refund(desk: Desk, provider: Provider) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ask(desk, 300, key="same"), range(8)))
    assert {refund.key for refund in found} == {"same"}
    assert (len(provider.refunds), len(queries.refunds_of(desk.database, "pay_1")), left(desk)) == (1, 1, 700)


def test_the_request_names_amount_reference_and_key(desk: Desk, provider: Provider) -> None:
    refund = ask(desk, 300)
    [fact] = [fact for fact in queries.facts_of(desk.database, "pay_1") if fact.type == "refund_accepted"]
    sent = json.loads(fact.body)["request"]
    assert sent == {
        "amount": 300,
        "reference": sending.reference_of(refund.key),
        "metadata": {"refund_key": refund.key},
    }


def test_money_is_expected_within_three_to_ten_business_days(desk: Desk) -> None:
    friday = datetime(2026, 3, 6, 4, tzinfo=UTC)
    refund = Refund(key="k", payment_id="p", amount=1, currency="HKD", status="pending", requested_at=friday)
    assert refunds.expected_between(refund) == (date(2026, 3, 11), date(2026, 3, 20))


def test_a_payment_can_be_refunded_for_a_year(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class AYearLater(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2027, 3, 3, 4, tzinfo=UTC)

    monkeypatch.setattr(refunds, "datetime", AYearLater)
    with pytest.raises(
        NotRefundable, match=r"within 365 days \(Alipay\+ handbook\).* until 2 Mar 2027\. Give the money"
    ):
        ask(desk, 100)


def test_after_a_hundred_and_fifty_refunds_there_is_none_left(desk: Desk, provider: Provider) -> None:
    told = [asked(f"k{number}", 1, number) for number in range(150)]
    record(desk.database, told)
    with pytest.raises(NotRefundable, match=r"at most 150 partial refunds of one payment \(Checkout\.com docs"):
        ask(desk, 1, left=850)
    assert provider.calls == 0


def test_a_refund_under_kakaopays_minimum_names_its_source(desk: Desk) -> None:
    record(desk.database, [webhook("payment_captured", 8, 0, "pay_w", currency="KRW", amount=1000, action_id="w")])
    with pytest.raises(NotRefundable, match=r"refuses refunds under KRW\s50 \(Antom docs"):
        refunds.request_refund(
            desk, ANA, "pay_w", Money(49, "KRW"), key="w", drawn_with=Money(1000, "KRW"), reason="other"
        )


def test_an_amount_that_came_back_is_named_with_its_time(desk: Desk) -> None:
    refund = ask(desk, 300, by=BEN)
    record(desk.database, [webhook("payment_refund_declined", 5, 60, amount=300, action_id=refund.action_id)])
    with pytest.raises(
        RemainingMoved, match=r"A refund of HKD\s3\.00 by Ben gave its amount back meanwhile, on 2 Mar at 12:01:00 HKT"
    ):
        ask(desk, 200, left=700)


def test_a_refund_made_elsewhere_before_is_not_mistaken_for_ours(desk: Desk, provider: Provider) -> None:
    """Were it, ours would be taken for done, and never be sent."""
    record(desk.database, [webhook("payment_refunded", 5, 60, amount=300, action_id="e", balances=balances(1000, 300))])
    assert ask(desk, 300, left=700).status == "pending"
    assert (provider.calls, left(desk)) == (1, 400)


def test_an_event_of_an_equal_amount_does_not_stop_ours_from_being_sent(desk: Desk, provider: Provider) -> None:
    """It comes from elsewhere in the moment between our request and its sending, and our process dies in that moment."""

    def unreachable() -> httpx.Response:
        raise httpx.ConnectError("gone")

    provider.misbehave = unreachable
    ask(desk, 300)
    provider.misbehave = lambda: None
    record(desk.database, [webhook("payment_refunded", 5, 60, amount=300, action_id="e", balances=balances(1000, 300))])
    sending.resume_refunds(desk, older_than=datetime.now(UTC) + timedelta(seconds=1))
    assert {refund.action_id for refund in queries.refunds_of(desk.database, "pay_1")} == {"e", "act_0"}
    assert (len(provider.refunds), left(desk)) == (1, 400)


def test_a_declined_refund_is_tried_again_once_at_a_time(desk: Desk) -> None:
    first = ask(desk, 300)
    with pytest.raises(NotRefundable, match="Only a refund that was declined"):
        ask(desk, 300, left=700, retry_of=first.key)
    record(desk.database, [webhook("payment_refund_declined", 5, 60, amount=300, action_id=first.action_id)])
    second = ask(desk, 300, retry_of=first.key)
    assert (second.retry_of, second.status) == (first.key, "pending")
    rows = queries.refunds_of(desk.database, "pay_1")
    assert refunds.retry_of(first, rows) == next(row for row in rows if row.key == second.key)
    with pytest.raises(NotRefundable, match="only once at a time"):
        ask(desk, 300, left=700, retry_of=first.key)
    record(desk.database, [webhook("payment_refund_declined", 6, 70, amount=300, action_id=second.action_id)])
    assert ask(desk, 300, retry_of=first.key).status == "pending"


def test_the_reason_is_kept_in_the_words_of_the_day(desk: Desk) -> None:
    assert ask(desk, 300).reason_label == "Damaged or faulty"
