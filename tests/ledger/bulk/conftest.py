"""Payments to refund in bulk, and the least of Checkout.com that refunds them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from lib.ledger.bulk import batches
from lib.ledger.bulk.batches import Uploaded
from lib.ledger.bulk.runner import Runner
from lib.ledger.bulk.views import tallies, would_move
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.facts import from_webhook
from lib.ledger.record import record
from lib.operators import Operator
from tests.support.events import balances, event
from tests.support.provider import desk_with

ANA = Operator("Ana")
HEADER = "reference,amount,currency,reason,note\n"


class Provider:
    """The least of Checkout.com that refunds need; `answer`, when set, is asked first."""

    def __init__(self) -> None:
        self.refunds: dict[str, str] = {}
        """Idempotency keys of the refunds that were carried out, and their actions."""
        self.calls: list[str] = []
        self.answer: Callable[[str], httpx.Response | None] = lambda key: None
        self._turn = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["Cko-Idempotency-Key"]
        with self._turn:
            self.calls.append(key)
            instead = self.answer(key)
            if instead is not None:
                return instead
            action = self.refunds.setdefault(key, f"act_{len(self.refunds)}")
        return httpx.Response(202, json={"action_id": action, "_links": {}})


@pytest.fixture
def backend(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def desk(database: Database, provider: Provider) -> Iterator[Desk]:
    with desk_with(database, provider, checkout_timeout_seconds=1) as desk:
        yield desk


def paid(
    database: Database, number: int, amount: int = 1000, currency: str = "HKD", *, reference: str = "", days: float = 1
) -> str:
    """A payment captured so many days ago, `pay_NUMBER` with the reference `ORD-NUMBER` unless told otherwise; its id."""
    when = datetime.now(UTC) - timedelta(days=days)
    told = {"amount": amount, "currency": currency, "reference": reference or f"ORD-{number}"}
    about = {"id": f"pay_{number}", "action_id": f"act_c{number}", "balances": balances(amount, 0)}
    record(database, [from_webhook(event("payment_captured", f"c{number}", when, **about, **told), when)])
    return f"pay_{number}"


def upload(desk: Desk, *rows: str, header: str = HEADER, name: str = "refunds.csv") -> Uploaded:
    return batches.upload(desk, ANA, name, (header + "\n".join(rows)).encode())


def start(desk: Desk, bulk_id: str, operator: Operator = ANA) -> None:
    """Confirm what is shown at this moment."""
    batches.start(desk, operator, bulk_id, confirmed=would_move(tallies(desk.database, bulk_id)))


def run(desk: Desk, *, rounds: int = 1000) -> None:
    """Let one worker send until there is nothing to do, or for so many rounds."""
    runner = Runner(desk)
    for _ in range(rounds):
        if not runner.round():
            return


def statuses(desk: Desk, bulk_id: str) -> dict[str, int]:
    """How many rows stand where."""
    return {tally.status: tally.count for tally in tallies(desk.database, bulk_id)}
