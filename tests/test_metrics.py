"""Figures to watch, as Prometheus reads them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from lib.checkout.signature import sign
from lib.front import Front
from lib.ledger.backup import back_up, newest
from lib.ledger.database import Database
from lib.ledger.record import record
from lib.settings import Settings
from tests.support import databases
from tests.support.events import asked, at, event, webhook

SETTINGS = Settings(_env_file=None, checkout_webhook_keys="the-key")
RAW = event("payment_pending", 1, at(0), id="pay_1", amount=5, currency="HKD")

Figures = dict[tuple[str, str], float]


@pytest.fixture
def ledger(tmp_path: Path) -> Database:
    return Database(databases.sqlite(tmp_path / "ledger.db"))


def after(ledger: Database, scenario: Callable[[httpx2.AsyncClient], Awaitable[None]]) -> Figures:
    """The figures that `/metrics` tells once the scenario has happened."""

    async def run() -> str:
        front = Front()
        transport = httpx2.ASGITransport(app=front)
        async with (
            front.open(ledger, SETTINGS),
            httpx2.AsyncClient(transport=transport, base_url="http://desk") as client,
        ):
            await scenario(client)
            return (await client.get("/metrics")).text

    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(asyncio.run(run()))
        for sample in family.samples
    }


async def nothing(_: httpx2.AsyncClient) -> None:
    """Nothing happens."""


async def deliver(client: httpx2.AsyncClient, signature: str | None) -> None:
    headers = {"Cko-Signature": signature} if signature else {}
    await client.post("/webhooks/checkout", content=RAW, headers=headers)


def test_deliveries_are_counted_by_verdict(ledger: Database) -> None:
    async def four(client: httpx2.AsyncClient) -> None:
        for signature in (sign(RAW, "the-key"), sign(RAW, "the-key"), sign(RAW, "another"), None):
            await deliver(client, signature)

    figures = after(ledger, four)
    said = {verdict: value for (name, verdict), value in figures.items() if name == "kakaopay_deliveries_total"}
    assert said == {"accepted": 1, "duplicate": 1, "bad_signature": 1, "no_signature": 1}
    assert figures["kakaopay_receiver_waiting", ""] == 0
    assert figures["kakaopay_deliveries_turned_away_total", ""] == 0
    assert figures["kakaopay_store_up", ""] == 1


def test_refunds_in_flight_what_is_overdue_and_the_last_copy(ledger: Database) -> None:
    captured = webhook("payment_captured", 1, 0, amount=1000, action_id="act_c")
    pending = webhook("payment_refund_pending", 2, 60, amount=300, action_id="act_r")
    record(ledger, [captured, pending, asked("key-1", 200, 120)])
    figures = after(ledger, nothing)
    assert figures["kakaopay_refunds_in_flight", "pending"] == 1
    assert figures["kakaopay_refunds_in_flight", "submitting"] == 1
    assert figures["kakaopay_refunds_in_flight", "awaiting_approval"] == 0
    age = figures["kakaopay_refunds_in_flight_oldest_seconds", "pending"]
    assert 59 < age - figures["kakaopay_refunds_in_flight_oldest_seconds", "submitting"] < 61
    assert figures["kakaopay_overdue", "answer"] == 1
    assert ("kakaopay_last_backup_timestamp_seconds", "") not in figures
    back_up(ledger)
    made = newest(ledger)
    assert made
    assert after(ledger, nothing)["kakaopay_last_backup_timestamp_seconds", ""] == made.timestamp()


def test_a_store_that_does_not_answer_is_a_figure(ledger: Database) -> None:
    async def lock(client: httpx2.AsyncClient) -> None:
        await deliver(client, sign(RAW, "the-key"))
        with sqlite3.connect(str(ledger.url.database)) as other:
            other.execute("ALTER TABLE refund RENAME TO gone")

    figures = after(ledger, lock)
    assert figures["kakaopay_store_up", ""] == 0
    assert figures["kakaopay_deliveries_total", "accepted"] == 1
