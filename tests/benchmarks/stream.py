"""What a receiver is sent while it is measured: signed requests, every event unique, in the order they would arrive."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count, islice
from pathlib import Path

import msgspec

from lib.checkout.signature import sign
from lib.settings import WEBHOOK_PATH
from tests.benchmarks.lives import Life, life, refund, webhooks

KEY = "benchmark-signature-key"
_SPREAD = 200
"""A life's later events arrive about this many births after its first, so that many payments are under way at once."""


def write(file: Path, *, first: int, events: int, at: datetime, captured_before: Sequence[Life] = ()) -> int:
    """Write `events` requests of the lives from number `first` on; returns the number of the next life not used.

    With `captured_before`, refunds are of those payments, as most refunds are of payments that are days old.
    """
    bodies, following = _bodies(first, events, at, captured_before)
    file.write_bytes(msgspec.msgpack.encode([_request(raw) for raw in bodies]))
    return following


def read(file: Path) -> list[bytes]:
    """Whole HTTP requests, ready to send."""
    return msgspec.msgpack.decode(file.read_bytes(), type=list[bytes])


def _bodies(first: int, events: int, at: datetime, old: Sequence[Life]) -> tuple[list[bytes], int]:
    chance = random.Random(first)
    placed: list[tuple[float, bytes]] = []
    index = first
    for index in count(first):
        born = life(index, at + timedelta(milliseconds=index - first))
        for number, (_, raw) in enumerate(_told(born, old, chance)):
            placed.append((index + number * _SPREAD * (1 + chance.random()), raw))
        if len(placed) >= events:
            break
    return [raw for _, raw in islice(sorted(placed), events)], index + 1


def _told(born: Life, old: Sequence[Life], chance: random.Random) -> list[tuple[datetime, bytes]]:
    told = list(webhooks(born))
    if not old or len(told) <= 3:
        return told
    of, amount = chance.choice(old), max(1, born.amount // 50)
    name = f"refund of {born.index}"
    return told[:3] + list(refund(of, name, min(amount, of.amount), min(amount, of.amount), born.requested_at))


def _request(raw: bytes) -> bytes:
    head = (
        f"POST {WEBHOOK_PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Cko-Signature: {sign(raw, KEY)}\r\nContent-Length: {len(raw)}\r\n\r\n"
    )
    return head.encode() + raw
