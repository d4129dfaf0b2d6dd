"""What a person does at the simulator's control board: allowed or not, done, and noted in the audit log."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from lib.board import Board, Replayed
from lib.ledger.audit import note, permit
from lib.ledger.database import Database
from lib.operators import Operator, Right

T = TypeVar("T")


class BoardActs:
    """The board's switches for people. Every method raises `NotAllowed`, `BoardError` and `StoreUnavailable`.

    The simulator keeps its own records, so an act and its note are two steps: what it refused is not noted.
    """

    def __init__(self, board: Board, database: Database) -> None:
        self._board = board
        self._database = database

    def set_fault(self, operator: Operator, name: str, **values: Any) -> None:
        """As `Board.set_fault`."""
        self._act(operator, "fault_set", name, values, lambda: self._board.set_fault(name, **values))

    def all_off(self, operator: Operator) -> None:
        self._act(operator, "faults_off", "faults", None, self._board.all_off)

    def set_account(self, operator: Operator, **values: Any) -> None:
        """As `Board.set_account`."""
        self._act(operator, "account_set", "account", values, lambda: self._board.set_account(**values))

    def advance(self, operator: Operator, by: timedelta) -> None:
        """As `Board.advance`."""
        seconds = round(by.total_seconds())
        self._act(operator, "clock_moved", "clock", {"seconds": seconds}, lambda: self._board.advance(by))

    def begin(self, operator: Operator, seed: str | None, *, standing: bool) -> None:
        """As `Board.begin`."""
        run = {"seed": seed, "standing": standing}
        self._act(operator, "run_begun", "run", run, lambda: self._board.begin(seed, standing=standing))

    def save(self, operator: Operator) -> bytes:
        """The present run as a file."""
        return self._act(operator, "run_saved", "run", None, self._board.save)

    def replay(self, operator: Operator, run: bytes) -> Replayed:
        """As `Board.replay`."""
        which = {"sha256": hashlib.sha256(run).hexdigest()}
        return self._act(operator, "run_replayed", "run", which, lambda: self._board.replay(run))

    def resend(self, operator: Operator, event_id: str) -> None:
        """Deliver an event once more."""
        self._act(operator, "event_sent_again", event_id, None, lambda: self._board.resend(event_id))

    def revoke(self, operator: Operator, source_id: str) -> None:
        """The customer ends the agreement behind a stored source."""
        self._act(operator, "source_revoked", source_id, None, lambda: self._board.revoke(source_id))

    def decide(self, operator: Operator, payment_id: str, link: str, decision: str) -> None:
        """As `Board.decide`: play the customer, which whoever hands out links may do."""
        values = {"decision": decision}
        self._act(
            operator, "customer_played", payment_id, values, lambda: self._board.decide(link, decision), right="create"
        )

    def _act(
        self,
        operator: Operator,
        action: str,
        subject: str,
        values: dict[str, Any] | None,
        do: Callable[[], T],
        *,
        right: Right = "simulate",
    ) -> T:
        permit(self._database, operator, right, subject)
        done = do()
        with self._database.write() as connection:
            note(connection, operator, f"simulator.{action}", subject, None, values)
        return done
