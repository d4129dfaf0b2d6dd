"""What a server can be without in its first moments: begun behind them, and waited for by whoever needs it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from starlette.types import Receive, Scope, Send

logger = logging.getLogger(__name__)

drawing = threading.Event()
"""Set once this process has begun to draw a screen."""
shown = threading.Event()
"""Set once this process has drawn a screen, or somebody asks for what waits for that."""
_TICK = 0.02
_DRAWN_WITHIN = 10.0


async def head_start(seconds: float) -> None:
    """Wait for the first screen, or this long if nobody wants one: drawn beside what is being loaded, it takes longer.

    On a busy machine one that was begun may take some seconds more.
    """
    over = time.monotonic() + seconds
    while not shown.is_set():  # another thread sets it, with no loop at hand
        if time.monotonic() > over + (_DRAWN_WITHIN if drawing.is_set() else 0):
            break
        await asyncio.sleep(_TICK)


@contextlib.asynccontextmanager
async def later(start: Callable[[], AbstractAsyncContextManager[None]]) -> AsyncIterator[None]:
    """Enter what `start` makes while the block goes on already, and leave it when the block ends.

    A server that cannot have it is told to end: it would look whole and not be.
    """
    entered, over = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        async with start():
            entered.set()
            await over.wait()

    task = asyncio.create_task(run())
    task.add_done_callback(_end_if_failed)
    try:
        yield
    finally:
        over.set()
        if not entered.is_set():
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _end_if_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (problem := task.exception()):
        logger.error("What runs beside the screens failed; the server ends.", exc_info=problem)
        signal.raise_signal(signal.SIGTERM)


class Running(Protocol):
    """An ASGI app that works while `running`."""

    def running(self) -> AbstractAsyncContextManager[None]: ...

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


class LateApp:
    """An ASGI app that is made while the server runs already; who asks for it sooner waits."""

    def __init__(self, make: Callable[[], Running]) -> None:
        self._make = make
        self._app: Running | None = None
        self._made = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Make the app, in a thread, and answer with it for as long as the block lasts."""
        self._app = await asyncio.to_thread(self._make)
        async with self._app.running():
            self._made.set()
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._app:
            shown.set()  # the first screen itself may be the one who asks
        await self._made.wait()
        assert self._app
        await self._app(scope, receive, send)
