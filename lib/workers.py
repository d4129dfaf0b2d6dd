"""What goes on beside requests and screens: finishing what a crash or a silence at Checkout.com left open."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from lib.ledger.desk import Desk
from lib.ledger.payments import resume_creations
from lib.ledger.refunds import resume_refunds
from lib.ledger.search import index_waiting

_PAUSE_SECONDS = 3.0
_INDEXED_A_ROUND = 20
_ATTEMPTS_TIMEOUTS = 3
"""A person's own call gives up after about this many time-outs; younger ones are left to it."""

logger = logging.getLogger(__name__)


class Workers:
    """Runs inside the server's event loop; the work itself is done in a thread, so that nobody waits for it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.last_round: datetime | None = None
        """When the last round ended; None before the first."""
        self.problem: str | None = None
        """Why the last round failed, in words; None when it did not."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work for as long as the block lasts."""
        task = asyncio.create_task(self._rounds())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _rounds(self) -> None:
        # What was open when the process began has nobody left who waits for its answer.
        began = datetime.now(UTC)
        while True:
            patience = timedelta(seconds=self._desk.settings.checkout_timeout_seconds * _ATTEMPTS_TIMEOUTS)
            older_than = max(began, datetime.now(UTC) - patience)
            try:
                await asyncio.to_thread(self._round, older_than)
                self.problem = None
            except Exception as error:
                logger.exception("A round of unfinished business failed; the next one tries again")
                self.problem = f"{type(error).__name__} while finishing open payments and refunds"
            self.last_round = datetime.now(UTC)
            await asyncio.sleep(_PAUSE_SECONDS)

    def _round(self, older_than: datetime) -> None:
        resume_creations(self._desk, older_than=older_than)
        resume_refunds(self._desk, older_than=older_than)
        for _ in range(_INDEXED_A_ROUND):
            if not index_waiting(self._desk.database):
                break
