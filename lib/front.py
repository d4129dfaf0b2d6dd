"""What stands at the door of every process that takes webhooks: the receiver, `/healthz`, `/metrics`, and nothing slow before them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import sys
from collections.abc import AsyncIterator, Callable
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lib import logs
from lib.gate import INSIDES_ARE_LOCAL, is_local
from lib.health import health
from lib.ledger.database import Database
from lib.receiver import Receiver, answer
from lib.settings import WEBHOOK_PATH, Settings, SettingsError, load


class Front:
    """An ASGI app that keeps the receiver and the health page to itself and hands everything else on.

    As middleware of Streamlit's server it saves deliveries, which are many, from what browsers need. Alone, everything
    else is 404. It serves once `open()` was entered.
    """

    def __init__(self, inner: ASGIApp | None = None) -> None:
        self._inner = inner
        self._receiver: Receiver | None = None
        self._database: Database | None = None
        self.workers: Callable[[], dict[str, Any]] | None = None
        """Tells what the workers are doing. A receiver alone has none."""
        self._trusted: tuple[IPv4Network | IPv6Network, ...] = ()

    def before(self, inner: ASGIApp) -> Front:
        """This front with `inner` behind it, in the shape that middleware is asked for."""
        self._inner = inner
        return self

    @contextlib.asynccontextmanager
    async def open(self, database: Database, settings: Settings) -> AsyncIterator[None]:
        """Take deliveries into `database` for as long as the block lasts.

        A thread that computes (a page, the replay proof, the rest of a start) gives way after half a millisecond; a batch
        asks for its turn dozens of times, and by default waits up to five each time.
        """
        sys.setswitchinterval(0.0005)
        receiver = Receiver(database, settings.webhook_keys)
        async with receiver.running():
            self._database, self._receiver = database, receiver
            self._trusted = settings.proxies
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"].rstrip("/")
            if path == WEBHOOK_PATH and self._receiver:
                await self._receiver(scope, receive, send)
                return
            if path == "/healthz":
                await self._health(send)
                return
            if path == "/metrics" and self._database and self._receiver:
                if is_local(scope, self._trusted):
                    figures, kind = await asyncio.to_thread(_metrics, self._database, self._receiver)
                    await answer(send, 200, figures.decode(), kind=kind)
                else:
                    await answer(send, 403, INSIDES_ARE_LOCAL)
                return
        if self._inner:
            await self._inner(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await answer(send, 404, f"Only {WEBHOOK_PATH}, /healthz and /metrics are here.")

    async def _health(self, send: Send) -> None:
        if self._database and self._receiver:
            status, said = await health(self._database, self._receiver, self.workers and self.workers())
        else:
            status, said = 503, {"status": "starting"}
        await answer(send, status, json.dumps(said), kind="application/json")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """Serve alone, with the settings of the environment, for as long as the server runs."""
        await receive()
        async with contextlib.AsyncExitStack() as stack:
            try:
                settings = load()
                logs.configure(settings)
                settle()
                await stack.enter_async_context(self.open(Database(settings.database_url), settings))
            except SettingsError as error:
                failed: Message = {"type": "lifespan.startup.failed", "message": str(error)}
                await send(failed)
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})


def _metrics(database: Database, receiver: Receiver) -> tuple[bytes, str]:
    from lib.metrics import CONTENT_TYPE, metrics  # noqa: PLC0415 - few are asked for them, and none at the start

    return metrics(database, receiver), CONTENT_TYPE


_IN_USE = 50_000
"""More objects than a batch has in use."""


@cache
def settle() -> None:
    """Set this process up for deliveries, once, when all is loaded.

    Garbage is collected less often, and what the start has loaded is not looked through again: by default every seven
    hundred new objects are, dozens of times a batch while all of them are in use.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_IN_USE, 10, 10)
    gc.enable()


app = Front()
"""The receiver alone: `uvicorn lib.front:app`."""
