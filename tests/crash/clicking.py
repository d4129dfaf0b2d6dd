"""A dashboard's process as far as a click on *Refund* goes, to be killed anywhere between click and answer.

`python -m tests.crash.clicking DATABASE_URL CHECKOUT_URL SECRET_KEY` reads one command a line and forks a process for
each, so that every click has a process of its own without the time that imports take:

    click PAYMENT_ID KEY LINES SECONDS   ask for a refund; die at so many lines of our code, or be killed after so many
                                         seconds, whichever comes first; -1 for neither
    resume                               what a restarted server does first

After each it prints `killed`, or `done LINES` with the number of lines of our code that ran.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

from lib.checkout.client import CheckoutClient
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.queries import find_payment
from lib.ledger.refunds import request_refund
from lib.ledger.sending import resume_refunds
from lib.money import Money
from lib.operators import Operator
from lib.settings import Settings

AMOUNT = 300
OURS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "lib", "")


class Counter:
    """Counts the lines of our own code that run, and ends the process at one of them as `kill -9` would."""

    def __init__(self, die_at: int) -> None:
        self.lines = 0
        self._die_at = die_at

    def __call__(self, frame: FrameType, what: str, _value: Any) -> Any:
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        if what == "line":
            if self.lines == self._die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            self.lines += 1
        return self


def click(desk: Desk, payment_id: str, key: str, die_at: int) -> int:
    counter = Counter(die_at)
    sys.settrace(counter)
    payment = find_payment(desk.database, payment_id)
    assert payment
    request_refund(
        desk,
        Operator("Ana"),
        payment_id,
        Money(AMOUNT, "HKD"),
        key=key,
        drawn_with=payment.refundable,
        reason="damaged",
    )
    sys.settrace(None)
    return counter.lines


def resume(desk: Desk) -> int:
    resume_refunds(desk, older_than=datetime.now(UTC) + timedelta(seconds=1))
    return 0


def main() -> None:
    database_url, checkout_url, secret_key = sys.argv[1:]
    for command in sys.stdin:
        kind, *given = command.split()
        seconds = float(given[3]) if kind == "click" else -1.0
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            desk = Desk(
                Settings(_env_file=None),  # type: ignore[call-arg]
                Database(database_url),
                CheckoutClient(base_url=checkout_url, secret_key=secret_key, timeout=5),
                checkout_url,
            )
            lines = click(desk, given[0], given[1], int(given[2])) if kind == "click" else resume(desk)
            os.write(writing, str(lines).encode())
            os._exit(0)
        os.close(writing)
        if seconds >= 0:
            threading.Thread(target=_kill_after, args=(child, seconds), daemon=True).start()
        _, status = os.waitpid(child, 0)
        lines_ran = os.read(reading, 20).decode()
        os.close(reading)
        print(f"done {lines_ran}" if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0 else "killed", flush=True)


def _kill_after(child: int, seconds: float) -> None:
    time.sleep(seconds)
    try:
        os.kill(child, signal.SIGKILL)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    main()
