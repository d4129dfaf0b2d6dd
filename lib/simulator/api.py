"""Checkout.com's paths: who may ask, what is in the way today, and then the engine."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from time import monotonic
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lib.simulator import shapes
from lib.simulator.engine import Engine
from lib.simulator.faults import Switch
from lib.simulator.http import READS, Json, authorised
from lib.simulator.problem import NOT_ALLOWED, NOT_FOUND, TOO_MANY, UNAUTHORISED, Refusal, invalid
from lib.simulator.store import Action, Payment

Handler = Callable[[Request], Awaitable[Response]]


class Gate:
    """In front of every path of the API: the bearer key, the rate limit, and the faults that strike requests."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._recent: dict[bool, deque[float]] = {True: deque(), False: deque()}
        self._busy: set[object] = set()
        self._writes = count(1)
        self._reads = count(1)

    def __call__(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            if not authorised(request.headers.get("authorization", ""), self._engine.options.secret_keys):
                raise Refusal(UNAUTHORISED)
            reading = request.method in READS
            self._count(reading)
            return await self._strike(request, handler, reading)

        return guarded

    def _count(self, reading: bool) -> None:
        limit = self._engine.options.requests_per_second
        if limit is None:
            return
        recent, now = self._recent[reading], monotonic()
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= limit:
            raise Refusal(TOO_MANY)
        recent.append(now)

    async def _strike(self, request: Request, handler: Handler, reading: bool) -> Response:
        subject = ("read" if reading else "write", next(self._reads if reading else self._writes))

        def strikes(name: str) -> Switch | None:
            return self._engine.faults.strikes(name, *subject)

        if strikes("too_many_requests"):
            raise Refusal(TOO_MANY)
        if strikes("bad_gateway"):
            raise Refusal(502)
        if before := strikes("timeout_before"):
            return await _hang(request, before.seconds or 0)
        answer = await self._alone(request, handler, strikes("slow_answer"))
        if after := strikes("timeout_after"):
            return await _hang(request, after.seconds or 0)
        return answer

    async def _alone(self, request: Request, handler: Handler, slow: Switch | None) -> Response:
        """While one request with an idempotency key is under way, others with that key get 429."""
        key = request.headers.get("cko-idempotency-key")
        place = f"{request.url.path} {key}" if key is not None else object()
        if place in self._busy:
            raise Refusal(TOO_MANY)
        self._busy.add(place)
        try:
            if slow:
                await asyncio.sleep(slow.seconds or 0)
            return await handler(request)
        finally:
            self._busy.discard(place)


class Payments:
    """`/payments` and below."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def routes(self, gate: Gate) -> list[Route]:
        one = "/payments/{payment_id}"
        actions: list[tuple[str, str, Handler]] = [
            ("/payments", "POST", self.create),
            ("/payments", "GET", self.find),
            (one, "GET", self.details),
            (f"{one}/actions", "GET", self.actions),
            (f"{one}/refunds", "POST", self.refund),
            (f"{one}/reversals", "POST", self.reverse),
            *((f"{one}/{name}", "POST", self.not_allowed) for name in _CARDS_ONLY),
        ]
        return [Route(path, gate(handler), methods=[method]) for path, method, handler in actions]

    async def create(self, request: Request) -> Response:
        return await self._post(request, "create")

    async def refund(self, request: Request) -> Response:
        return await self._post(request, "refund", payment_id=request.path_params["payment_id"])

    async def reverse(self, request: Request) -> Response:
        return await self._post(request, "reverse", payment_id=request.path_params["payment_id"])

    async def find(self, request: Request) -> Response:
        """A look-up by reference, newest first; the API has no list of all payments."""
        reference = request.query_params.get("reference", "")
        limit, skip = _number(request, "limit", 10, 1, 100), _number(request, "skip", 0, 0, 1_000_000_000)
        if not reference:
            raise invalid("reference_invalid")
        base = self._engine.options.base()

        def query(db: Session) -> dict[str, Any]:
            where = Payment.reference == reference
            total = db.scalar(select(func.count()).select_from(Payment).where(where))
            page = db.scalars(select(Payment).where(where).order_by(Payment.seq.desc()).limit(limit).offset(skip))
            data = [shapes.details(db, payment, base) for payment in page]
            return {"limit": limit, "skip": skip, "total_count": total, "data": data}

        return Json(await self._engine.read(query))

    async def details(self, request: Request) -> Response:
        base = self._engine.options.base()
        return await self._show(request, lambda db, payment: shapes.details(db, payment, base))

    async def actions(self, request: Request) -> Response:
        """Decided actions, newest first. A refund that is still pending is not among them."""

        def query(db: Session, payment: Payment) -> list[dict[str, Any]]:
            decided = Action.payment_id == payment.id, Action.status != "pending"
            newest = select(Action).where(*decided).order_by(Action.processed_on.desc(), Action.seq.desc())
            return [shapes.action(action, payment) for action in db.scalars(newest)]

        return await self._show(request, query)

    async def not_allowed(self, request: Request) -> Response:
        """What cards can do and KakaoPay cannot: 404 for an unknown payment, else 403."""
        await self._show(request, lambda _db, _payment: None)
        raise Refusal(NOT_ALLOWED)

    async def _show(self, request: Request, query: Callable[[Session, Payment], Any]) -> Response:
        identifier = request.path_params["payment_id"]

        def ask(db: Session) -> Any:
            payment = db.scalar(select(Payment).where(Payment.id == identifier))
            if payment is None:
                raise Refusal(NOT_FOUND)
            return query(db, payment)

        return Json(await self._engine.read(ask))

    async def _post(self, request: Request, kind: str, **arguments: Any) -> Response:
        key = request.headers.get("cko-idempotency-key")
        raw = text(await request.body())
        status, body = await self._engine.perform(kind, raw=raw, key=key, **arguments)
        return Json(body, status)


_CARDS_ONLY: Final = ("captures", "voids", "authorizations", "cancellations")


def text(raw: bytes) -> str:
    """A body as text; 400 for broken UTF-8."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Refusal(400, "request_json_invalid") from None


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    given = request.query_params.get(name, str(default))
    if not (given.isascii() and given.isdigit() and len(given) < 12 and least <= int(given) <= most):
        raise invalid("parameter_invalid")
    return int(given)


async def _hang(request: Request, seconds: float) -> Response:
    """Say nothing until the client gives up or the time is over, then 504."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    return Response(status_code=504)
