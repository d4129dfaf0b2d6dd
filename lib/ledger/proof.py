"""The comparison of `rebuild` beside the screens: one at a time in a process, watched and cancelled from any of them."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from lib.ledger.audit import note, permit
from lib.ledger.database import Database, StoreUnavailable
from lib.ledger.rebuild import Comparison, compare
from lib.ledger.record import PAYMENT
from lib.operators import Operator

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is. `of` is about how many payments there are; `result` is there once it ended well.

    `problem` says in words why it ended otherwise.
    """

    began_at: datetime
    of: int = 0
    compared: int = 0
    ended_at: datetime | None = None
    result: Comparison | None = None
    problem: str | None = None

    @property
    def running(self) -> bool:
        return self.ended_at is None


class _Cancelled(Exception):
    """Somebody asked to stop."""


class Proof:
    """Folds all facts of one ledger again and compares, in a thread of its own. Changes nothing. Safe from any thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._progress: Progress | None = None

    @property
    def progress(self) -> Progress | None:
        """The comparison under way, or the last one; None before the first."""
        return self._progress

    def start(self, operator: Operator) -> None:
        """Begin, unless one is under way. Raises `NotAllowed` and `StoreUnavailable`."""
        permit(self._database, operator, "audit", "proof")
        with self._lock:
            if self._progress and self._progress.running:
                return
            with self._database.write() as connection:
                note(connection, operator, "proof.started", "proof")
            self._stop.clear()
            self._progress = Progress(began_at=datetime.now(UTC))
            threading.Thread(target=self._run, name="replay-proof", daemon=True).start()

    def cancel(self, operator: Operator) -> None:
        """End the one under way, soon. Raises `NotAllowed` and `StoreUnavailable`."""
        permit(self._database, operator, "audit", "proof")
        with self._database.write() as connection:
            note(connection, operator, "proof.cancelled", "proof")
        self._stop.set()

    def _run(self) -> None:
        try:
            with self._database.read() as connection:
                # Payments are numbered in a row, and only samples are ever deleted: the highest number is close to their count.
                self._say(of=connection.execute(select(func.max(PAYMENT.c.seq))).scalar() or 0)
            self._say(result=compare(self._database, progress=self._passed))
        except _Cancelled:
            self._say(problem="It was cancelled.")
        except StoreUnavailable as error:
            self._say(problem=str(error))
        except Exception:
            logger.exception("The comparison of all facts with the stored state failed")
            self._say(problem="It could not be finished; the log says why. Try again, and if it stays, ask for help.")
        finally:
            self._say(ended_at=datetime.now(UTC))

    def _passed(self, payments: int) -> None:
        if self._stop.is_set():
            raise _Cancelled
        self._say(compared=payments)

    def _say(self, **changes: Any) -> None:
        assert self._progress
        self._progress = replace(self._progress, **changes)
