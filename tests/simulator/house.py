"""A simulator on a port of its own, a receiver for its webhooks, and the words to drive both."""

from __future__ import annotations

import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from lib.simulator.app import create
from lib.simulator.options import SECRET_KEY, Options
from tests.support.waiting import until

CHANNEL = "pc_" + "x" * 26
KEYS = ("new-key-clé", "old-key")
AUTHORIZATION = "static word"


@contextmanager
def served(build: Callable[[str], ASGIApp]) -> Iterator[str]:
    """Serve an app on a free port, in a thread. The app is built with its own address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(build(url), log_level="error", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        until(lambda: server.started or not thread.is_alive())
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(15)


@dataclass(frozen=True)
class Delivery:
    raw: bytes
    headers: dict[str, str]

    @property
    def event(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.raw)
        return body

    def signed_with(self, key: str) -> bool:
        return self.headers["cko-signature"] == hmac.new(key.encode(), self.raw, "sha256").hexdigest()


@dataclass
class Receiver:
    """Takes webhooks. `answer` decides the status of each; it may take its time."""

    answer: Callable[[Delivery], int] = lambda _delivery: 200
    deliveries: list[Delivery] = field(default_factory=list)

    def app(self, _url: str) -> ASGIApp:
        async def receive(request: Request) -> Response:
            delivery = Delivery(await request.body(), dict(request.headers))
            self.deliveries.append(delivery)
            return Response(status_code=await run_in_threadpool(self.answer, delivery))

        return Starlette(routes=[Route("/webhooks", receive, methods=["POST"])])

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        return [each.event for each in self.deliveries if kind in (None, each.event["type"])]


def order(**changes: Any) -> dict[str, Any]:
    """A payment request; `changes` replaces fields, None removes them."""
    body: dict[str, Any] = {
        "source": {"type": "kakaopay"},
        "amount": 1100,
        "currency": "HKD",
        "processing": {"terminal_type": "APP", "os_type": "IOS"},
        "payment_type": "Regular",
        "reference": "ORDER-1",
        "capture": True,
        "success_url": "https://shop.example/thanks?order=1",
        "failure_url": "https://shop.example/sorry",
        "customer": {"email": "minji@example.com", "name": "Kim Minji"},
        "shipping": {"address": {"country": "KR"}},
        "items": [{"reference": "SKU-7", "name": "Tea <set>", "unit_price": 1100, "quantity": 1}],
        "processing_channel_id": CHANNEL,
        "metadata": {"store": "Gangnam"},
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


class House:
    """A client of one simulator. Every method speaks HTTP."""

    def __init__(self, url: str, receiver: Receiver) -> None:
        self.url = url
        self.receiver = receiver
        self.http = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {SECRET_KEY}"}, trust_env=False, timeout=30
        )

    def create(self, key: str | None = None, **changes: Any) -> dict[str, Any]:
        answer = self.post("/payments", order(**changes), key=key)
        assert answer.status_code == 202, answer.text
        return self.body(answer)

    def paid(self, **changes: Any) -> dict[str, Any]:
        """A payment its customer has paid."""
        payment = self.create(**changes)
        assert self.decide(payment, "pay").status_code == 303
        return payment

    def decide(self, payment: dict[str, Any], decision: str) -> httpx.Response:
        return self.http.post(self.wallet(payment), data={"decision": decision})

    def wallet(self, payment: dict[str, Any]) -> str:
        href: str = payment["_links"]["redirect"]["href"]
        return href.partition("?")[0]

    def details(self, payment: dict[str, Any]) -> dict[str, Any]:
        return self.body(self.http.get(f"/payments/{payment['id']}"))

    def status(self, payment: dict[str, Any]) -> str:
        return str(self.details(payment)["status"])

    def actions(self, payment: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get(f"/payments/{payment['id']}/actions").json()
        return found

    def refund(
        self, payment: dict[str, Any], amount: int | None = None, key: str | None = None, **fields: Any
    ) -> httpx.Response:
        body = fields | ({"amount": amount} if amount is not None else {})
        return self.post(f"/payments/{payment['id']}/refunds", body or None, key=key)

    def refunded(self, payment: dict[str, Any], amount: int | None = None, **fields: Any) -> str:
        """A refund that has been decided; its action id."""
        answer = self.refund(payment, amount, **fields)
        assert answer.status_code == 202, answer.text
        action: str = answer.json()["action_id"]
        until(lambda: action in [each["id"] for each in self.actions(payment)])
        return action

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        headers = {"Cko-Idempotency-Key": key} if key is not None else {}
        return self.http.post(path, json=body, headers=headers)

    def faults(self, **switches: Any) -> None:
        """Set these faults, each on unless it says otherwise, and no others."""
        patch = {name: {"on": True, **values} for name, values in switches.items()}
        answer = self.http.put("/_control/faults", params={"clear": "true"}, json=patch)
        assert answer.status_code == 200, answer.text

    def advance(self, **gap: float) -> dict[str, Any]:
        return self.body(self.http.post("/_control/clock/advance", json=gap))

    def begin(self, seed: int | str | None, **more: Any) -> None:
        assert self.http.put("/_control/seed", json={"seed": seed, **more}).status_code == 200

    def deliveries(self, payment: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        asked = {"payment_id": payment["id"]} if payment else {}
        found: list[dict[str, Any]] = self.http.get("/_control/deliveries", params={"limit": 500, **asked}).json()[
            "data"
        ]
        return found

    def told(self, kind: str, payment: dict[str, Any], *, count: int = 1) -> dict[str, Any]:
        """Wait for an event of a payment; the last of `count`."""

        def found() -> list[dict[str, Any]]:
            return [each for each in self.receiver.events(kind) if each["data"]["id"] == payment["id"]]

        return until(lambda: (len(found()) >= count and found()[count - 1]) or None)

    @staticmethod
    def body(answer: httpx.Response) -> dict[str, Any]:
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()
        return found


def options(folder: Path, url: str, webhook: str = "", **changes: Any) -> Options:
    """Options for tests: refunds and stored charges are settled at once."""
    first: dict[str, Any] = {
        "database_url": f"sqlite:///{folder / 'simulator.db'}",
        "base_url": url,
        "webhook_url": webhook and f"{webhook}/webhooks",
        "webhook_keys": KEYS,
        "webhook_authorization": AUTHORIZATION,
        "refund_seconds": 0,
        "settle_seconds": 0,
    }
    return Options(**(first | changes))


@contextmanager
def house(folder: Path, **changes: Any) -> Iterator[House]:
    """A simulator and a receiver, both served for the length of the block. The database outlives it."""
    receiver = Receiver()
    with served(receiver.app) as webhook, served(lambda url: create(options(folder, url, webhook, **changes))) as url:
        home = House(url, receiver)
        try:
            yield home
        finally:
            home.http.close()
