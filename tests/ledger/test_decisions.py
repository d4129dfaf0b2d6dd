"""A second person's yes or no, a change of mind, a deadline, a hold: of all that happens at once exactly one holds."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from lib.ledger import decisions, queries, rebuild, sending
from lib.ledger.audit import AUDIT
from lib.ledger.database import Database
from lib.ledger.decisions import OwnRefund, TooLate
from lib.ledger.desk import Desk
from lib.ledger.record import REFUND, record
from lib.ledger.refund_rules import ExceedsRefundable, RefundProblem
from lib.ledger.refunds import request_refund
from lib.ledger.tables import Refund
from lib.money import Money
from lib.operators import NotAllowed, Operator, Role
from tests.support.databases import on_both
from tests.support.events import balances, webhook
from tests.support.provider import Provider, captured_desk

LIMITS = "support HKD 2, approver HKD 5"
LATER = timedelta(days=30)


def person(name: str, *roles: Role) -> Operator:
    return Operator(name, frozenset(roles))


ANA, EVA = person("Ana", "support"), person("Eva", "support")
BEN, CHO = person("Ben", "approver"), person("Cho", "approver")


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def desk(database: Database, provider: Provider) -> Iterator[Desk]:
    with captured_desk(database, provider, refund_limits=LIMITS) as desk:
        yield desk


@pytest.fixture
def holding(database: Database, provider: Provider) -> Iterator[Desk]:
    """A desk that keeps refunds back for a minute."""
    with captured_desk(database, provider, refund_limits=LIMITS, refund_hold_seconds=60) as desk:
        yield desk


def left(desk: Desk, payment_id: str = "pay_1") -> Money:
    payment = queries.find_payment(desk.database, payment_id)
    assert payment is not None
    return payment.refundable


def ask(desk: Desk, amount: int, by: Operator = ANA, payment_id: str = "pay_1") -> Refund:
    how: dict[str, Any] = {"key": str(uuid.uuid4()), "drawn_with": left(desk, payment_id), "reason": "goodwill"}
    return request_refund(desk, by, payment_id, Money(amount, "HKD"), **how)


def now(desk: Desk, refund: Refund) -> Refund:
    found = queries.find_refund(desk.database, refund.key)
    assert found is not None
    return found


def end_hold(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time goes by: for sending, it is later than any hold lasts."""

    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(minutes=10)

    monkeypatch.setattr(sending, "datetime", Later)


def test_up_to_the_limit_it_is_sent_and_above_it_waits(desk: Desk, provider: Provider) -> None:
    assert ask(desk, 200).status == "pending"
    waiting = ask(desk, 300, EVA)
    assert (waiting.status, waiting.approval_limit, provider.calls) == ("awaiting_approval", 200, 1)
    assert left(desk).minor == 500, "what waits is reserved"
    with pytest.raises(ExceedsRefundable):
        ask(desk, 600, CHO)
    assert [refund.key for refund in decisions.waiting(desk.database)] == [waiting.key]


def test_a_limit_cannot_be_dodged_by_splitting(desk: Desk) -> None:
    assert ask(desk, 150).status == "pending"
    assert ask(desk, 51).status == "awaiting_approval"
    assert ask(desk, 50).status == "pending"
    assert ask(desk, 150, EVA).status == "pending", "somebody else's are somebody else's"


def test_a_refund_in_another_currency_is_not_added_to_a_limit(desk: Desk) -> None:
    refund = ask(desk, 150)
    told = webhook("payment_refund_pending", 5, 60, amount=150, currency="KRW", action_id=refund.action_id)
    record(desk.database, [told])
    assert now(desk, refund).money == Money(150, "KRW")
    assert ask(desk, 60).status == "pending"


def test_what_gave_its_amount_back_or_was_approved_does_not_count(desk: Desk, provider: Provider) -> None:
    big = ask(desk, 300)
    decisions.approve(desk, BEN, big.key)
    asked_once = ask(desk, 200)
    assert asked_once.action_id
    declined = webhook("payment_refund_declined", 5, 60, amount=200, action_id=asked_once.action_id)
    record(desk.database, [declined])
    assert ask(desk, 200).status == "pending"


def test_one_more_role_never_lifts_a_limit(desk: Desk) -> None:
    assert ask(desk, 201, person("Ana", "support", "approver", "admin")).status == "awaiting_approval"
    assert ask(desk, 400, person("Dan", "approver")).status == "pending"


def test_who_may_not_refund_or_approve_is_told(desk: Desk) -> None:
    with pytest.raises(NotAllowed, match="may not refund"):
        ask(desk, 100, person("Fin", "finance"))
    refund = ask(desk, 300)
    for act in (
        lambda: decisions.approve(desk, EVA, refund.key),
        lambda: decisions.reject(desk, EVA, refund.key, "no"),
    ):
        with pytest.raises(NotAllowed, match="may not approve refunds"):
            act()
    with pytest.raises(NotAllowed):
        decisions.cancel(desk, person("Fin", "finance"), refund.key)


@on_both
def test_another_person_approves_and_it_is_sent_once(desk: Desk, provider: Provider) -> None:
    refund = ask(desk, 300)
    approved = decisions.approve(desk, BEN, refund.key)
    assert (approved.status, approved.approved_by, len(provider.refunds)) == ("pending", "Ben", 1)
    with pytest.raises(TooLate, match=r"Ben approved it on .* HKT; it is on its way"):
        decisions.approve(desk, CHO, refund.key)
    with pytest.raises(TooLate):
        decisions.cancel(desk, ANA, refund.key)
    assert provider.calls == 1


@pytest.mark.parametrize("roles", [("support",), ("approver",), ("support", "approver", "admin")])
def test_nobody_approves_their_own_whatever_their_roles_became(desk: Desk, roles: tuple[Role, ...]) -> None:
    refund = ask(desk, 300)
    with pytest.raises((OwnRefund, NotAllowed)):
        decisions.approve(desk, person("Ana", *roles), refund.key)
    assert now(desk, refund).status == "awaiting_approval"


@on_both
def test_the_database_itself_refuses_an_approval_by_the_requester(desk: Desk) -> None:
    refund = ask(desk, 300)
    with pytest.raises(IntegrityError), desk.database.write() as connection:
        connection.execute(update(REFUND).where(REFUND.c.key == refund.key).values(approved_by="Ana"))


def test_a_rejection_says_why_and_gives_the_amount_back(desk: Desk, provider: Provider) -> None:
    refund = ask(desk, 300)
    with pytest.raises(RefundProblem, match="Say why"):
        decisions.reject(desk, BEN, refund.key, "  ")
    rejected = decisions.reject(desk, BEN, refund.key, "No receipt")
    assert (rejected.status, rejected.ended_as, rejected.ended_by, rejected.ended_why) == (
        "cancelled",
        "rejected",
        "Ben",
        "No receipt",
    )
    assert (left(desk).minor, provider.calls) == (1000, 0)


@on_both
def test_what_waits_too_long_is_given_back(desk: Desk, provider: Provider) -> None:
    refund = ask(desk, 300)
    assert decisions.expire_waiting(desk, datetime.now(UTC)) == 0
    assert decisions.expire_waiting(desk, datetime.now(UTC) + LATER) == 1
    assert (now(desk, refund).ended_as, left(desk).minor, provider.calls) == ("lapsed", 1000, 0)
    with pytest.raises(TooLate, match="Nobody approved it in time"):
        decisions.approve(desk, BEN, refund.key)
    assert decisions.expire_waiting(desk, datetime.now(UTC) + LATER) == 0


def test_a_held_refund_is_kept_back_and_can_be_cancelled(holding: Desk, provider: Provider) -> None:
    refund = ask(holding, 100)
    assert (refund.status, refund.cancellable, left(holding).minor) == ("submitting", True, 900)
    later = datetime.now(UTC) + timedelta(seconds=1)
    sending.resume_refunds(holding, older_than=later)
    assert sending.release_due(holding, later) == 0
    cancelled = decisions.cancel(holding, EVA, refund.key)
    assert (cancelled.status, cancelled.ended_by, left(holding).minor) == ("cancelled", "Eva", 1000)
    sending.release(holding, refund.key)
    sending.resume_refunds(holding, older_than=datetime.now(UTC) + LATER)
    assert provider.calls == 0


@on_both
def test_a_held_refund_goes_out_once_its_time_is_up(
    holding: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund = ask(holding, 100)
    end_hold(holding, monkeypatch)
    assert sending.release_due(holding, datetime.now(UTC) + timedelta(minutes=2)) == 1
    assert (now(holding, refund).status, provider.calls) == ("pending", 1)
    with pytest.raises(TooLate, match="sent already"):
        decisions.cancel(holding, ANA, refund.key)
    assert sending.release_due(holding, datetime.now(UTC) + timedelta(minutes=2)) == 0


def test_an_approved_refund_is_held_too(holding: Desk, provider: Provider) -> None:
    approved = decisions.approve(holding, BEN, ask(holding, 300).key)
    assert (approved.status, approved.cancellable, provider.calls) == ("submitting", True, 0)
    assert decisions.cancel(holding, ANA, approved.key).status == "cancelled"


def test_a_crash_between_release_and_call_loses_nothing(
    holding: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund = ask(holding, 100)
    end_hold(holding, monkeypatch)
    with monkeypatch.context() as crash:
        crash.setattr(sending, "submit", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            sending.release(holding, refund.key)
    assert (now(holding, refund).status, provider.calls) == ("submitting", 0)
    with pytest.raises(TooLate):
        decisions.cancel(holding, ANA, refund.key)
    assert sending.resume_refunds(holding, older_than=datetime.now(UTC) + timedelta(hours=1)) == 1
    assert (now(holding, refund).status, len(provider.refunds)) == ("pending", 1)


def test_every_human_step_is_in_the_audit_log(desk: Desk) -> None:
    decisions.approve(desk, BEN, ask(desk, 300).key)
    decisions.reject(desk, BEN, ask(desk, 201).key, "no")
    decisions.cancel(desk, ANA, ask(desk, 201).key)
    with desk.database.read() as connection:
        found = connection.execute(select(AUDIT.c.who, AUDIT.c.action).order_by(AUDIT.c.seq)).all()
    assert [tuple(row) for row in found] == [
        ("Ana", "refund.requested"),
        ("Ben", "refund.approved"),
        ("Ana", "refund.requested"),
        ("Ben", "refund.rejected"),
        ("Ana", "refund.requested"),
        ("Ana", "refund.cancelled"),
    ]


def races(desk: Desk, provider: Provider, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refund after refund, everything that can be done about it is done at once; one thing happens, whatever it is."""
    end_hold(desk, monkeypatch)
    held = bool(desk.settings.refund_hold_seconds)
    ended_as: Counter[str] = Counter()
    for number in range(count):
        payment_id = f"pay_race{number}"
        told = balances(1000, 0)
        record(desk.database, [webhook("payment_captured", f"r{number}", 0, payment_id, amount=1000, balances=told)])
        refund = ask(desk, 100 if held else 300, payment_id=payment_id)
        sent_before = len(provider.refunds)
        tries: list[Callable[[], object]] = [
            lambda key=refund.key: decisions.cancel(desk, ANA, key),
            lambda key=refund.key: sending.release(desk, key),
            lambda key=refund.key: sending.release(desk, key),
        ]
        if not held:
            tries = [
                lambda key=refund.key: decisions.approve(desk, BEN, key),
                lambda key=refund.key: decisions.approve(desk, CHO, key),
                lambda key=refund.key: decisions.reject(desk, BEN, key, "no"),
                lambda key=refund.key: decisions.cancel(desk, ANA, key),
                lambda key=refund.key: decisions.expire_waiting(desk, datetime.now(UTC) + LATER),
            ]
        together = threading.Barrier(len(tries))

        def attempt(act: Callable[[], object], together: threading.Barrier = together) -> bool:
            together.wait(20)
            try:
                act()
            except TooLate:
                return False
            return True

        tries = tries[number % len(tries) :] + tries[: number % len(tries)]
        with ThreadPoolExecutor(len(tries)) as pool:
            list(pool.map(attempt, tries))
        became = now(desk, refund)
        sent = len(provider.refunds) - sent_before
        assert sent == (became.status == "pending"), became
        assert became.status in ("pending", "cancelled")
        kinds = {fact.type for fact in queries.facts_of(desk.database, payment_id)}
        decided = kinds & {f"refund_{word}" for word in ("approved", "rejected", "cancelled", "lapsed", "released")}
        assert len(decided) == 1, decided
        assert left(desk, payment_id).minor == 1000 - (became.amount if sent else 0)
        ended_as[became.ended_as or "sent"] += 1
    assert rebuild.compare(desk.database).differing == 0
    if count >= 50:
        assert len(ended_as) > 1, ended_as


@on_both
def test_of_decisions_at_once_one_holds(desk: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    races(desk, provider, 6, monkeypatch)


@on_both
def test_of_cancelling_and_sending_at_once_one_holds(
    holding: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    races(holding, provider, 6, monkeypatch)


@on_both
@pytest.mark.soak
def test_of_a_hundred_decisions_at_once_one_holds(
    desk: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    races(desk, provider, 100, monkeypatch)


@on_both
@pytest.mark.soak
def test_of_a_hundred_cancellations_and_sendings_at_once_one_holds(
    holding: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    races(holding, provider, 100, monkeypatch)
