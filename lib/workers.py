"""What goes on beside requests and screens: finishing what a crash or a silence left open, asking for what is
overdue, sending bulk refunds, and telling a simulator of sample data."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from lib.board import Board, BoardError
from lib.demo.handing import HandingOver
from lib.ledger.backfill import Backfilling, Round
from lib.ledger.books import compare_again
from lib.ledger.bulk.runner import Runner
from lib.ledger.configured import note_changes
from lib.ledger.database import StoreUnavailable
from lib.ledger.decisions import expire_waiting
from lib.ledger.desk import Desk
from lib.ledger.erasure import erase_old
from lib.ledger.introductions import introduce
from lib.ledger.payments import resume_creations
from lib.ledger.search import index_waiting
from lib.ledger.sending import release_due, resume_refunds
from lib.ledger.volumes import adopt_zone

_PAUSE_SECONDS = 3.0
_BUSY_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 300.0
_TELLING_PAUSE_SECONDS = 0.05
_INDEXING_SECONDS = 2.0
"""No longer at a time: a server that is asked to end waits for it."""
_YIELD = 9
_SPARED = 2000
"""Payments that may wait to be indexed while deliveries come in: a search reads that many in a few milliseconds."""
_COMPARED_A_ROUND = 20
_ATTEMPTS_TIMEOUTS = 3
"""A person's own call gives up after about this many time-outs; younger ones are left to it."""

logger = logging.getLogger(__name__)


class Workers:
    """Runs inside the server's event loop; the work itself is done in threads, so that nobody waits for it."""

    def __init__(self, desk: Desk, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells the seconds by which a round of indexing is limited."""
        self._desk = desk
        self._clock = clock
        self._backfilling = Backfilling(desk)
        self._runner = Runner(desk)
        # What was open when the process began has nobody left who waits for its answer.
        self._began = datetime.now(UTC)
        self._finishing = _Work("finishing open payments and refunds", self._finish)
        self._asking = _Work("asking for what is overdue", self._ask)
        self._sending = _Work("sending bulk refunds", self._send)
        self._handing_over = HandingOver(desk.database, Board(desk.checkout.base_url))
        self._telling = _Work("telling the simulator of sample data", self._tell)
        self._last_asking: Round | None = None
        self._settings_adopted = False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work for as long as the block lasts."""
        works = [self._finishing, self._asking, self._sending]
        if self._desk.settings.world == "simulator":
            works.append(self._telling)
        tasks = [asyncio.create_task(work.go_on()) for work in works]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(StoreUnavailable):
                await asyncio.to_thread(self._backfilling.release)

    def describe(self) -> dict[str, Any]:
        """What the workers are doing, for the health page: the problem in words or `ok`, and when each last ended a round."""
        asking = self._last_asking
        idle = "another process asks" if self._asking.last_round else "starting"
        return {
            "status": self._finishing.problem or self._asking.problem or self._sending.problem or "ok",
            "last_round": self._finishing.last_round,
            "watchdog": {
                "status": (asking.problem if asking else idle) or "ok",
                "last_round": self._asking.last_round,
                "asked": asking.asked if asking else 0,
                "found": asking.found if asking else 0,
            },
        }

    def _finish(self) -> float:
        if not self._settings_adopted:
            adopt_zone(self._desk.database, self._desk.settings.zone)
            note_changes(self._desk.database, self._desk.settings)
            self._settings_adopted = True
        patience = timedelta(seconds=self._desk.settings.checkout_timeout_seconds * _ATTEMPTS_TIMEOUTS)
        older_than = max(self._began, datetime.now(UTC) - patience)
        resume_creations(self._desk, older_than=older_than)
        resume_refunds(self._desk, older_than=older_than)
        release_due(self._desk, datetime.now(UTC))
        expire_waiting(self._desk, datetime.now(UTC))
        if self._desk.settings.retention_days:
            erase_old(self._desk.database, timedelta(days=self._desk.settings.retention_days))
        indexed = self._index()
        for _ in range(_COMPARED_A_ROUND):
            if not compare_again(self._desk.database, self._desk.settlement_days):
                break
        return _PAUSE_SECONDS if indexed else 0.0

    def _index(self) -> bool:
        """Let search find new payments by its index; while deliveries come in, in a tenth of the time, and not the last.

        Whether that is done.
        """
        until = self._clock() + _INDEXING_SECONDS
        while (began := self._clock()) < until:
            haste = self._desk.database.in_haste
            if not index_waiting(self._desk.database, spare=_SPARED if haste else 0):
                return True
            if haste:
                time.sleep(_YIELD * (self._clock() - began))
        return False

    def _send(self) -> float:
        return 0.0 if self._runner.round() else _BUSY_PAUSE_SECONDS

    def _tell(self) -> float:
        try:
            return _TELLING_PAUSE_SECONDS if self._handing_over.round() else _PAUSE_SECONDS
        except BoardError:
            return (
                _PAUSE_SECONDS  # a simulator without a board, or one that is away; without sample data it is not asked
            )

    def _ask(self) -> float:
        before, self._last_asking = self._last_asking, self._backfilling.round()
        if self._last_asking is None:
            return _PAUSE_SECONDS
        if self._last_asking.problem is None:
            busy = introduce(self._desk).more or self._last_asking.busy
            return _BUSY_PAUSE_SECONDS if busy else _PAUSE_SECONDS
        failed_before = before is not None and before.problem is not None
        return min(self._asking.pause * 2, _LONGEST_PAUSE_SECONDS) if failed_before else _PAUSE_SECONDS


class _Work:
    """One kind of work, done again and again. `do` works and returns how many seconds to pause."""

    def __init__(self, what: str, do: Callable[[], float]) -> None:
        self._what = what
        self._do = do
        self.pause = _PAUSE_SECONDS
        self.last_round: str | None = None
        self.problem: str | None = None

    async def go_on(self) -> None:
        while True:
            try:
                self.pause = await asyncio.to_thread(self._do)
                self.problem = None
            except Exception as error:
                told = isinstance(error, StoreUnavailable)  # what its words say needs no traceback
                logger.error("A round of %s failed; the next one tries again: %s", self._what, error, exc_info=not told)
                self.problem = f"{type(error).__name__} while {self._what}"
            self.last_round = datetime.now(UTC).isoformat()
            await asyncio.sleep(self.pause)
