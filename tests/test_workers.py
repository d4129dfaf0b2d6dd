"""What goes on beside the screens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import stamina

from lib import workers
from lib.checkout.client import CheckoutClient
from lib.ledger import payments, queries, refunds, watchdog
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.drafts import PaymentDraft
from lib.ledger.record import record
from lib.ledger.search import index_waiting
from lib.money import Money
from lib.operators import Operator
from lib.settings import Settings
from lib.simulator.app import create
from lib.simulator.options import SECRET_KEY, Options
from lib.workers import Workers
from tests.simulator.house import House, Receiver, served
from tests.support import databases
from tests.support.events import created

ANA = Operator("Ana")
SETTINGS = Settings(_env_file=None, checkout_timeout_seconds=1)  # type: ignore[call-arg]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(databases.sqlite(tmp_path / "ledger.db"))
    yield database
    database.close()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(workers, "_BUSY_PAUSE_SECONDS", 0.02)
    impatient = replace(watchdog.RULES["first_event"], patience=timedelta(0), ask_least=timedelta(milliseconds=50))
    monkeypatch.setitem(watchdog.RULES, "first_event", impatient)  # type: ignore[arg-type]


def work(desk: Desk, until: Callable[[Workers], bool]) -> dict[str, Any]:
    """Let the workers work until something is so; what they then say of themselves."""

    async def run() -> dict[str, Any]:
        staff = Workers(desk)
        async with staff.running(), asyncio.timeout(30):
            while not await asyncio.to_thread(until, staff):
                await asyncio.sleep(0.02)
            return staff.describe()

    return asyncio.run(run())


def test_where_no_webhook_arrives_everything_is_found_out_by_itself(database: Database, tmp_path: Path) -> None:
    """Created, paid, refunded, with a first answer that was lost: nobody tells us of any of it, and nobody asks for it."""
    options: dict[str, Any] = {"database_url": f"sqlite:///{tmp_path / 's.db'}", "refund_seconds": 0}
    with served(lambda url: create(Options(base_url=url, secret_keys=(SECRET_KEY,), **options))) as url:
        house = House(url, Receiver())
        client = CheckoutClient(base_url=url, secret_key=SECRET_KEY, timeout=1)
        desk = Desk(SETTINGS, database, client, "http://desk")
        house.faults(timeout_after={"seconds": 3, "times": 3})
        draft = PaymentDraft(
            "11.00", "HKD", "ORD-1", success_url="https://shop.example/y", failure_url="https://shop.example/n"
        )
        assert payments.request_payment(desk, ANA, draft, key="key-1").status == "sending"
        house.faults()

        def status(*wanted: str) -> Callable[[Workers], bool]:
            def found(_: Workers) -> bool:
                rows = queries.find_payments(database, queries.PaymentFilter()).rows
                return [row.status for row in rows] == list(wanted)

            return found

        work(desk, status("Pending"))
        [payment] = queries.find_payments(database, queries.PaymentFilter()).rows
        house.decide({"_links": {"redirect": {"href": payment.redirect_url}}}, "pay")
        assert work(desk, status("Captured"))["status"] == "ok"
        refunds.request_refund(
            desk,
            ANA,
            payment.id,
            Money(300, "HKD"),
            key="key-2",
            drawn_with=Money(1100, "HKD"),
            reason="damaged",
        )
        work(desk, status("Partially Refunded"))
        assert [row.status for row in queries.refunds_of(database, payment.id)] == ["refunded"]
        said = work(desk, lambda staff: bool(staff.describe()["watchdog"]["last_round"]))
        assert said["watchdog"]["status"] == "ok"
        house.http.close()
        client.close()


def test_while_checkout_is_out_of_reach_they_say_so_and_ask_less_and_less(database: Database) -> None:
    record(database, [fact for number in range(20) for fact in created(f"pay_{number}", 100, number)])
    asked = 0

    def refuse(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return httpx.Response(503)

    client = CheckoutClient(
        base_url="http://checkout", secret_key="k", timeout=1, transport=httpx.MockTransport(refuse)
    )
    desk = Desk(SETTINGS, database, client, "http://desk")
    with stamina.set_testing(True, attempts=1):
        said = work(desk, lambda staff: staff._asking.pause >= 0.3)
    assert said["status"] == "ok"
    assert said["watchdog"]["status"].startswith("Checkout.com")
    assert asked <= 7
    client.close()


def test_a_broken_store_is_said_and_outlived(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    client = CheckoutClient(
        base_url="http://checkout", secret_key="k", transport=httpx.MockTransport(lambda _: httpx.Response(404))
    )
    desk = Desk(SETTINGS, database, client, "http://desk")

    def fail(*_: Any, **__: Any) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(workers, "resume_creations", fail)
        said = work(desk, lambda staff: staff.describe()["status"] != "ok")
        assert said["status"] == "OSError while finishing open payments and refunds"
        assert said["last_round"]
    assert work(desk, lambda staff: bool(staff.describe()["last_round"]))["status"] == "ok"
    client.close()


def test_a_round_of_indexing_ends_after_its_time_and_the_next_goes_on(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each handful takes a quarter of the time that a round has, on a clock that nothing else moves."""
    record(database, [fact for number in range(150) for fact in created(f"pay_{number}", 100, number)])
    now = 0.0
    done: list[str] = []

    def index(database: Database, *, spare: int) -> int:
        nonlocal now
        now += workers._INDEXING_SECONDS / 4
        indexed = index_waiting(database, spare=spare)
        done.append("a handful" if indexed else "none left")
        return indexed

    def compare(*_: Any) -> bool:
        done.append("the rest of the round")
        return False

    monkeypatch.setattr(workers, "index_waiting", index)
    monkeypatch.setattr(workers, "compare_again", compare)
    client = CheckoutClient(
        base_url="http://checkout", secret_key="k", transport=httpx.MockTransport(lambda _: httpx.Response(404))
    )
    desk = Desk(SETTINGS, database, client, "http://desk")

    async def run() -> None:
        async with Workers(desk, clock=lambda: now).running(), asyncio.timeout(30):
            while len(done) < 6:
                await asyncio.sleep(0.02)

    asyncio.run(run())
    assert done[:6] == [*["a handful"] * 4, "the rest of the round", "a handful"]
    client.close()
