"""Webhooks out: signed, over HTTP, at least once, on Checkout.com's schedule.

What is to be sent is in the database before anybody is told that it happened, so a killed process sends it after its restart.
Many deliveries are under way side by side, so that a slow answer holds up nobody; only while the clock stands still do they
go one after another, so that a run has one order.
"""

from __future__ import annotations

import asyncio
import heapq
import hmac
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from time import perf_counter
from typing import Final

import httpx
from sqlalchemy import select
from sqlalchemy.orm import Session

from lib.simulator.engine import Engine
from lib.simulator.store import Attempt, Event

_log = logging.getLogger(__name__)

SCHEDULE: Final = tuple(timedelta(minutes=minutes) for minutes in (5, 10, 15, 30, 60, 240, 720, 720))
"""Gaps between tries, each counted from the one before (docs, November 2025). After the last, the event has failed."""
_SIDE_BY_SIDE: Final = 64
_STRAY_KEY: Final = "retired-"


@dataclass(order=True, frozen=True)
class Parcel:
    """An event waiting for its next try."""

    due: datetime
    seq: int
    id: str = field(compare=False)
    body: str = field(compare=False)
    tries: int = field(compare=False)


@dataclass(frozen=True)
class _Result:
    outcome: str
    status: int | None
    milliseconds: int

    @property
    def accepted(self) -> bool:
        return self.outcome == "acknowledged"


class Courier:
    """Delivers the engine's events. `run` it on the server's loop."""

    def __init__(self, engine: Engine, client: httpx.AsyncClient) -> None:
        self._engine = engine
        self._client = client
        self._waiting: list[Parcel] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._loaded = False

    async def run(self) -> None:
        """Take up what an earlier process left, then deliver until cancelled; what is under way then is sent again later."""
        unfinished = await self._engine.read(self._unfinished)
        self._loaded = True
        self._add(unfinished)
        try:
            while True:
                self._wake.clear()
                self._send_due()
                await self._sleep()
        finally:
            self._loaded = False
            await self.forget()

    def notice(self) -> None:
        """The engine did something: take what it brought forth."""
        if self._loaded:
            self._add(self._engine.born())
            self._wake.set()

    async def forget(self) -> None:
        """Drop everything that waits or is under way. What is not written down as delivered stays in the database."""
        self._waiting = []
        under_way = list(self._under_way)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def reload(self) -> None:
        """Read again what waits: some of it may have been forgotten."""
        await self.forget()
        if self._loaded:
            self._add(await self._engine.read(self._unfinished))
            self._wake.set()

    async def resend(self, event_ids: list[str]) -> int:
        """Send events once more, now, with a fresh schedule. How many there were."""
        events = await self._engine.write(partial(_renew, event_ids=event_ids, now=self._engine.clock.now()))
        again = {event.seq for event in events}
        self._waiting = [parcel for parcel in self._waiting if parcel.seq not in again]
        heapq.heapify(self._waiting)
        self._add(events)
        self._wake.set()
        return len(events)

    @property
    def next_due(self) -> datetime | None:
        return self._waiting[0].due if self._waiting else None

    @property
    def idle(self) -> bool:
        """Whether every event was acknowledged, given up or has nobody to tell: nothing waits, now or for later."""
        return self._loaded and not (self._waiting or self._under_way)

    async def delivered(self) -> None:
        """Wait until nothing is under way and nothing that is due waits."""
        while self._loaded and (self._under_way or self._due()):
            self._idle.clear()
            self._wake.set()
            await self._idle.wait()

    def _due(self) -> bool:
        return bool(self._waiting) and self._waiting[0].due <= self._engine.clock.now()

    def _add(self, events: Iterable[Event]) -> None:
        # Before `run` has read the database nothing is taken in: it will find all of it there.
        for event in events if self._loaded else ():
            if event.next_at is not None:
                heapq.heappush(self._waiting, Parcel(event.next_at, event.seq, event.id, event.body, event.attempts))

    def _send_due(self) -> None:
        most = 1 if self._engine.clock.standing else _SIDE_BY_SIDE
        while self._due() and len(self._under_way) < most:
            task = asyncio.create_task(self._try(heapq.heappop(self._waiting)))
            self._under_way.add(task)
            task.add_done_callback(self._done)
        if not self._under_way:
            self._idle.set()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled() and task.exception():
            _log.error("A delivery broke off; it is taken up again after a restart.", exc_info=task.exception())
        self._wake.set()

    async def _sleep(self) -> None:
        full = len(self._under_way) >= _SIDE_BY_SIDE
        if self._engine.clock.standing or full or not self._waiting:
            await self._wake.wait()
            return
        seconds = (self._waiting[0].due - self._engine.clock.now()).total_seconds()
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _try(self, parcel: Parcel) -> None:
        number, faults, at = parcel.tries + 1, self._engine.faults, self._engine.clock.now()
        struck = [
            name
            for name in ("drop", "bad_signature", "old_key", "slow_acknowledgement")
            if faults.strikes(name, parcel.id, number)
        ]
        if "drop" in struck:
            result = _Result("lost", None, 0)
        else:
            result = await self._post(parcel.body, self._key(struck))
        if result.accepted and "slow_acknowledgement" in struck:
            result = _Result("acknowledged too late", result.status, result.milliseconds)
        event = await self._engine.write(partial(_write_down, parcel=parcel, at=at, result=result, struck=struck))
        if event is not None:
            self._add([event])
        if result.accepted and faults.strikes("duplicate", parcel.id, number):
            again = await self._post(parcel.body, self._key([]))
            await self._engine.write(partial(_write_copy, seq=parcel.seq, at=self._engine.clock.now(), result=again))

    def _key(self, struck: list[str]) -> str:
        keys = self._engine.options.webhook_keys
        if "bad_signature" in struck:
            return ""
        if "old_key" in struck:
            return keys[1] if len(keys) > 1 else _STRAY_KEY + keys[0]
        return keys[0]

    def _unfinished(self, db: Session) -> list[Event]:
        # In the engine's thread, so that no event is both read here and handed over as new.
        self._engine.born()
        return list(db.scalars(select(Event).where(Event.next_at.is_not(None)).order_by(Event.next_at, Event.seq)))

    async def _post(self, body: str, key: str) -> _Result:
        """Send once. A redirect or an answer after the limit is no acknowledgement."""
        options, raw = self._engine.options, body.encode()
        signature = hmac.digest(key.encode(), raw, "sha256").hex() if key else "0" * 64
        headers = {"Content-Type": "application/json", "Cko-Signature": signature}
        if options.webhook_authorization:
            headers["Authorization"] = options.webhook_authorization
        started, status = perf_counter(), None
        try:
            async with asyncio.timeout(options.acknowledge_seconds):
                response = await self._client.post(options.webhook(), content=raw, headers=headers)
            status, outcome = response.status_code, "acknowledged" if response.is_success else "refused"
        except TimeoutError:
            outcome = "no answer in time"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError):
            outcome = "not reached"
        return _Result(outcome, status, round((perf_counter() - started) * 1000))


def _write_down(db: Session, parcel: Parcel, at: datetime, result: _Result, struck: list[str]) -> Event | None:
    """Record a try. The event, if it is to be tried again."""
    event = db.get(Event, parcel.seq)
    if event is None or event.id != parcel.id:
        return None  # a new run has begun meanwhile
    db.add(_attempt(parcel.seq, at, result, struck))
    event.attempts = parcel.tries + 1
    if result.accepted or parcel.tries >= len(SCHEDULE):
        event.state, event.next_at = "delivered" if result.accepted else "failed", None
        return None
    event.next_at = at + SCHEDULE[parcel.tries]
    return event


def _write_copy(db: Session, seq: int, at: datetime, result: _Result) -> None:
    db.add(_attempt(seq, at, result, ["duplicate"]))


def _attempt(seq: int, at: datetime, result: _Result, struck: list[str]) -> Attempt:
    return Attempt(
        event_seq=seq,
        at=at,
        outcome=result.outcome,
        status=result.status,
        milliseconds=result.milliseconds,
        faults=",".join(struck),
    )


def _renew(db: Session, event_ids: list[str], now: datetime) -> list[Event]:
    events = list(db.scalars(select(Event).where(Event.id.in_(event_ids)).order_by(Event.seq)))
    for event in events:
        event.state, event.attempts, event.next_at = "waiting", 0, now
    return events
