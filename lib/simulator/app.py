"""The simulator as an ASGI app, to be mounted in a server or run alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount

from lib.simulator.api import Gate, Payments
from lib.simulator.control import Control
from lib.simulator.delivery import Courier
from lib.simulator.engine import Engine
from lib.simulator.http import HANDLERS, MAXIMUM_BODY, Marks
from lib.simulator.options import Options
from lib.simulator.reports import Reports
from lib.simulator.statements import Statements
from lib.simulator.wallet import Wallet
from lib.simulator.workflows import Workflows

_log = logging.getLogger(__name__)

__all__ = ["Options", "Simulator", "create"]


class Simulator(Starlette):
    """A Starlette app. While `running`, events are delivered and due things happen; before and after, they wait in the database."""

    def __init__(self, options: Options) -> None:
        self.engine = Engine(options)
        self._client = httpx.AsyncClient(
            timeout=options.acknowledge_seconds,
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            headers={"User-Agent": "kakaopay-simulator"},
        )
        self.courier = Courier(self.engine, self._client)
        self._stir = asyncio.Event()
        gate = Gate(self.engine)
        super().__init__(
            routes=[
                *Payments(self.engine).routes(gate),
                *Workflows(self.engine, self.courier).routes(gate),
                *Statements(self.engine).routes(gate),
                *Reports(self.engine).routes(gate),
                *Wallet(self.engine).routes(),
                Mount("/_control", routes=Control(self.engine, self.courier).routes()),
            ],
            middleware=[Middleware(Marks, chance=lambda: self.engine.chance)],
            exception_handlers=HANDLERS,
            lifespan=_lifespan,
            max_body_size=MAXIMUM_BODY,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver and keep time on the running loop until the block ends. For a server that mounts this app: enter it in its own
        lifespan, since that of a mounted app is not run. May be entered once."""
        self.engine.told = self._told
        workers = [asyncio.create_task(work) for work in (self.courier.run(), self._keep_time())]
        for worker in workers:
            worker.add_done_callback(_complain)
        try:
            yield
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await self._client.aclose()
            self.engine.close()

    def _told(self) -> None:
        self.courier.notice()
        self._stir.set()

    async def _keep_time(self) -> None:
        while True:
            self._stir.clear()
            clock, due = self.engine.clock, self.engine.next_due
            if due is not None and not clock.standing and due <= clock.now():
                await self.engine.happen()
                continue
            seconds = None if due is None or clock.standing else (due - clock.now()).total_seconds()
            try:
                async with asyncio.timeout(seconds):
                    await self._stir.wait()
            except TimeoutError:
                continue


def _complain(worker: asyncio.Task[None]) -> None:
    if not worker.cancelled() and (problem := worker.exception()):
        _log.error("The simulator stopped working in the background; restart it.", exc_info=problem)


@asynccontextmanager
async def _lifespan(app: Simulator) -> AsyncIterator[None]:
    async with app.running():
        yield


def create(options: Options) -> Simulator:
    """Open the database and build the app."""
    return Simulator(options)
