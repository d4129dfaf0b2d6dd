"""Kill -9 between the click on *Refund* and its answer, at any line of our code and at any instant: one refund, one row."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lib.ledger import queries, rebuild
from lib.ledger.database import Database
from lib.ledger.record import record
from lib.simulator.options import SECRET_KEY
from tests.simulator.house import House
from tests.support import databases
from tests.support.events import balances, webhook
from tests.support.server import ROOT

SEED = 20261014


class Dashboard:
    """The process that is killed, and killed again; see `clicking`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def click(self, payment: dict[str, Any], *, lines: int = -1, seconds: float = -1) -> int | None:
        """Ask for a payment's refund. How many lines of our code that took, None if it was killed on the way."""
        return self._ask(f"click {payment['id']} key-{payment['id']} {lines} {seconds}")

    def restart(self) -> None:
        """What a server does first when it is started again."""
        assert self._ask("resume") is not None

    def _ask(self, command: str) -> int | None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        word, _, lines = self._process.stdout.readline().partition(" ")
        assert word.strip() in ("done", "killed"), "the dashboard's process ended"
        return int(lines) if word == "done" else None


@contextmanager
def dashboard(database: Database, simulator: str) -> Iterator[Dashboard]:
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.crash.clicking", url, simulator, SECRET_KEY]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Dashboard(process)
        assert process.stdin
        process.stdin.close()


@pytest.fixture(params=databases.BACKENDS)
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with databases.fresh(str(request.param), tmp_path_factory) as database:
        yield database


def captured(house: House, database: Database) -> dict[str, Any]:
    """A payment that is captured at the simulator and here."""
    payment = house.paid(amount=1000)
    told = balances(1000, 0)
    fact = webhook("payment_captured", payment["id"], 0, payment["id"], amount=1000, action_id="c", balances=told)
    record(database, [fact])
    return payment


def refunds_here(house: House, database: Database, payment: dict[str, Any]) -> int:
    """How many refunds there are of a payment, the same at the provider and here, each with its answer.

    A click that was killed before anything was written has left nothing on either side.
    """
    there = [action["amount"] for action in house.actions(payment) if action["type"] == "Refund"]
    rows = queries.refunds_of(database, payment["id"])
    assert [row.amount for row in rows] == there
    assert [row.status for row in rows] == ["pending"] * len(rows)
    return len(rows)


def killed_at_lines(house: House, database: Database, count: int) -> None:
    chance = random.Random(SEED)
    with dashboard(database, house.url) as desk:
        lines = desk.click(captured(house, database))
        assert lines
        found = []
        for place in range(count):
            payment = captured(house, database)
            assert desk.click(payment, lines=lines * place // count) is None
            again = chance.random() < 0.3
            if again:
                desk.click(payment)  # the person reloads the page, which sends the form again
            desk.restart()
            found.append(refunds_here(house, database, payment))
            assert found[-1] or not again
    assert set(found) == {0, 1}
    assert found[-1] == 1, "no kill came after the intent was written"
    assert rebuild.compare(database).differing == 0


def killed_at_instants(house: House, database: Database, count: int) -> None:
    chance = random.Random(SEED)
    killed = 0
    with dashboard(database, house.url) as desk:
        for _ in range(count):
            payment = captured(house, database)
            if chance.random() < 0.5:
                house.faults(slow_answer={"seconds": 0.1})
            killed += desk.click(payment, seconds=chance.uniform(0.01, 0.25)) is None
            house.faults()
            desk.restart()
            assert refunds_here(house, database, payment) <= 1
    assert killed, "no click was under way at any kill"
    assert rebuild.compare(database).differing == 0


def test_a_click_killed_at_any_line_is_one_refund(house: House, database: Database) -> None:
    killed_at_lines(house, database, 4)


def test_a_click_killed_at_any_instant_is_one_refund(house: House, database: Database) -> None:
    killed_at_instants(house, database, 2)


@pytest.mark.soak
def test_a_click_killed_at_hundreds_of_lines(house: House, database: Database) -> None:
    killed_at_lines(house, database, 120)


@pytest.mark.soak
def test_a_click_killed_at_many_instants(house: House, database: Database) -> None:
    killed_at_instants(house, database, 60)
