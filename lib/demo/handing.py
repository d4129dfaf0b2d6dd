"""Making sample payments known to the simulator, so that they can be refunded, paid and read there like any others.

The simulator's own record says how far it is, so nothing here has to be remembered, and whatever happens to either of
the two, the next round sets right.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from sqlalchemy import delete

from lib.board import Board
from lib.demo.filling import plan_of
from lib.demo.lives import Life, lives
from lib.demo.there import known_there
from lib.ledger.database import Database
from lib.ledger.samples import SAMPLE, find_sample

AT_ONCE = 500


class HandingOver:
    """One process's share of the telling. Several do no harm: the simulator takes each part once."""

    def __init__(self, database: Database, board: Board) -> None:
        self._database = database
        self._board = board
        self._label = ""
        self._next = 0
        self._rest: Iterator[Life] = iter(())

    def round(self) -> bool:
        """Tell a little. Whether there is more to tell. Raises `BoardError` and `StoreUnavailable`."""
        sample = find_sample(self._database)
        if sample is None:
            return False
        held = self._board.taken()
        plan = plan_of(sample)
        leaving = sample.state in ("removing", "removed")
        if held.label is not None and (leaving or held.label != plan.label):
            self._board.forget_taken()
        elif not leaving and held.count < sample.payments:
            if (self._label, self._next) != (plan.label, held.count):
                self._label, self._next = plan.label, held.count
                self._rest = islice(lives(plan), held.count, None)
            some = [known_there(life) for life in islice(self._rest, AT_ONCE)]
            self._next = self._board.take(plan.label, held.count, some).count
        elif sample.state != "removed":
            return False
        else:
            with self._database.write() as connection:
                connection.execute(delete(SAMPLE).where(SAMPLE.c.state == "removed"))
            return False
        return True
