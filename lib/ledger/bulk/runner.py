"""Sends the confirmed rows of bulk files, a few at a time, in whichever dashboards are running.

A row is claimed in the database before it is sent, so that two dashboards share the work; and its refund has the row's
own key, so that even a row claimed twice, after a crash, is one refund.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, exists, select, update

from lib.ledger.bulk.check import refunded_already
from lib.ledger.bulk.tables import BULK, LINE, SENDABLE
from lib.ledger.desk import Desk
from lib.ledger.queries import find_payment
from lib.ledger.record import REFUND, lock_payments
from lib.ledger.refund_rules import RefundProblem, RemainingMoved
from lib.ledger.refunds import request_refund
from lib.money import Money
from lib.operators import ROLES, NotAllowed, Operator

_ABREAST = 4
_CLAIM_TIMEOUTS = 3
"""After about so many time-outs a row that is still being sent was left behind by a crash: a call gives up before that."""
_TRIES = 20
REFUSALS = 10
"""So many refusals by Checkout.com one after another stop a file: then it is not the rows that are wrong."""


class Runner:
    """One process's share of the sending."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._database = desk.database
        self._claim_life = timedelta(seconds=desk.settings.checkout_timeout_seconds * _CLAIM_TIMEOUTS)
        self._unanswered: list[str] = []
        self._refusals = 0

    def round(self) -> bool:
        """Send a few rows of the file that was confirmed first. False when there was nothing to do, or nobody answers.

        Raises `StoreUnavailable`; what was claimed by then is sent in a later round.
        """
        bulk = self._next_bulk()
        if bulk is None or self._still_unanswered():
            return False
        lines = self._claim(bulk.id)
        if not lines:
            return self._finish(bulk.id)
        # Rows on one payment go one after the other: each must see what the one before has left.
        ordered = sorted(lines, key=lambda line: (line.payment_id, line.line))
        by_payment = [list(group) for _, group in groupby(ordered, lambda line: line.payment_id)]
        with ThreadPoolExecutor(_ABREAST) as pool:
            sent = list(pool.map(lambda group: [self._send(bulk, line) for line in group], by_payment))
        self._weigh(bulk, [status for group in sent for status in group])
        return True

    def _next_bulk(self) -> Row[Any] | None:
        first = select(BULK).where(BULK.c.state == "running").order_by(BULK.c.confirmed_at).limit(1)
        with self._database.read() as connection:
            return connection.execute(first).one_or_none()

    def _still_unanswered(self) -> bool:
        """Whether refunds of the last round are still being asked for: while Checkout.com is silent, no more are begun."""
        if self._unanswered:
            # One that is kept back on purpose is no sign of silence.
            silent = REFUND.c.status == "submitting", REFUND.c.held_until.is_(None)
            open_ones = select(REFUND.c.key).where(REFUND.c.key.in_(self._unanswered), *silent)
            with self._database.read() as connection:
                self._unanswered = list(connection.execute(open_ones).scalars())
        return bool(self._unanswered)

    def _claim(self, bulk_id: str) -> list[Row[Any]]:
        now = datetime.now(UTC)
        with self._database.write() as connection:
            running = select(BULK.c.id).where(BULK.c.id == bulk_id, BULK.c.state == "running")
            if connection.execute(running.with_for_update(read=True)).first() is None:
                return []
            found = self._free(connection, bulk_id, now)
            lock_payments(connection, [line.payment_id for line in found])
            already = refunded_already(connection, bulk_id, [line.payment_id for line in found])
            claimed = []
            for line in found:
                said = already.get((line.payment_id, line.amount, line.currency, line.reason, line.occurrence))
                if said:
                    _set(connection, line, status="already_refunded", said=said)
                else:
                    _set(connection, line, status="sending", claimed_until=now + self._claim_life)
                    claimed.append(line)
        return claimed

    def _free(self, connection: Connection, bulk_id: str, now: datetime) -> list[Row[Any]]:
        found: list[Row[Any]] = []
        for status in (*SENDABLE, "sending"):
            wanted = select(LINE).where(LINE.c.bulk_id == bulk_id, LINE.c.status == status)
            if status == "sending":
                wanted = wanted.where(LINE.c.claimed_until < now)
            first = wanted.order_by(LINE.c.line).limit(_ABREAST - len(found)).with_for_update(skip_locked=True)
            if len(found) < _ABREAST:
                found += connection.execute(first).all()
        return found

    def _send(self, bulk: Row[Any], line: Row[Any]) -> str:
        """Ask for one row's refund. Its status, or `refused`, or `ready` when others kept moving the payment meanwhile."""
        roles = (bulk.confirmed_roles or "").split(",")
        operator = Operator(
            bulk.confirmed_by, frozenset(role for role in ROLES if role in roles), origin=bulk.confirmed_origin
        )
        status, said, outcome = "ready", "", "ready"
        for _ in range(_TRIES):
            payment = find_payment(self._database, line.payment_id)
            assert payment, "payments are never deleted"
            try:
                refund = request_refund(
                    self._desk,
                    operator,
                    payment.id,
                    Money(line.amount, line.currency),
                    key=line.refund_key,
                    drawn_with=payment.refundable,
                    reason=line.reason,
                    note=line.note,
                )
            except RemainingMoved:
                continue
            except (RefundProblem, NotAllowed) as problem:
                status, said, outcome = "refused", str(problem), "refused"
            else:
                status, outcome = "sent", "held" if refund.held_until else refund.status
            break
        with self._database.write() as connection:
            _set(connection, line, status=status, said=said, claimed_until=None)
        if outcome == "submitting":
            self._unanswered.append(line.refund_key)
        return outcome

    def _weigh(self, bulk: Row[Any], outcomes: list[str]) -> None:
        """Stop a file of which Checkout.com refuses one refund after another."""
        for outcome in outcomes:
            self._refusals = self._refusals + 1 if outcome == "failed" else 0
        if self._refusals >= REFUSALS:
            self._refusals = 0
            said = (
                f"Checkout.com refused {REFUSALS} refunds one after another, so the file was stopped. "
                "See what it said below before you resume."
            )
            with self._database.write() as connection:
                running = update(BULK).where(BULK.c.id == bulk.id, BULK.c.state == "running")
                connection.execute(running.values(state="stopped", problem=said))

    def _finish(self, bulk_id: str) -> bool:
        """Mark a file done once no row is left. Whether it was."""
        left = exists().where(LINE.c.bulk_id == bulk_id, LINE.c.status.in_((*SENDABLE, "sending")))
        done = update(BULK).where(BULK.c.id == bulk_id, BULK.c.state == "running", ~left)
        with self._database.write() as connection:
            ended = connection.execute(done.values(state="done", ended_at=datetime.now(UTC)))
        return bool(ended.rowcount)


def _set(connection: Connection, line: Row[Any], **values: Any) -> None:
    mine = update(LINE).where(LINE.c.bulk_id == line.bulk_id, LINE.c.line == line.line)
    connection.execute(mine.values(**values))
