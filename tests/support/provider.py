"""The least of Checkout.com that refunds need, and a desk that works with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from lib.checkout.client import CheckoutClient
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.record import record
from lib.settings import Settings
from tests.support.events import balances, webhook


class Provider:
    """It keeps keys, as Checkout.com does, and can be told to misbehave."""

    def __init__(self) -> None:
        self.refunds: dict[str, str] = {}
        self.calls = 0
        self.held_back = 0
        """Minor units that refunds still pending hold back."""
        self.misbehave: Callable[[], httpx.Response | None] = lambda: None
        """Asked before acting; a response or an exception from it is what the caller gets."""
        self.forget: Callable[[], None] = lambda: None
        """Asked after acting; may raise, so that the caller never learns of it."""
        self._turn = threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return self._read(request.url.path)
        with self._turn:
            self.calls += 1
            instead = self.misbehave()
            if instead is not None:
                return instead
            key = request.headers["Cko-Idempotency-Key"]
            action = self.refunds.setdefault(key, f"act_{len(self.refunds)}")
            self.forget()
        return httpx.Response(202, json={"action_id": action, "_links": {}})

    def _read(self, path: str) -> httpx.Response:
        if path.endswith("/actions"):
            done = [
                {
                    "id": action,
                    "type": "Refund",
                    "amount": 300,
                    "approved": True,
                    "processed_on": "2026-03-02T05:00:00Z",
                }
                for action in self.refunds.values()
            ]
            return httpx.Response(200, json=done)
        if "/workflows/" in path:
            return httpx.Response(403)
        refunded = 300 * len(self.refunds)
        told = balances(1000, refunded) | {"available_to_refund": 1000 - max(self.held_back, refunded)}
        details = {"id": "pay_1", "status": "Captured", "amount": 1000, "currency": "HKD", "balances": told}
        return httpx.Response(200, json=details)


@contextmanager
def client_of(provider: Callable[[httpx.Request], httpx.Response]) -> Iterator[CheckoutClient]:
    """A client that asks `provider` and no network."""
    client = CheckoutClient(
        base_url="http://checkout", secret_key="k", timeout=1, transport=httpx.MockTransport(provider)
    )
    yield client
    client.close()


@contextmanager
def desk_with(
    database: Database, provider: Callable[[httpx.Request], httpx.Response], **settings: Any
) -> Iterator[Desk]:
    """A desk whose Checkout.com is `provider`."""
    with client_of(provider) as client:
        yield Desk(Settings(_env_file=None, **settings), database, client, "http://desk")  # type: ignore[call-arg]


@contextmanager
def captured_desk(database: Database, provider: Provider, **settings: Any) -> Iterator[Desk]:
    """A desk whose ledger holds `pay_1`, captured with HKD 10.00."""
    captured = webhook(
        "payment_captured", 1, 0, amount=1000, action_id="act_c", reference="ORD-1", balances=balances(1000, 0)
    )
    record(database, [captured])
    with desk_with(database, provider, **settings) as desk:
        yield desk
