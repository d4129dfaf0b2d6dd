"""The simulator by itself, as somebody without the dashboard starts it; and how fast it goes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from lib.simulator.app import create
from lib.simulator.options import PROCESSING_CHANNEL, SECRET_KEY
from tests.simulator.house import House, Receiver, house, options, order, served
from tests.simulator.test_delivery import ROOT, free_port, reachable
from tests.support.waiting import until


def test_it_says_how_to_reach_it_and_keeps_to_its_seed(tmp_path: Path, own: House) -> None:
    port = free_port()
    command = [sys.executable, "-m", "lib.simulator", "--port", str(port)]
    command += ["--database", f"sqlite:///{tmp_path / 'alone.db'}", "--currencies", "2024-07", "--seed", "42"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        try:
            said = [running.stdout.readline() for _ in range(6)]
            assert f"http://127.0.0.1:{port}" in said[0]
            assert SECRET_KEY in said[1]
            assert PROCESSING_CHANNEL in said[2]
            assert "give --webhook" in said[4]
            home = House(f"http://127.0.0.1:{port}", Receiver())
            until(lambda: reachable(home), seconds=30)
            own.begin(42)
            assert home.paid(currency="KRW")["id"] == own.paid(currency="KRW")["id"]
            assert home.post("/payments", order(currency="EUR")).json()["error_codes"] == ["currency_not_supported"]
            home.http.close()
        finally:
            running.terminate()
            assert running.wait(15) is not None


def test_it_can_be_mounted_in_another_server(tmp_path: Path) -> None:
    receiver = Receiver()

    def build(url: str) -> Starlette:
        app = create(options(tmp_path, f"{url}/simulator", f"{url}/hooks"))

        @asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            async with app.running():
                yield

        return Starlette(routes=[Mount("/simulator", app), Mount("/hooks", receiver.app(url))], lifespan=lifespan)

    with served(build) as url:
        home = House(f"{url}/simulator", receiver)
        payment = home.paid(processing={"terminal_type": "WEB"})
        home.refunded(payment, 100)
        home.told("payment_refunded", payment)
        assert home.http.get(home.wallet(payment)).status_code == 200
        slashed = home.http.get(f"{home.wallet(payment)}/", follow_redirects=True)
        assert (slashed.status_code, str(slashed.url)) == (200, home.wallet(payment))
        assert (home.http.get("/nothing").status_code, home.http.get("/nothing").content) == (404, b"")
        home.advance(minutes=1)
        home.http.close()


def test_what_happens_before_it_runs_is_delivered_once_it_does(tmp_path: Path) -> None:
    receiver = Receiver()
    with served(receiver.app) as webhook:
        app = create(options(tmp_path, "http://simulator.test", webhook))
        asyncio.run(app.engine.perform("create", raw=json.dumps(order()), key=None))
        assert not receiver.deliveries
        with TestClient(app):
            until(lambda: receiver.deliveries)
            time.sleep(0.1)
        assert [each["type"] for each in receiver.events()] == ["payment_pending"]


def test_a_wrong_option_is_explained() -> None:
    command = [sys.executable, "-m", "lib.simulator", "--currencies", "all"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "invalid choice" in done.stderr


@contextmanager
def counting() -> Iterator[list[int]]:
    """The work of SQLite in databases opened meanwhile, as the only figure of a list: hundreds of its own instructions."""
    done = [0]

    def tick() -> None:
        done[0] += 1

    def watch(connection: Any, _record: object) -> None:
        connection.set_progress_handler(tick, 100)

    event.listen(Engine, "connect", watch)
    try:
        yield done
    finally:
        event.remove(Engine, "connect", watch)


def test_a_payment_is_no_more_work_for_the_many_before_it(tmp_path: Path) -> None:
    with counting() as done, house(tmp_path) as home:

        def work(payments: int) -> int:
            """What so many payments and their deliveries come to."""
            before, told = done[0], len(home.receiver.deliveries) + 3 * payments
            for number in range(payments):
                home.paid(reference=f"WORK-{told}-{number}")
            until(lambda: len(home.receiver.deliveries) == told)
            return done[0] - before

        first = work(20)
        work(100)
        assert 0 < work(20) <= 1.1 * first
