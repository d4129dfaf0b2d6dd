"""The receiver: what it answers, what it stores, and that it acknowledges nothing it has not stored."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from lib.checkout.signature import sign
from lib.ledger import deliveries, queries
from lib.ledger.database import Database
from lib.ledger.deliveries import KEPT, KEPT_BODY
from lib.ledger.queries import DeliveryFilter
from lib.receiver import BODY_LIMIT, Receiver
from tests.support import databases
from tests.support.events import at, balances, event

KEYS = ("new-key", "old-key")
CAPTURED = event(
    "payment_captured", 1, at(60), id="pay_1", currency="HKD", amount=1000, action_id="a", balances=balances(1000, 0)
)

Post = Callable[..., Coroutine[Any, Any, httpx2.Response]]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(databases.sqlite(tmp_path / "ledger.db"))


@contextlib.asynccontextmanager
async def receiving(database: Database) -> AsyncIterator[tuple[Receiver, Post]]:
    """A running receiver, and a way to deliver to it: `post(raw)` signs with the first key unless told a signature."""
    receiver = Receiver(database, KEYS)
    transport = httpx2.ASGITransport(app=receiver)
    async with receiver.running(), httpx2.AsyncClient(transport=transport, base_url="http://desk") as client:

        async def post(
            raw: bytes, signature: str | None = "", method: str = "POST", kind: str | None = None
        ) -> httpx2.Response:
            value = sign(raw, KEYS[0]) if signature == "" else signature
            headers = {"Cko-Signature": value} if value is not None else {}
            headers |= {"Content-Type": kind} if kind else {}
            return await client.request(method, "/webhooks/checkout", content=raw, headers=headers)

        yield receiver, post


def deliver(database: Database, scenario: Callable[[Post], Coroutine[Any, Any, Any]]) -> Any:
    """Run a scenario against a running receiver."""

    async def run() -> Any:
        async with receiving(database) as (_, post):
            return await scenario(post)

    return asyncio.run(run())


def one(database: Database, raw: bytes, **how: Any) -> httpx2.Response:
    return deliver(database, lambda post: post(raw, **how))


def verdicts(database: Database) -> list[str]:
    return [row.verdict for row in reversed(queries.find_deliveries(database, DeliveryFilter(), limit=500).rows)]


def test_a_signed_delivery_is_stored_folded_and_acknowledged(database: Database) -> None:
    assert one(database, CAPTURED).status_code == 200
    payment = queries.find_payment(database, "pay_1")
    assert payment is not None
    assert (payment.status, payment.captured) == ("Captured", 1000)
    assert verdicts(database) == ["accepted"]


def test_any_of_several_keys_signs(database: Database) -> None:
    assert one(database, CAPTURED, signature=sign(CAPTURED, "old-key")).status_code == 200


@pytest.mark.parametrize(
    ("signature", "verdict"),
    [
        (None, "no_signature"),
        ("nonsense", "bad_signature"),
        (sign(CAPTURED, "another-key"), "bad_signature"),
        (sign(CAPTURED + b" ", "new-key"), "bad_signature"),
    ],
)
def test_a_bad_signature_is_refused_kept_and_changes_nothing(
    database: Database, signature: str | None, verdict: str
) -> None:
    assert one(database, CAPTURED, signature=signature).status_code == 401
    assert verdicts(database) == [verdict]
    assert queries.find_payment(database, "pay_1") is None


def test_the_signature_is_over_the_bytes_as_they_came(database: Database) -> None:
    spaced = CAPTURED.replace(b":", b" :  ")
    assert one(database, spaced).status_code == 200
    [delivery] = queries.find_deliveries(database, DeliveryFilter()).rows
    assert queries.body_of(database, delivery) == spaced.decode()


def test_a_second_delivery_is_a_duplicate_and_is_acknowledged(database: Database) -> None:
    async def twice(post: Post) -> list[int]:
        return [(await post(CAPTURED)).status_code for _ in range(3)]

    assert deliver(database, twice) == [200, 200, 200]
    assert verdicts(database) == ["accepted", "duplicate", "duplicate"]


def test_the_same_event_id_with_another_body_is_marked_and_the_first_stands(database: Database) -> None:
    other = CAPTURED.replace(b"1000", b"9000")

    async def both(post: Post) -> list[int]:
        return [(await post(CAPTURED)).status_code, (await post(other)).status_code]

    assert deliver(database, both) == [200, 200]
    assert verdicts(database) == ["accepted", "conflicting"]
    payment = queries.find_payment(database, "pay_1")
    assert payment is not None
    assert payment.captured == 1000
    newest = queries.find_deliveries(database, DeliveryFilter()).rows[0]
    assert queries.body_of(database, newest) == other.decode()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[1, 2]",
        b'"text"',
        b"\xff\xfe{}",
        b'{"a": "\xed\xa0\x80"}',
        b"[" * 10000 + b"]" * 10000,
        b'{"a":' * 10000 + b"1" + b"}" * 10000,
        b'{"a":' * 100 + b"1" + b"}" * 100,
        b"\x00",
    ],
)
def test_signed_but_not_readable_is_400_and_kept(database: Database, raw: bytes) -> None:
    assert one(database, raw).status_code == 400
    assert verdicts(database) == ["not_json"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": None, "type": 7, "data": []},
        {"id": "evt_1", "type": "payment_captured", "data": {"id": "pay_1\x00", "amount": 1e400}},
        {"id": "e" * 5000, "type": "t" * 5000, "data": {"id": "p" * 5000}},
        {
            "id": "evt_1",
            "type": "payment_captured",
            "data": {"id": "pay_1", "reference": "\x00\ud800", "currency": "\ud800"},
        },
        {
            "id": "evt_1",
            "type": "payment_captured",
            "data": {"id": "pay_1", "amount": 10**30, "balances": {"total_captured": "x"}},
        },
        {"id": "evt_1", "type": "payment_captured", "created_on": "0001-01-01T00:00:00+23:59", "data": {"id": "pay_1"}},
    ],
)
def test_signed_and_odd_is_kept_without_inventing_money(database: Database, body: dict[str, Any]) -> None:
    assert one(database, json.dumps(body).encode()).status_code in (200, 400)
    assert len(verdicts(database)) == 1
    assert all(row.captured == 0 for row in queries.find_payments(database, queries.PaymentFilter()).rows)


@pytest.mark.parametrize(
    ("kind", "status"),
    [(None, 200), ("application/json; charset=utf-8", 200), ("application/cloudevents+json", 200), ("text/plain", 415)],
)
def test_what_is_declared_as_something_else_than_json_is_kept_and_changes_nothing(
    database: Database, kind: str | None, status: int
) -> None:
    assert one(database, CAPTURED, kind=kind).status_code == status
    assert verdicts(database) == ["accepted" if status == 200 else "not_json"]
    assert (queries.find_payment(database, "pay_1") is None) == (status == 415)


def test_a_flood_without_signatures_is_turned_away_and_slows_nobody_who_signs(database: Database) -> None:
    async def flood(post: Post) -> list[int]:
        strangers = [post(b"x", signature=None) for _ in range(400)]
        signed = [post(event("payment_pending", number, at(0), id="pay_1", amount=5)) for number in range(400)]
        both = [one for pair in zip(strangers, signed, strict=True) for one in pair]
        return [answer.status_code for answer in await asyncio.gather(*both)]

    statuses = deliver(database, flood)
    assert statuses[1::2] == [200] * 400
    turned_away = statuses[::2].count(429)
    assert turned_away > 200
    assert statuses[::2].count(401) == 400 - turned_away
    kept = queries.find_deliveries(database, DeliveryFilter(verdicts=("no_signature",)), limit=500).rows
    assert len(kept) == 400 - turned_away


def test_an_unknown_type_is_kept_and_acknowledged(database: Database) -> None:
    assert one(database, event("payment_routed", 5, at(0), id="pay_9", amount=5, currency="HKD")).status_code == 200
    assert verdicts(database) == ["unknown_type"]
    payment = queries.find_payment(database, "pay_9")
    assert payment is not None
    assert payment.captured == 0


def test_an_event_of_something_else_makes_no_payment(database: Database) -> None:
    assert one(database, event("report_generated", 5, at(0), id="rpt_1")).status_code == 200
    assert queries.find_payments(database, queries.PaymentFilter()).rows == []


def test_ten_megabytes_are_refused_without_being_kept(database: Database) -> None:
    assert one(database, b"x" * 10_000_000).status_code == 413
    [delivery] = queries.find_deliveries(database, DeliveryFilter()).rows
    body = queries.body_of(database, queries.find_delivery(database, delivery.id or 0) or delivery)
    assert (delivery.verdict, delivery.size) == ("too_large", 10_000_000)
    assert len(body or "") <= KEPT_BODY


def test_a_body_that_lies_about_its_length_is_cut_off(database: Database) -> None:
    """Chunks without end and without an announced length: reading stops just past the limit."""
    taken = 0

    async def run() -> list[dict[str, Any]]:
        nonlocal taken
        receiver, sent = Receiver(database, KEYS), []

        async def endless() -> dict[str, Any]:
            nonlocal taken
            taken += 65536
            return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

        async def send(message: Any) -> None:
            sent.append(message)

        async with receiver.running():
            await receiver({"type": "http", "method": "POST", "headers": [], "client": ("127.0.0.1", 1)}, endless, send)
        return sent

    assert asyncio.run(run())[0]["status"] == 413
    assert taken <= BODY_LIMIT + 2 * 65536


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(database: Database, method: str) -> None:
    answer = one(database, b"", method=method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_what_nobody_signed_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KEPT, "no_signature", 20)

    async def flood(post: Post) -> None:
        await asyncio.gather(*(post(b"y" * 20000, signature=None) for _ in range(90)))
        await post(CAPTURED)

    deliver(database, flood)
    kept = queries.find_deliveries(database, DeliveryFilter(verdicts=("no_signature",)), limit=500).rows
    assert len(kept) == 20
    with database.read() as connection:
        assert connection.execute(text("SELECT max(length(body)) FROM delivery")).scalar() == KEPT_BODY
    assert queries.find_payment(database, "pay_1") is not None


def test_a_delivery_that_defeats_us_holds_up_nobody_else_and_is_kept_whole(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    understand = deliveries.store

    def stumble(connection: Any, facts: Any) -> Any:
        if any(fact.type == "payment_poison" for fact in facts):
            raise ArithmeticError
        return understand(connection, facts)

    monkeypatch.setattr(deliveries, "store", stumble)
    poison = event("payment_poison", 6, at(0), id="pay_6")

    async def among_others(post: Post) -> list[int]:
        raws = [event("payment_pending", n, at(n), id=f"pay_{n}", amount=1, currency="HKD") for n in range(5)]
        return [answer.status_code for answer in await asyncio.gather(*map(post, [*raws[:2], poison, *raws[2:]]))]

    assert deliver(database, among_others) == [200] * 6
    assert sorted(verdicts(database)) == ["accepted"] * 5 + ["quarantined"]
    [kept] = queries.find_deliveries(database, DeliveryFilter(verdicts=("quarantined",))).rows
    assert queries.body_of(database, kept) == poison.decode()


def test_concurrent_deliveries_are_all_there_once_and_share_commits(database: Database) -> None:
    commits = 0
    database.prepare()
    write = database.write

    def counting(**how: Any) -> Any:
        nonlocal commits
        commits += 1
        return write(**how)

    async def burst(post: Post) -> list[int]:
        raws = [
            event("payment_captured", n, at(n), id=f"pay_{n}", currency="HKD", amount=100, action_id=f"a{n}")
            for n in range(200)
        ]
        answers = await asyncio.gather(*(post(raw) for raw in raws + raws))
        return [answer.status_code for answer in answers]

    database.write = counting  # type: ignore[method-assign]
    assert set(deliver(database, burst)) == {200}
    assert (
        sorted(verdicts(database) if len(verdicts(database)) == 400 else []) == ["accepted"] * 200 + ["duplicate"] * 200
    )
    assert commits < 40


def test_a_locked_database_gives_503_and_loses_nothing_acknowledged(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.ledger.database._BUSY_SECONDS", 0.2)
    assert one(database, CAPTURED).status_code == 200
    other = Database(str(database.url))
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with other.write():
            held.set()
            release.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(5)
    try:
        refused = one(Database(str(database.url)), event("payment_pending", 2, at(0), id="pay_2"))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    finally:
        release.set()
        holder.join()
    assert one(database, event("payment_pending", 2, at(0), id="pay_2")).status_code == 200
    assert verdicts(database) == ["accepted", "accepted"]


def test_when_the_queue_is_full_more_is_turned_away_at_once_and_what_was_taken_is_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.receiver._QUEUE_LIMIT", 3)
    database.prepare()
    raws = [event("payment_pending", number, at(0), id=f"pay_{number}") for number in range(7)]

    async def rush() -> tuple[list[httpx2.Response], list[int]]:
        async with receiving(database) as (receiver, post):

            async def begun(*deliveries: bytes, waiting: int) -> list[asyncio.Task[httpx2.Response]]:
                tasks = [asyncio.create_task(post(raw)) for raw in deliveries]
                async with asyncio.timeout(5):
                    await asyncio.sleep(0.05)
                    while receiver.waiting != waiting:
                        await asyncio.sleep(0.01)
                return tasks

            with Database(str(database.url)).write():  # somebody else is writing, so that nothing can be stored
                taken = await begun(raws[0], waiting=0) + await begun(*raws[1:4], waiting=3)
                turned_away = [await asyncio.wait_for(post(raw), 5) for raw in raws[4:]]
                assert not any(task.done() for task in taken)
            first = [(await task).status_code for task in taken]
            return turned_away, first + [(await post(raw)).status_code for raw in raws[4:]]

    turned_away, taken = asyncio.run(rush())
    assert [(each.status_code, each.headers["retry-after"]) for each in turned_away] == [(503, "5")] * 3
    assert taken == [200] * 7, "those turned away are taken when they come again"
    assert verdicts(database) == ["accepted"] * 7


def test_a_body_that_does_not_come_is_given_up_and_holds_up_nobody(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.receiver._BODY_SECONDS", 0.1)

    async def run() -> tuple[list[dict[str, Any]], bool]:
        receiver, sent = Receiver(database, KEYS), []

        async def never() -> dict[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "headers": [], "client": ("127.0.0.1", 1)}
        async with receiver.running():
            await receiver(scope, never, send)
            given_up = asyncio.create_task(receiver(scope, never, send))
            await asyncio.sleep(0)
            given_up.cancel()
            [ended] = await asyncio.gather(given_up, return_exceptions=True)
        return sent, isinstance(ended, asyncio.CancelledError)

    sent, cancelled = asyncio.run(run())
    assert [message["status"] for message in sent if "status" in message] == [408]
    assert cancelled, "who is cancelled by others is not told that the body came late"
