"""A stage for a play: a simulator, a receiver and a ledger of their own, in a folder that is gone afterwards.

They are the product's own programs in processes of their own, so what is seen is what would happen; and nothing that
anybody has in the simulator or in the ledger is touched.
"""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx

from lib.board import Board
from lib.checkout.client import CheckoutClient
from lib.demo.process import module
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.settings import WEBHOOK_PATH, Settings

_STARTING_SECONDS = 60.0


class StageProblem(RuntimeError):
    """The stage could not be set; the message says why and what to do."""


@dataclass(frozen=True)
class Stage:
    """A desk whose Checkout.com is a simulator that nobody else uses, and that one's control board."""

    desk: Desk
    board: Board


@contextmanager
def stage(settings: Settings, seed: str, at: datetime) -> Iterator[Stage]:
    """Set a stage whose simulator begins a run on `seed`, its clock standing at `at`. Raises `StageProblem`."""
    with tempfile.TemporaryDirectory(prefix="kakaopay-stage-") as folder:
        here, there = _free_port(), _free_port()
        simulator, receiver = f"http://127.0.0.1:{there}", f"http://127.0.0.1:{here}"
        ledger = f"sqlite:///{Path(folder) / 'ledger.db'}"
        own = settings.model_copy(
            update={
                "checkout_base_url": simulator,
                "database_url": ledger,
                "refund_limits": "",
                "refund_hold_seconds": 0,
            }
        )
        began = [
            module(
                "lib.simulator",
                *("--port", str(there), "--database", f"sqlite:///{Path(folder) / 'simulator.db'}"),
                *("--webhook", receiver + WEBHOOK_PATH, "--webhook-key", own.webhook_keys[0]),
                *("--secret-key", own.secret_key, "--currencies", own.kakaopay_currencies),
            ),
            module(
                "uvicorn",
                *("lib.front:app", "--port", str(here), "--log-level", "error"),
                DATABASE_URL=ledger,
                CHECKOUT_BASE_URL=simulator,
            ),
        ]
        database = Database(ledger)
        try:
            database.prepare()
            board = Board(simulator)
            _await(receiver + "/healthz", began)
            _await(simulator + "/_control/seed", began)
            board.begin(seed, standing=True, at=at)
            checkout = CheckoutClient(base_url=simulator, secret_key=own.secret_key)
            yield Stage(Desk(own, database, checkout, receiver), board)
        finally:
            for process in began:
                process.terminate()
            for process in began:
                process.wait()
            database.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _await(url: str, began: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + _STARTING_SECONDS
    while time.monotonic() < deadline:
        if any(process.poll() is not None for process in began):
            raise StageProblem("A program of the stage ended at its start; the server's log says why. Try again.")
        try:
            if httpx.get(url, timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise StageProblem("The stage did not start within a minute. The machine may be busy; try again.")
