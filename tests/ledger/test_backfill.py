"""Asking Checkout.com for what no webhook told: soon, in order, and not more than it bears."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina
from sqlalchemy import text

from lib.checkout.client import CheckoutClient
from lib.checkout.models import Balances, PaymentDetails
from lib.ledger import backfill, payments, queries, rebuild, refunds, watchdog
from lib.ledger.backfill import A_ROUND, Backfilling, agrees, backfill_state, next_asking
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.drafts import PaymentDraft
from lib.ledger.facts import from_webhook
from lib.ledger.record import record
from lib.ledger.tables import Payment
from lib.ledger.watchdog import Expectation
from lib.money import Money
from lib.operators import Operator
from lib.settings import Settings
from lib.simulator.app import create
from lib.simulator.options import SECRET_KEY, Options
from tests.simulator.house import House, Receiver, served
from tests.support.events import balances, event, webhook
from tests.support.provider import desk_with

ANA = Operator("Ana")
SETTINGS = Settings(_env_file=None)  # type: ignore[call-arg]
NOW = datetime.now(UTC)


class Provider:
    """Knows no payment unless told; counts what it is asked."""

    def __init__(self) -> None:
        self.details: dict[str, dict[str, Any]] = {}
        self.asked: Counter[str] = Counter()
        self.status = 404

    def __call__(self, request: httpx.Request) -> httpx.Response:
        _, kind, payment_id, *rest = request.url.path.split("/")
        if kind == "payments" and not rest:
            self.asked[payment_id] += 1
        if payment_id not in self.details or kind != "payments":
            return httpx.Response(self.status)
        return httpx.Response(200, json=[] if rest else {"id": payment_id, **self.details[payment_id]})


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def desk(database: Database, provider: Provider) -> Iterator[Desk]:
    with stamina.set_testing(True, attempts=1), desk_with(database, provider) as desk:
        yield desk


def pending(number: int, ago: timedelta) -> Any:
    """A payment that a webhook told us of so long ago."""
    raw = event("payment_pending", number, NOW - ago, id=f"pay_{number}", currency="HKD", amount=100)
    return from_webhook(raw, NOW - ago)


def rounds(asking: Backfilling, count: int) -> list[backfill.Round]:
    done = [asking.round() for _ in range(count)]
    assert all(each is not None for each in done)
    return [each for each in done if each]


def later(database: Database, gap: timedelta) -> None:
    """Let everything on watch be due so much earlier."""
    with database.write() as connection:
        for row in connection.execute(text("SELECT payment_id, next_at FROM watch")).mappings().all():
            moved = row["next_at"] if isinstance(row["next_at"], datetime) else datetime.fromisoformat(row["next_at"])
            connection.execute(
                backfill.WATCH.update()
                .where(backfill.WATCH.c.payment_id == row["payment_id"])
                .values(next_at=moved - gap)
            )


def watched(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {row.payment_id: row.tries for row in connection.execute(text("SELECT payment_id, tries FROM watch"))}


def test_an_overdue_payment_is_asked_about_until_it_is_decided(desk: Desk, provider: Provider) -> None:
    record(desk.database, [pending(1, timedelta(hours=2))])
    provider.details["pay_1"] = {"status": "Pending", "amount": 100, "currency": "HKD"}
    asking = Backfilling(desk)
    first = rounds(asking, 1)[0]
    assert (first.asked, first.found, watched(desk.database)) == (1, 2, {"pay_1": 1})
    provider.details["pay_1"]["status"] = "Expired"
    later(desk.database, timedelta(hours=2))
    assert rounds(asking, 1)[0].found == 1
    payment = queries.find_payment(desk.database, "pay_1")
    assert payment is not None
    assert (payment.status, watched(desk.database)) == ("Expired", {})
    state = backfill_state(desk.database)
    assert (state.asked, state.found, state.problem) == (1, 1, None)
    assert state.round_at is not None


def test_asking_keeps_its_pace_and_its_gaps_grow(desk: Desk, provider: Provider) -> None:
    record(desk.database, [pending(n, timedelta(hours=n)) for n in range(1, 3 * A_ROUND)])
    asking = Backfilling(desk)
    assert [done.asked for done in rounds(asking, 4)] == [A_ROUND, A_ROUND, A_ROUND - 1, 0]
    everybody = {f"pay_{n}": 1 for n in range(1, 3 * A_ROUND)}
    assert watched(desk.database) == provider.asked == everybody
    later(desk.database, timedelta(seconds=20))
    assert rounds(asking, 1)[0].asked == 0
    later(desk.database, timedelta(days=1))
    rounds(asking, 3)
    later(desk.database, timedelta(seconds=70))
    assert rounds(asking, 1)[0].asked == 0


def test_the_newest_trouble_comes_first_and_the_old_does_not_starve(desk: Desk, provider: Provider) -> None:
    """Dozens that Checkout.com does not know stand in the way of nobody."""
    record(desk.database, [pending(n, timedelta(days=3, minutes=n)) for n in range(100, 150)])
    asking = Backfilling(desk)
    rounds(asking, 50 // A_ROUND + 1)
    assert len(watched(desk.database)) == 50
    later(desk.database, timedelta(days=1))
    fresh = [pending(n, timedelta(hours=1, minutes=n)) for n in range(3 * A_ROUND)]
    record(desk.database, fresh)
    provider.asked.clear()
    rounds(asking, 2)
    asked = list(provider.asked)
    assert asked[0] == "pay_0"
    assert sum(payment_id in {f"pay_{n}" for n in range(3 * A_ROUND)} for payment_id in asked) == A_ROUND
    assert sum(int(payment_id[4:]) >= 100 for payment_id in asked) == A_ROUND


def test_a_webhook_meanwhile_spares_the_asking(desk: Desk, provider: Provider) -> None:
    record(desk.database, [pending(1, timedelta(hours=2))])
    asking = Backfilling(desk)
    rounds(asking, 1)
    assert watched(desk.database) == {"pay_1": 1}
    with desk.database.write() as connection:
        connection.execute(backfill.WATCH.update().values(problem=None))
    record(desk.database, [webhook("payment_expired", 5, 1, "pay_1", amount=100)])
    later(desk.database, timedelta(days=1))
    provider.asked.clear()
    assert rounds(asking, 1)[0].asked == 0
    assert (watched(desk.database), provider.asked) == ({}, Counter())


def test_when_checkout_is_out_of_reach_a_round_ends_and_nobody_is_forgotten(desk: Desk, provider: Provider) -> None:
    record(desk.database, [pending(n, timedelta(hours=n)) for n in range(1, 4)])
    provider.status = 502
    asking = Backfilling(desk)
    done = rounds(asking, 1)[0]
    assert (done.asked, done.problem is not None, provider.asked.total()) == (0, True, 1)
    assert backfill_state(desk.database).problem == done.problem
    provider.status = 404
    provider.details = {f"pay_{n}": {"status": "Expired"} for n in range(1, 4)}
    later(desk.database, timedelta(minutes=5))
    rounds(asking, 2)
    statuses = {row.status for row in queries.find_payments(desk.database, queries.PaymentFilter()).rows}
    assert statuses == {"Expired"}


def test_of_two_processes_one_asks_and_the_other_takes_over(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Backfilling(desk), Backfilling(desk)
    assert first.round() is not None
    assert second.round() is None
    first.release()
    assert second.round() is not None
    assert first.round() is None
    monkeypatch.setattr(backfill, "_HOLD", timedelta(0))
    with desk.database.write() as connection:  # the second was killed some time ago
        connection.execute(backfill.BACKFILL.update().values(held_until=datetime.now(UTC) - timedelta(seconds=1)))
    assert first.round() is not None


def captured(number: int, ago: timedelta, refunded: int = 0) -> list[Any]:
    told = []
    for kind, more in (("payment_captured", 0), ("payment_refunded", refunded)):
        if kind == "payment_captured" or refunded:
            raw = event(
                kind,
                f"{number}{kind[-1]}{more}",
                NOW - ago,
                id=f"pay_{number}",
                currency="HKD",
                amount=more or 1000,
                action_id=f"act_{number}{kind}",
                balances=balances(1000, more),
            )
            told.append(from_webhook(raw, NOW - ago))
    return told


def test_a_patrol_finds_what_changed_while_nothing_could_reach_us(desk: Desk, provider: Provider) -> None:
    """A refund made elsewhere during an outage that outlasted every retry: no state here says that it is overdue."""
    for n in range(1, 11):
        record(desk.database, captured(n, timedelta(hours=n), refunded=1000 if n == 2 else 0))
        provider.details[f"pay_{n}"] = {"status": "Captured", "balances": balances(1000, 0)}
    provider.details["pay_7"] = {"status": "Partially Refunded", "balances": balances(1000, 300)}
    asking = Backfilling(desk)
    found = sum(done.found for done in rounds(asking, 4))
    assert found == 2
    payment = queries.find_payment(desk.database, "pay_7")
    assert payment is not None
    assert (payment.refunded, payment.attention) == (300, "missing_facts")
    assert list(provider.asked)[:3] == ["pay_1", "pay_3", "pay_4"]
    state = backfill_state(desk.database)
    assert (state.patrol_asked, state.patrol_ended_at is not None) == (9, True)
    provider.asked.clear()
    later(desk.database, timedelta(0))
    assert sum(done.asked for done in rounds(asking, 2)) == 0


def test_a_patrol_goes_on_after_a_restart_and_begins_again_for_it(desk: Desk, provider: Provider) -> None:
    for n in range(1, 2 * A_ROUND + 1):
        record(desk.database, captured(n, timedelta(hours=n)))
        provider.details[f"pay_{n}"] = {"status": "Captured", "balances": balances(1000, 0)}
    first = Backfilling(desk)
    rounds(first, 1)
    first.release()
    asked = set(provider.asked)
    assert len(asked) == A_ROUND
    rounds(Backfilling(desk), 5)
    assert set(provider.asked.values()) == {2} or provider.asked["pay_1"] == 2
    assert all(provider.asked[payment_id] for payment_id in provider.details)


def test_a_patrol_follows_a_day_of_silence_and_no_day_with_webhooks(desk: Desk, provider: Provider) -> None:
    record(desk.database, captured(1, timedelta(hours=50)))
    provider.details["pay_1"] = {"status": "Captured", "balances": balances(1000, 0)}
    asking = Backfilling(desk)
    rounds(asking, 3)
    asking._began -= timedelta(days=3)
    long_ago = datetime.now(UTC) - timedelta(days=2)

    def tell(received_at: datetime) -> None:
        with desk.database.write() as connection:
            connection.execute(backfill.BACKFILL.update().values(patrol_began_at=long_ago))
            delivery = {"verdict": "accepted", "reason": "", "size": 1, "received_at": received_at}
            connection.execute(backfill.DELIVERY.insert().values(**delivery))
        provider.asked.clear()

    tell(datetime.now(UTC) - timedelta(hours=29))
    rounds(asking, 1)
    assert provider.asked.total() == 0
    with desk.database.write() as connection:
        connection.execute(text("DELETE FROM delivery"))
    tell(datetime.now(UTC) - timedelta(hours=31))
    rounds(asking, 1)
    assert provider.asked.total() == 1


@pytest.mark.parametrize(
    ("details", "same"),
    [
        ({"status": "Captured", "balances": Balances(total_captured=1000, total_refunded=0)}, True),
        ({"status": "Captured", "balances": Balances(total_captured=1000, available_to_refund=1000)}, True),
        ({"status": "Captured", "balances": Balances(total_captured=1000, available_to_refund=700)}, False),
        ({"status": "Partially Refunded", "balances": Balances(total_captured=1000, total_refunded=5)}, False),
        ({"status": "Captured"}, True),
        ({"status": "Refunded"}, False),
    ],
)
def test_totals_are_compared(details: dict[str, Any], same: bool) -> None:
    payment = Payment(id="pay_1", currency="HKD", status="Captured", captured=1000)
    assert agrees(payment, PaymentDetails(id="pay_1", **details)) == same


def test_gaps_grow_with_age_and_end_at_the_longest() -> None:
    rule = watchdog.RULES["decision"]
    gaps = [
        next_asking([Expectation("p", "decision", NOW - age)], NOW, 1, failed=False) - NOW
        for age in (timedelta(seconds=1), timedelta(minutes=10), timedelta(days=5))
    ]
    assert gaps == [rule.ask_least, timedelta(minutes=5), rule.ask_most]
    due = [Expectation("p", "decision", NOW + timedelta(minutes=3))]
    assert next_asking(due, NOW, 1, failed=False) == due[0].due
    assert next_asking([], NOW, 1, failed=True) < next_asking([], NOW, 3, failed=True)


def test_after_an_outage_of_any_length_the_ledger_converges(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real client against the real simulator, which delivers nothing: payments decided and refunded unheard."""
    impatient = replace(watchdog.RULES["first_event"], patience=timedelta(0))
    monkeypatch.setitem(watchdog.RULES, "first_event", impatient)  # type: ignore[arg-type]
    options: dict[str, Any] = {"database_url": f"sqlite:///{tmp_path / 's.db'}", "refund_seconds": 0}
    with served(lambda url: create(Options(base_url=url, secret_keys=(SECRET_KEY,), **options))) as url:
        house = House(url, Receiver())
        client = CheckoutClient(base_url=url, secret_key=SECRET_KEY, timeout=10)
        desk = Desk(SETTINGS, database, client, "http://desk")
        made = []
        for decision in ("pay", "pay", "pay", "decline", "cancel", None):
            draft = PaymentDraft(
                amount="10.00",
                currency="HKD",
                reference="ORD-1",
                success_url="https://shop.example/ok",
                failure_url="https://shop.example/no",
                customer_email="ana@example.com",
            )
            creation = payments.request_payment(desk, ANA, draft, key=payments.new_key())
            assert creation.payment_id
            made.append(creation.payment_id)
            if decision:
                payment = {"_links": {"redirect": {"href": queries.find_payment(database, made[-1]).redirect_url}}}  # type: ignore[union-attr]
                house.decide(payment, decision)
        asking = Backfilling(desk)
        _converge(asking, house, database, made)
        ours, elsewhere, _ = ({"id": payment_id} for payment_id in made[:3])
        refund = refunds.request_refund(
            desk,
            ANA,
            ours["id"],
            Money(300, "HKD"),
            key="key-1",
            drawn_with=Money(1000, "HKD"),
            reason="damaged",
        )
        assert refund.status == "pending"
        house.refunded(elsewhere, 1000)
        house.advance(days=3)
        asking.release()
        _converge(Backfilling(desk), house, database, made)
        assert [row.status for row in queries.refunds_of(database, ours["id"])] == ["refunded"]
        assert rebuild.compare(database).differing == 0
        assert watchdog.overdue(database, datetime.now(UTC) + timedelta(hours=1)) == []
        client.close()
        house.http.close()


def _converge(asking: Backfilling, house: House, database: Database, made: list[str]) -> None:
    """Rounds until the ledger says what the simulator says, each as if the gap before it had passed."""
    for _ in range(40):
        asking.round()
        later(database, timedelta(seconds=70))
        if all(_agree(house, database, payment_id) for payment_id in made):
            return
    raise AssertionError([(queries.find_payment(database, each), house.details({"id": each})) for each in made])


def _agree(house: House, database: Database, payment_id: str) -> bool:
    ours, theirs = queries.find_payment(database, payment_id), house.details({"id": payment_id})
    assert ours
    totals = theirs.get("balances", {})
    return (ours.status, ours.captured, ours.refunded) == (
        theirs["status"],
        totals.get("total_captured", 0),
        totals.get("total_refunded", 0),
    )
