"""Many processes on one payment."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lib.ledger import queries, rebuild
from lib.ledger.database import Database
from lib.ledger.record import record
from lib.simulator.app import create
from lib.simulator.options import SECRET_KEY, Options
from tests.simulator.house import House, Receiver, served
from tests.support.events import balances, webhook
from tests.support.server import ROOT


def test_a_hundred_refunds_from_four_processes_never_exceed_the_payment(database: Database, tmp_path: Path) -> None:
    """Thirty per cent each, all at once: exactly three fit, and no more are even asked of Checkout.com."""
    options: dict[str, Any] = {"database_url": f"sqlite:///{tmp_path / 's.db'}", "refund_seconds": 0}
    with served(lambda url: create(Options(base_url=url, secret_keys=(SECRET_KEY,), **options))) as url:
        house = House(url, Receiver())
        payment = house.paid(amount=1000)
        told = {"amount": 1000, "action_id": "act_c", "balances": balances(1000, 0)}
        record(database, [webhook("payment_captured", 1, 0, payment["id"], **told)])
        ours = database.url.render_as_string(hide_password=False)
        command = [sys.executable, "-m", "tests.support.rush", ours, url, SECRET_KEY, payment["id"], "300", "25"]
        with ExitStack() as stack:
            rush = [
                stack.enter_context(
                    subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                )
                for _ in range(4)
            ]
            assert [process.stdout.readline() for process in rush if process.stdout] == ["ready\n"] * 4
            for process in rush:
                assert process.stdin
                process.stdin.write("go\n")
                process.stdin.flush()
            let_through = [int(process.communicate()[0]) for process in rush]
        assert sum(let_through) == 3
        assert [action["amount"] for action in house.actions(payment) if action["type"] == "Refund"] == [300] * 3
        house.http.close()
    rows = queries.refunds_of(database, payment["id"])
    assert [row.status for row in rows] == ["pending"] * 3
    assert rebuild.compare(database).differing == 0
