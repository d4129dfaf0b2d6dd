"""The control board over HTTP, below `/_control/`: faults, account, clock, seed and runs, deliveries.

No key is asked for: whoever mounts the simulator keeps this to the local machine. What makes no sense is answered 422 with
`{"error": sentence}`.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lib import catalog
from lib.simulator import runs, shapes, taken
from lib.simulator.clock import parse, stamp
from lib.simulator.delivery import Courier
from lib.simulator.engine import Engine
from lib.simulator.http import Json, control_body
from lib.simulator.problem import Mistake
from lib.simulator.store import Attempt, Event, Payment, Visit

_LONGEST: Final = timedelta(days=3660)
_UNITS: Final = ("seconds", "minutes", "hours", "days")
_STRIDE: Final = timedelta(seconds=1)

_LONGEST_RUN: Final = 64 * 1024 * 1024
"""Bytes of a saved run: a day of demonstrating is a few hundred kilobytes."""
_LARGEST_LOT: Final = 16 * 1024 * 1024
"""Bytes of payments taken over at once; a thousand take about one and a half million."""


class Control:
    """The control board of one simulator."""

    def __init__(self, engine: Engine, courier: Courier) -> None:
        self._engine = engine
        self._courier = courier

    def routes(self) -> list[Route]:
        return [
            Route("/state", self.state, methods=["GET"]),
            Route("/faults", self.faults, methods=["GET"]),
            Route("/faults", self.set_faults, methods=["PUT"]),
            Route("/account", self.account, methods=["GET"]),
            Route("/account", self.set_account, methods=["PUT"]),
            Route("/clock", self.clock, methods=["GET"]),
            Route("/clock/advance", self.advance, methods=["POST"]),
            Route("/seed", self.seed, methods=["GET"]),
            Route("/seed", self.begin, methods=["PUT"]),
            Route("/run", self.run, methods=["GET"]),
            Route("/run", self.replay, methods=["POST"], max_body_size=_LONGEST_RUN),
            Route("/payments", self.payments, methods=["GET"]),
            Route("/visits/{payment_id}", self.visit, methods=["GET"]),
            Route("/payments/taken", self.taken, methods=["GET"]),
            Route("/payments/taken", self.take, methods=["POST"], max_body_size=_LARGEST_LOT),
            Route("/payments/taken", self.forget, methods=["DELETE"]),
            Route("/expire/{payment_id}", self.expire, methods=["POST"]),
            Route("/sources/{source_id}/revoke", self.revoke, methods=["POST"]),
            Route("/deliveries", self.deliveries, methods=["GET"]),
            Route("/deliveries/{event_id}/resend", self.resend, methods=["POST"]),
        ]

    async def state(self, request: Request) -> Response:
        """Faults, account, clock and seed at once, as a screen shows them; `?deliveries=` adds those in that state."""
        found = {**self._faults(), "account": self._account(), "clock": self._clock(), "run": self._seed()}
        state = request.query_params.get("deliveries")
        if state == "waiting" and self._courier.idle:  # as mostly, and known without asking the database
            found["deliveries"] = []
        elif state is not None:
            found["deliveries"] = await self._delivered([Event.state == state] if state else [], _limit(request))
        return Json(found)

    async def faults(self, _request: Request) -> Response:
        return Json(self._faults())

    def _faults(self) -> dict[str, Any]:
        return {"faults": self._engine.faults.describe()}

    async def set_faults(self, request: Request) -> Response:
        """`{name: {on, rate, times, seconds, code}}`, each optional; `?clear=true` puts all others back first."""
        patch = await control_body(request)
        await self._engine.perform("faults", patch=patch, clear=request.query_params.get("clear") == "true")
        return await self.faults(request)

    async def account(self, _request: Request) -> Response:
        return Json(self._account())

    def _account(self) -> dict[str, Any]:
        options = self._engine.options
        return {
            **asdict(self._engine.account),
            "offers": {name: list(offer.currencies) for name, offer in catalog.offers().items()},
            "processing_channel_id": options.processing_channel_id,
            "entity_id": options.entity_id,
            "zone": options.zone,
        }

    async def set_account(self, request: Request) -> Response:
        """`{currencies, kakaopay}`, each optional."""
        await self._engine.perform("account", patch=await control_body(request))
        return await self.account(request)

    async def clock(self, _request: Request) -> Response:
        return Json(self._clock())

    def _clock(self) -> dict[str, Any]:
        clock = self._engine.clock
        ahead = clock.save()["offset_seconds"]
        due = self._engine.next_due
        return {
            "now": stamp(clock.now()),
            "standing": clock.standing,
            "ahead_seconds": round(ahead),
            "next_happening": stamp(due) if due else None,
            "next_delivery": stamp(self._courier.next_due) if self._courier.next_due else None,
        }

    async def advance(self, request: Request) -> Response:
        """`{seconds, minutes, hours, days}`, added up. Everything due on the way happens, and is delivered, at its own time."""
        body = await control_body(request)
        whole = all(isinstance(value, int | float) and not isinstance(value, bool) for value in body.values())
        if not body or not whole or set(body) - set(_UNITS) or not 0 < (gap := _gap(body)) <= _LONGEST.total_seconds():
            raise Mistake("Say how far: seconds, minutes, hours or days, more than nothing and at most ten years.")
        await self._walk(self._engine.clock.now() + timedelta(seconds=gap))
        return await self.clock(request)

    async def seed(self, _request: Request) -> Response:
        return Json(self._seed())

    def _seed(self) -> dict[str, Any]:
        return {"seed": self._engine.chance.seed, "standing": self._engine.clock.standing}

    async def begin(self, request: Request) -> Response:
        """Forget everything and start a run: `{seed, clock: "standing" | "real", at}`.

        The clock stands unless `real` is asked for: only then do times repeat. `seed` null means any seed and the real clock.
        """
        body = await control_body(request)
        seed, mode, at = body.get("seed"), body.get("clock", "standing"), body.get("at")
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int | str) or not str(seed)):
            raise Mistake("seed is a number, a word or null.")
        if mode not in ("standing", "real"):
            raise Mistake("clock is standing or real.")
        start = _moment(at) if at is not None else None
        await self._courier.forget()
        await self._engine.begin(
            None if seed is None else str(seed), at=start, standing=mode == "standing" and seed is not None
        )
        return await self.seed(request)

    async def run(self, _request: Request) -> Response:
        """The present run, to be kept in a file."""
        return Json(
            await self._engine.alone(runs.save),
            headers={"Content-Disposition": 'attachment; filename="simulator-run.json"'},
        )

    async def replay(self, request: Request) -> Response:
        """Live a saved run again; `same` says whether every event came out the same, to the byte."""
        body = await control_body(request)
        await self._courier.forget()
        return Json(await self._engine.alone(partial(runs.replay, run=body)))

    async def payments(self, request: Request) -> Response:
        """The newest payments, with the links of their wallet pages. Not part of Checkout.com's API."""
        base = self._engine.options.base()

        def query(db: Session) -> list[dict[str, Any]]:
            newest = db.scalars(select(Payment).order_by(Payment.seq.desc()).limit(_limit(request)))
            return [shapes.details(db, payment, base) for payment in newest]

        return Json({"data": await self._engine.read(query)})

    async def visit(self, request: Request) -> Response:
        """When the payment's wallet page was first opened: `{"opened_on"}`, null if it never was."""

        def query(db: Session) -> Visit | None:
            return db.get(Visit, request.path_params["payment_id"])

        visit = await self._engine.read(query)
        return Json({"opened_on": stamp(visit.at) if visit else None})

    async def taken(self, _request: Request) -> Response:
        """What is taken over: `{label, count}`."""
        return Json(await self._engine.read(taken.held))

    async def take(self, request: Request) -> Response:
        """Take over payments that were made elsewhere: `{label, start, payments}`; what is held afterwards.

        A lot is handed over in parts: `start` is how many of it are here. Each of `payments` says what Checkout.com would
        know of it, as `taken._payment` and `taken._action` read it.
        """
        body = await control_body(request)
        label, start, payments = body.get("label"), body.get("start"), body.get("payments")
        if not (isinstance(label, str) and label and isinstance(start, int) and isinstance(payments, list)):
            raise Mistake("Say label, start and payments.")
        return Json(await self._engine.alone(partial(taken.take, label=label, start=start, payments=payments)))

    async def forget(self, _request: Request) -> Response:
        """Forget what was taken over, with everything that happened to it."""
        await self._engine.alone(taken.forget)
        await self._courier.reload()
        return Response(status_code=204)

    async def expire(self, request: Request) -> Response:
        """End a payment's link now."""
        await self._engine.perform("expire", payment_id=request.path_params["payment_id"])
        return Response(status_code=204)

    async def revoke(self, request: Request) -> Response:
        """The customer ends the agreement behind a stored source."""
        await self._engine.perform("revoke", source_id=request.path_params["source_id"])
        return Response(status_code=204)

    async def deliveries(self, request: Request) -> Response:
        """Events, newest first, each with its tries. `?payment_id=`, `?state=`, `?before=` (a seq), `?limit=`."""
        asked, limit = request.query_params, _limit(request)
        where: list[Any] = []
        if asked.get("payment_id"):
            where.append(Event.payment_id == asked["payment_id"])
        if asked.get("state"):
            where.append(Event.state == asked["state"])
        if asked.get("before"):
            where.append(Event.seq < _whole("before", asked["before"]))
        return Json({"data": await self._delivered(where, limit)})

    async def _delivered(self, where: list[Any], limit: int) -> list[dict[str, Any]]:
        """The newest events of which `where` holds, each with its tries."""

        def query(db: Session) -> list[dict[str, Any]]:
            events = db.scalars(select(Event).where(*where).order_by(Event.seq.desc()).limit(limit)).all()
            if not events:
                return []
            tries: dict[int, list[dict[str, Any]]] = {event.seq: [] for event in events}
            for attempt in db.scalars(select(Attempt).where(Attempt.event_seq.in_(tries)).order_by(Attempt.seq)):
                tries[attempt.event_seq].append(shapes.attempt(attempt))
            return [{**shapes.delivery(event), "attempts": tries[event.seq]} for event in events]

        return await self._engine.read(query)

    async def resend(self, request: Request) -> Response:
        """Deliver an event once more, with a fresh schedule."""
        if not await self._courier.resend([request.path_params["event_id"]]):
            return Response(status_code=404)
        return Response(status_code=202)

    async def _walk(self, to: datetime) -> None:
        """Move the clock to `to`, stopping for every delivery due on the way, so that each is made at its own time."""
        await self._courier.delivered()  # what was under way before belongs to the time before
        while True:
            stops = [due for due in (self._courier.next_due, self._engine.next_due) if due is not None]
            stop = min(stops, default=to) + _STRIDE
            if stop >= to:
                break
            await self._engine.move(stop)
            await self._courier.delivered()
        await self._engine.move(to)
        await self._courier.delivered()


def _gap(body: dict[str, Any]) -> float:
    return timedelta(**{unit: min(body.get(unit, 0), 1e9) for unit in _UNITS}).total_seconds()


def _moment(value: Any) -> datetime:
    try:
        return parse(value)
    except (TypeError, ValueError):
        raise Mistake("at is a time with its zone, such as 2026-03-02T09:00:00Z.") from None


def _whole(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 16):
        raise Mistake(f"{name} is a whole number.")
    return int(value)


def _limit(request: Request) -> int:
    return min(max(_whole("limit", request.query_params.get("limit", "50")), 1), 500)
