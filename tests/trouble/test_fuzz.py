"""A hundred thousand odd requests each at the receiver and at the simulator: no 5xx, no growth, and those who sign notice nothing.

`pytest -m soak tests/trouble/test_fuzz.py`; the suite itself sends a few hundred.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import resource
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from starlette.types import ASGIApp, Message

from lib.checkout.signature import sign
from lib.front import Front
from lib.ledger import rebuild
from lib.ledger.database import Database
from lib.ledger.deliveries import KEPT
from lib.settings import Settings
from lib.simulator.app import create
from lib.simulator.options import SECRET_KEY, Options
from tests.simulator.house import CHANNEL, order
from tests.support import databases
from tests.support.events import at, balances, event

KEY = "the-key"
MANY, FEW = 100_000, 60
A_RUN = 5_000
"""Calls between two looks at the memory; what Hypothesis remembers of a run it forgets at its end."""
GROWTH = 100 * 1024 * 1024

Headers = list[tuple[bytes, bytes]]
Call = tuple[str, str, Headers, list[bytes]]
"""Method, target, headers and the pieces of the body."""

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just("2026-02-30T00:00:00Z"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
odd_header = st.tuples(
    st.sampled_from([b"content-type", b"content-length", b"content-encoding", b"cko-signature", b"expect", b"x-odd"]),
    st.binary(max_size=40).map(lambda raw: raw.replace(b"\r", b"").replace(b"\n", b"").replace(b"\x00", b"")),
)


def written(body: Any) -> bytes:
    return json.dumps(body).encode("utf-8", "surrogatepass")


def altered(of: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """A body with any of its fields, one level deep too, lost or replaced, and perhaps cut short."""

    @st.composite
    def draw_one(draw: Any) -> bytes:
        body = json.loads(json.dumps(of))
        for _ in range(draw(st.integers(0, 3))):
            into = draw(st.sampled_from([body, *(inner for inner in body.values() if isinstance(inner, dict))]))
            name = draw(st.sampled_from([*into, "id", "type", "amount", "balances", "metadata"]))
            if draw(st.booleans()):
                into[name] = draw(anything)
            else:
                into.pop(name, None)
        raw = written(body)
        return raw[: draw(st.integers(0, len(raw)))] if draw(st.integers(0, 9)) == 0 else raw

    return draw_one()


def pieces(body: st.SearchStrategy[bytes]) -> st.SearchStrategy[list[bytes]]:
    return body.flatmap(lambda raw: st.integers(0, len(raw)).map(lambda cut: [raw[:cut], raw[cut:]]))


EVENTS = [
    json.loads(event(kind, 1, at(0), id="pay_1", currency="HKD", amount=1000, action_id="act_1", **more))
    for kind, more in (
        ("payment_pending", {"customer": {"email": "a@b.example"}}),
        ("payment_captured", {"balances": balances(1000, 0), "processing": {}}),
        ("payment_refunded", {"balances": balances(1000, 10), "metadata": {"refund_key": 7}}),
    )
]
DEEP = st.integers(1, 5000).map(lambda depth: b"[" * depth + b"]" * depth)
event_bodies = st.one_of(st.binary(max_size=300), anything.map(written), DEEP, *map(altered, EVENTS))


@st.composite
def deliveries(draw: Any) -> Call:
    """Anything at the receiver, every other one with a signature that holds."""
    body = draw(pieces(event_bodies))
    headers = draw(st.lists(odd_header, max_size=2))
    if draw(st.booleans()):
        headers.append((b"cko-signature", sign(b"".join(body), KEY).encode()))
    method = draw(st.sampled_from(["POST"] * 8 + ["GET", "PUT", "OPTIONS", "BREW"]))
    path = draw(
        st.sampled_from(["/webhooks/checkout"] * 8 + ["/webhooks/checkout/", "/healthz", "/metrics", "/webhooks"])
    )
    return method, path, headers, body


PATHS = [
    "/payments",
    "/payments/{id}",
    "/payments/{id}/actions",
    "/payments/{id}/refunds",
    "/payments/{id}/reversals",
    "/workflows/events/{id}",
    "/workflows/events/subject/{id}",
    "/workflows/event-types",
    "/reports",
    "/reports/{id}",
    "/reports/{id}/files/{id}",
    "/financial-actions",
    "/balances/{id}",
    "/wallet/{id}",
    "/nowhere",
]
QUERIES = ["", "?limit={}", "?skip={}", "?reference={}", "?created_after={}", "?terminal=WEB", "?query=currency:{}"]


def asked(known: list[str]) -> st.SearchStrategy[Call]:
    """Anything at the simulator, mostly with its key, about what there is and what there is not."""
    words = st.sampled_from([*known, "0", "-1", "99999999999999999999", "..%2f", "%00", "é"]) | st.text(max_size=12)

    @st.composite
    def draw_one(draw: Any) -> Call:
        path = draw(st.sampled_from(PATHS)).replace("{id}", draw(words))
        query = draw(st.sampled_from(QUERIES)).replace("{}", draw(words))
        refund = {"amount": 10, "reference": "RF-1", "metadata": {"refund_key": "k"}}
        bodies = st.one_of(
            st.binary(max_size=200), anything.map(written), altered(order()), altered(refund), st.just(b"decision=pay")
        )
        headers = draw(st.lists(odd_header, max_size=2))
        if draw(st.integers(0, 9)):
            headers.append((b"authorization", f"Bearer {SECRET_KEY}".encode()))
        if draw(st.booleans()):
            headers.append((b"cko-idempotency-key", draw(st.sampled_from([b"one", b"two", b"\xff", b""]))))
        method = draw(st.sampled_from(["GET", "POST", "POST", "PUT", "DELETE", "HEAD"]))
        return method, path + query, headers, draw(pieces(bodies))

    return draw_one()


async def send(app: ASGIApp, call: Call) -> tuple[int, bytes]:
    """The status and body of the answer."""
    method, target, headers, body = call
    path, _, query = target.partition("?")
    waiting = [
        {"type": "http.request", "body": piece, "more_body": number < len(body)} for number, piece in enumerate(body, 1)
    ]
    answer: dict[str, Any] = {"status": 0, "body": b""}

    async def receive() -> Message:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def take(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer["status"] = message["status"]
        else:
            answer["body"] += message.get("body", b"")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": query.encode("utf-8", "replace"),
        "root_path": "",
        "headers": headers,
        "client": ("203.0.113.7", 1),
        "server": ("desk", 80),
    }
    await app(scope, receive, take)
    return answer["status"], answer["body"]


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def bombard(
    loop: asyncio.AbstractEventLoop,
    running: AbstractAsyncContextManager[None],
    calls: st.SearchStrategy[Call],
    number: int,
    one: Callable[[Call], Coroutine[Any, Any, None]],
) -> int:
    """Make `number` calls, one after another, while the app runs. By how many bytes the process grew after the first few."""
    loop.run_until_complete(running.__aenter__())
    grown = []
    try:
        for _ in range(0, number, A_RUN):

            @settings(
                max_examples=min(number, A_RUN),
                deadline=None,
                database=None,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            )
            @given(calls)
            def each(call: Call) -> None:
                loop.run_until_complete(one(call))

            each()
            gc.collect()
            grown.append(int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize())
    finally:
        loop.run_until_complete(running.__aexit__(None, None, None))
    return grown[-1] - grown[0]


@pytest.mark.parametrize("number", [FEW, pytest.param(MANY, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])])
def test_the_receiver_outlives_anything(
    loop: asyncio.AbstractEventLoop, tmp_path: Path, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(databases.sqlite(tmp_path / "ledger.db"))
    front = Front()
    running = front.open(database, Settings(_env_file=None, checkout_webhook_keys=KEY))
    sent = 0

    async def one(call: Call) -> None:
        nonlocal sent
        sent += 1
        status, body = await send(front, call)
        assert 200 <= status < 500, (status, call)
        assert b"Traceback" not in body
        if sent % 50 == 0:
            raw = event("payment_pending", f"good{sent}", at(sent), id=f"pay_good{sent}", amount=5, currency="HKD")
            good = ("POST", "/webhooks/checkout", [(b"cko-signature", sign(raw, KEY).encode())], [raw])
            assert (await send(front, good))[0] == 200

    with caplog.at_level(logging.ERROR):
        grown = bombard(loop, running, deliveries(), number, one)
    assert [record.message for record in caplog.records if record.exc_info] == []
    with database.read() as connection:
        kept = {row[0]: row[1] for row in connection.execute(text("SELECT verdict, count(*) FROM delivery GROUP BY 1"))}
        good = "SELECT count(*) FROM payment WHERE id LIKE 'pay_good%' AND status = 'Pending'"
        assert connection.execute(text(good)).scalar() == sent // 50
    assert all(kept.get(verdict, 0) <= most for verdict, most in KEPT.items())
    assert kept.get("quarantined", 0) == 0
    assert rebuild.compare(database).differing == 0
    assert grown < GROWTH


@pytest.mark.parametrize("number", [FEW, pytest.param(MANY, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])])
def test_the_simulator_outlives_anything(
    loop: asyncio.AbstractEventLoop, tmp_path: Path, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    simulator = create(
        Options(
            database_url=f"sqlite:///{tmp_path / 'simulator.db'}",
            base_url=lambda: "http://desk/simulator",
            processing_channel_id=CHANNEL,
        )
    )
    key = [(b"authorization", f"Bearer {SECRET_KEY}".encode()), (b"content-type", b"application/json")]

    async def pay() -> list[str]:
        status, body = await send(simulator, ("POST", "/payments", key, [written(order(amount=10_000_000))]))
        assert status == 202
        made = json.loads(body)
        code = made["_links"]["redirect"]["href"].split("/wallet/")[1].split("?")[0]
        assert (await send(simulator, ("POST", f"/wallet/{code}", [], [b"decision=pay"])))[0] == 303
        return [made["id"], code]

    known = loop.run_until_complete(pay())
    sent = 0

    async def one(call: Call) -> None:
        nonlocal sent
        sent += 1
        status, body = await send(simulator, call)
        assert 200 <= status < 500, (status, call)
        assert b"Traceback" not in body
        if sent % 50 == 0:
            await pay()

    with caplog.at_level(logging.ERROR):
        grown = bombard(loop, simulator.running(), asked(known), number, one)
    assert [record.message for record in caplog.records if record.exc_info] == []
    assert grown < GROWTH
