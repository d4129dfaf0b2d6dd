"""Carrying SQLite's log over into the file, beside the commits instead of inside one of them.

Left to itself, SQLite does that within the commit that makes the log long, and with it waits every delivery: on a
large store for a hundred milliseconds, since thousands of pages lie anywhere in the file. Done by a thread the commits
go on meanwhile; but then the log is never carried over whole, and only after that does it begin anew. So the thread
does nearly all of it, again and again, and the little that is left is done between two commits.
"""

from __future__ import annotations

import asyncio
import logging

from lib.ledger.database import Database, StoreUnavailable

_EVERY = 2000
"""Stored deliveries after which some of the log is carried over; each adds four or five pages to it."""
_ANEW = 8000
"""Stored deliveries after which the log is to begin anew. Seldom, since one in a hundred may notice it, no more."""
_LITTLE = 1500
"""Pages that may be left for the turn in which no commit goes on."""

logger = logging.getLogger(__name__)


class Checkpoints:
    """Looks after the log of one SQLite file for the task that writes to it. Does nothing for PostgreSQL."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stored = self._passed = 0
        self._due = asyncio.Event()

    def stored(self, deliveries: int) -> None:
        """So many more have been committed."""
        self._stored += deliveries
        if self._stored >= _EVERY and self._database.sqlite:
            self._stored = 0
            self._due.set()

    async def go_on(self) -> None:
        """Work until cancelled, in the loop whose turns the commits share."""
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self._carry_over()
            except (StoreUnavailable, OSError) as error:
                logger.info("The log could not be carried over now: %s", error)

    async def _carry_over(self) -> None:
        left = await asyncio.to_thread(self._most_of_it)
        self._passed += _EVERY
        if self._passed >= _ANEW and left <= _LITTLE:  # else somebody reads an old state, and the next time will do
            await asyncio.to_thread(self._most_of_it)  # what came meanwhile, which is less
            self._database.checkpoint()
            self._passed = 0

    def _most_of_it(self) -> int:
        left = self._database.checkpoint()
        self._database.settle()
        return left
