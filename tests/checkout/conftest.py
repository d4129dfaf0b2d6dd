"""A client that asks a function instead of the network, and waits for nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import stamina

from lib.checkout.client import CheckoutClient

SECRET = "sk_sbox_" + "k" * 26 + "="
BASE = "https://ab12cd34.api.sandbox.checkout.com"

App = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def no_waits() -> Iterator[None]:
    """Stamina's testing mode: retries as configured, without the waits between them."""
    with stamina.set_testing(True, attempts=3):
        yield


class Checkout:
    """A client in front of a callable that stands in for the API, and what reached it."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.clients: list[CheckoutClient] = []

    def client(self, app: App, *, base_url: str = BASE, timeout: float = 10.0) -> CheckoutClient:
        def record(request: httpx.Request) -> httpx.Response:
            request.read()
            self.requests.append(request)
            return app(request)

        transport = httpx.MockTransport(record)
        client = CheckoutClient(base_url=base_url, secret_key=SECRET, timeout=timeout, transport=transport)
        self.clients.append(client)
        return client

    def answering(self, status: int, body: Any = None, **headers: str) -> CheckoutClient:
        """A client whose every call is answered alike; no body at all for None."""
        content = b"" if body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client(lambda request: httpx.Response(status, content=content, headers=sent))

    def in_turn(self, *turns: httpx.Response | Exception) -> CheckoutClient:
        """A client whose calls meet these answers and failures, one after the other."""
        waiting = iter(turns)

        def app(request: httpx.Request) -> httpx.Response:
            turn = next(waiting)
            if isinstance(turn, Exception):
                raise turn
            return turn

        return self.client(app)


@pytest.fixture
def checkout() -> Iterator[Checkout]:
    checkout = Checkout()
    yield checkout
    for client in checkout.clients:
        client.close()
