"""What every route shares: answers in Checkout.com's form, bodies with a limit, the bearer key, the two `Cko-` headers."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lib.simulator.chance import Chance
from lib.simulator.problem import Mistake, Refusal

VERSION: Final = "3.32.0"
READS: Final = ("GET", "HEAD")
MAXIMUM_BODY: Final = 256 * 1024
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class Json(Response):
    """JSON with decimals as exact numbers."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return _ENCODER.encode(content)


def refused(request: Request, refusal: Exception) -> Response:
    """The answer to a refusal: an error body where there are codes, else nothing but the status."""
    assert isinstance(refusal, Refusal)
    if not refusal.codes:
        return Response(status_code=refusal.status)
    body = {
        "request_id": request.scope["state"]["request_id"],
        "error_type": refusal.kind,
        "error_codes": list(refusal.codes),
    }
    return Json(body, refusal.status)


def mistaken(_request: Request, mistake: Exception) -> Response:
    """The answer to a control request that makes no sense."""
    return Json({"error": str(mistake)}, 422)


def bare(_request: Request, error: Exception) -> Response:
    """The answer to a path or method that does not exist, or a body that is too long: the status alone."""
    assert isinstance(error, HTTPException)
    return Response(status_code=error.status_code, headers=error.headers)


def unreadable(_request: Request, _error: Exception) -> Response:
    """The answer to text that the database cannot hold, such as a zero byte on PostgreSQL."""
    return Response(status_code=400)


def gone(_request: Request, _error: Exception) -> Response:
    """Nobody is there any more to read this."""
    return Response(status_code=400)


HANDLERS: Final[Mapping[Any, Any]] = {
    Refusal: refused,
    Mistake: mistaken,
    HTTPException: bare,
    DataError: unreadable,
    ClientDisconnect: gone,
}


async def control_body(request: Request) -> dict[str, Any]:
    """The JSON object of a control request, or nothing. Raises `Mistake`."""
    raw = await request.body()
    if not raw.strip():
        return {}
    try:
        body = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        raise Mistake("The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Mistake("The body should be a JSON object.")
    return body


def authorised(header: str, keys: tuple[str, ...]) -> bool:
    """Whether an `Authorization` header carries one of the keys, compared in constant time."""
    scheme, _, key = header.partition(" ")
    fits = [hmac.compare_digest(key.encode(), each.encode()) for each in keys]
    return scheme.lower() == "bearer" and any(fits)


class Marks:
    """Middleware: `Cko-Request-Id` and `Cko-Version` on every answer, the id also for error bodies."""

    def __init__(self, app: ASGIApp, chance: Any) -> None:
        self._app = app
        self._chance = chance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        chance: Chance = self._chance()
        request_id = chance.request_id(reading=scope["method"] in READS)
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"cko-request-id", request_id.encode()),
                    (b"cko-version", VERSION.encode()),
                ]
            await send(message)

        await self._app(scope, receive, marked)
