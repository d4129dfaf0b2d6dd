"""Real signed deliveries, many at a time, sent again until somebody acknowledges them, as Checkout.com does."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from lib.checkout.signature import sign
from tests.support.alone import WEBHOOK_KEY
from tests.support.events import at, balances, event

_GIVES_UP = 60.0


def lives(count: int, chance: random.Random, *, prefix: str = "crash") -> list[bytes]:
    """The events of so many payments, each captured and some of them refunded in part, shuffled."""
    raws: list[bytes] = []
    for number in range(count):
        about = {"id": f"pay_{prefix}_{number}", "currency": "HKD"}
        moment = at(number * 7)
        raws += [
            event("payment_pending", f"{prefix}{number}a", moment, amount=1000, reference=f"ORD-{number}", **about),
            event("payment_capture_pending", f"{prefix}{number}b", moment, amount=1000, action_id="act_c", **about),
            event(
                "payment_captured",
                f"{prefix}{number}c",
                moment,
                amount=1000,
                action_id=f"act_c{number}",
                balances=balances(1000, 0),
                **about,
            ),
        ]
        if number % 3 == 0:
            raws += [
                event(
                    "payment_refund_pending",
                    f"{prefix}{number}d",
                    moment,
                    amount=300,
                    action_id=f"act_r{number}",
                    **about,
                ),
                event(
                    "payment_refunded",
                    f"{prefix}{number}e",
                    moment,
                    amount=300,
                    action_id=f"act_r{number}",
                    balances=balances(1000, 300),
                    **about,
                ),
            ]
    chance.shuffle(raws)
    return raws


def id_of(raw: bytes) -> str:
    return str(json.loads(raw)["id"])


@dataclass
class Load:
    """Delivers events to receivers, each event to one of them until it is acknowledged. `acknowledged` holds their ids."""

    urls: Sequence[str]
    raws: Sequence[bytes]
    senders: int = 16
    acknowledged: set[str] = field(default_factory=set)
    sent: int = 0
    """Tries, with those that nobody answered."""

    def run(self, beside: Callable[[], None] = lambda: None) -> None:
        """Deliver everything, while `beside` runs in a thread; returns when both are done."""
        asyncio.run(self._run(beside))

    async def _run(self, beside: Callable[[], None]) -> None:
        waiting = list(reversed(self.raws))
        async with httpx.AsyncClient(trust_env=False, timeout=10) as client:

            async def send() -> None:
                while waiting:
                    await self._deliver(client, waiting.pop())

            await asyncio.gather(asyncio.to_thread(beside), *(send() for _ in range(self.senders)))

    async def _deliver(self, client: httpx.AsyncClient, raw: bytes) -> None:
        url = f"{self.urls[self.sent % len(self.urls)]}/webhooks/checkout"
        headers = {"Cko-Signature": sign(raw, WEBHOOK_KEY)}
        deadline = asyncio.get_running_loop().time() + _GIVES_UP
        while asyncio.get_running_loop().time() < deadline:
            self.sent += 1
            try:
                if (await client.post(url, content=raw, headers=headers)).status_code == 200:
                    self.acknowledged.add(id_of(raw))
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)
        raise AssertionError("nobody took the delivery")
