"""The backfill: asking Checkout.com about payments of which something is overdue, until nothing is, and no faster than it may.

Three kinds of payments are asked about: those newly overdue, the newest first; those asked about before and still
overdue, at growing gaps; and, with what is left of a round, all that can still change. The last is the patrol: after an
outage longer than Checkout.com's retries, about 30 hours (docs, November 2025), nothing else would ever tell us of a
refund made elsewhere meanwhile. One patrol follows every start, and one every day on which no webhook reaches us.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, zip_longest
from typing import Any

from sqlalchemy import Connection, exists, or_, select, tuple_, update

from lib import catalog
from lib.checkout import models
from lib.checkout.errors import OF_THE_SERVICE, CheckoutError
from lib.ledger.batch import Batch
from lib.ledger.database import Database
from lib.ledger.deliveries import DELIVERY
from lib.ledger.desk import Desk
from lib.ledger.facts import Fact
from lib.ledger.record import PAYMENT, store
from lib.ledger.reread import look_up
from lib.ledger.samples import is_sample
from lib.ledger.tables import Payment, time_text
from lib.ledger.watchdog import RULES, Expectation, candidates, expected
from lib.ledger.watches import BACKFILL, WATCH, Backfill

A_ROUND = 4
"""Payments asked about in one round, each with three calls and one for each event that we miss."""
SILENCE = timedelta(hours=30)
"""After so long without a webhook some may be lost for good: Checkout.com has given up on them."""
_A_DAY = timedelta(days=1)
_HOLD = timedelta(seconds=20)
_FAILED = (timedelta(seconds=30), timedelta(hours=6))
_HEARD = ("accepted", "duplicate", "unknown_type", "conflicting")


@dataclass(frozen=True, slots=True)
class Round:
    """What one round came to. `asked` payments, `found` facts that were new; `problem` is why it broke off, in words."""

    asked: int = 0
    found: int = 0
    problem: str | None = None
    busy: bool = False
    """Whether there may be more to ask at once."""


def backfill_state(database: Database) -> Backfill:
    """What the asking came to so far."""
    with database.read() as connection:
        return Backfill(**connection.execute(select(BACKFILL)).mappings().one())


class Backfilling:
    """One process's share of the asking. Of several processes on one ledger one asks at a time; the others stand by."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._database = desk.database
        self._me = secrets.token_hex(8)
        self._began = datetime.now(UTC)

    def round(self) -> Round | None:
        """Ask about a few payments; None while another process does. Raises `StoreUnavailable`."""
        now = datetime.now(UTC)
        state = self._hold(now)
        if state is None:
            return None
        plan = self._plan(now)
        done = self._ask_all(plan, self._ask)
        patrolled = Round()
        if not done.problem and len(plan) < A_ROUND:
            patrolled = self._patrol(state, now, A_ROUND - len(plan))
        whole = Round(
            done.asked + patrolled.asked,
            done.found + patrolled.found,
            done.problem or patrolled.problem,
            busy=len(plan) == A_ROUND or patrolled.busy,
        )
        if whole.asked or whole.problem:
            self._write_down(round_at=now, asked=whole.asked, found=whole.found, problem=whole.problem)
        return whole

    def release(self) -> None:
        """Let another process ask at once instead of after a while."""
        mine = update(BACKFILL).where(BACKFILL.c.holder == self._me)
        with self._database.write() as connection:
            connection.execute(mine.values(holder=None, held_until=None))

    def _hold(self, now: datetime) -> Backfill | None:
        """The present state, if it is this process that asks."""
        state = backfill_state(self._database)
        held = state.holder == self._me and state.held_until and state.held_until > now + _HOLD / 2
        if held:
            return state
        free = or_(BACKFILL.c.holder.is_(None), BACKFILL.c.holder == self._me, BACKFILL.c.held_until < now)
        take = update(BACKFILL).where(free).values(holder=self._me, held_until=now + _HOLD)
        with self._database.write() as connection:
            return state if connection.execute(take).rowcount else None

    def _plan(self, now: datetime) -> list[str]:
        """Whom to ask about: new trouble and old by turns, so that neither waits for the other to end."""
        with self._database.read() as connection:
            waiting = select(WATCH.c.payment_id, WATCH.c.problem).where(WATCH.c.next_at <= now)
            rows = connection.execute(waiting.order_by(WATCH.c.next_at).limit(10 * A_ROUND)).all()
            fresh = candidates(connection, now, limit=10 * A_ROUND, newest_first=True, unwatched=True)
            still = expected(connection, [row.payment_id for row in rows])
            new = expected(connection, fresh)
        at_rest = [row.payment_id for row in rows if row.payment_id not in still and row.problem is None]
        if at_rest:
            with self._database.write() as connection:
                connection.execute(WATCH.delete().where(WATCH.c.payment_id.in_(at_rest)))
        old = [row.payment_id for row in rows if row.payment_id not in at_rest]
        newest = sorted(
            (payment_id for payment_id, waited_for in new.items() if _due(waited_for, now)),
            key=lambda payment_id: max(each.due for each in _due(new[payment_id], now)),
            reverse=True,
        )
        turns = chain.from_iterable(zip_longest(newest, old))
        return [payment_id for payment_id in turns if payment_id is not None][:A_ROUND]

    def _ask_all(self, payment_ids: Sequence[str], ask: Callable[[str], int]) -> Round:
        asked = found = 0
        for payment_id in payment_ids:
            try:
                found += ask(payment_id)
                asked += 1
            except CheckoutError as error:
                self._settle(payment_id, [], problem=error.sentence, again=isinstance(error, OF_THE_SERVICE))
                if isinstance(error, OF_THE_SERVICE):
                    return Round(asked, found, error.sentence)
                asked += 1
        return Round(asked, found)

    def _ask(self, payment_id: str) -> int:
        return self._settle(payment_id, look_up(self._database, self._desk.checkout, payment_id))

    def _settle(self, payment_id: str, facts: list[Fact], *, problem: str | None = None, again: bool = False) -> int:
        """Store what was found and say when to ask again: not at all once nothing is waited for, unless told `again`."""
        now = datetime.now(UTC)
        with self._database.write() as connection:
            found = sum(stored.new for stored in store(connection, facts))
            waited_for = expected(connection, [payment_id]).get(payment_id, [])
            mine = WATCH.c.payment_id == payment_id
            if waited_for or again:
                tries = (connection.execute(select(WATCH.c.tries).where(mine)).scalar() or 0) + 1
                row = {
                    "payment_id": payment_id,
                    "tries": tries,
                    "asked_at": time_text(now),
                    "next_at": time_text(next_asking(waited_for, now, tries, failed=problem is not None)),
                    "problem": problem,
                }
                Batch(connection).upsert(WATCH, ("payment_id",), [row])
            else:
                connection.execute(WATCH.delete().where(mine))
        return found

    def _patrol(self, state: Backfill, now: datetime, count: int) -> Round:
        if state.patrol_began_at is None or state.patrol_ended_at is not None:
            if not self._patrol_is_due(state, now):
                return Round()
            state.patrol_began_at, state.patrol_ended_at = now, None
            state.patrol_at = state.patrol_seq = None
            state.patrol_asked = state.patrol_found = 0
        with self._database.read() as connection:
            payments = _next_on_patrol(connection, state, now, count)
        ours = {payment.id: payment for payment in payments}
        done = self._ask_all(list(ours), lambda payment_id: self._compare(ours[payment_id]))
        tried = done.asked + (done.problem is not None)
        if tried:  # one that broke the round off is on watch now
            last = payments[tried - 1]
            state.patrol_at, state.patrol_seq = last.requested_at, last.seq
        state.patrol_asked += done.asked
        state.patrol_found += done.found
        if not payments:
            state.patrol_ended_at = now
        names = ("began_at", "ended_at", "at", "seq", "asked", "found")
        self._write_down(**{f"patrol_{name}": getattr(state, f"patrol_{name}") for name in names})
        return Round(done.asked, done.found, done.problem, busy=bool(payments))

    def _patrol_is_due(self, state: Backfill, now: datetime) -> bool:
        if state.patrol_began_at is None or state.patrol_began_at < self._began:
            return True
        if now - state.patrol_began_at < _A_DAY:
            return False
        with self._database.read() as connection:
            last = [
                connection.execute(
                    select(DELIVERY.c.received_at)
                    .where(DELIVERY.c.verdict == verdict)
                    .order_by(DELIVERY.c.id.desc())
                    .limit(1)
                ).scalar()
                for verdict in _HEARD
            ]
        return all(moment is None or now - moment > SILENCE for moment in last)

    def _compare(self, payment: Payment) -> int:
        """Look at a payment's totals at Checkout.com, and at all of it only if they are not ours."""
        answer = self._desk.checkout.get_payment(payment.id)
        if agrees(payment, models.read(models.PaymentDetails, answer)):
            return 0
        return self._ask(payment.id)

    def _write_down(self, **values: Any) -> None:
        with self._database.write() as connection:
            connection.execute(update(BACKFILL).where(BACKFILL.c.holder == self._me).values(**values))


def agrees(payment: Payment, details: models.PaymentDetails) -> bool:
    """Whether Checkout.com's status and totals are ours."""
    totals = details.balances
    if totals is None or totals.total_captured is None:
        return details.status == payment.status
    pairs = (
        (totals.total_captured, payment.captured),
        (totals.total_refunded, payment.refunded),
        (totals.available_to_refund, payment.refundable.minor),
    )
    same = all(theirs in (None, ours) for theirs, ours in pairs)
    return same and (payment.captured > 0 or details.status == payment.status)


def next_asking(waited_for: Sequence[Expectation], now: datetime, tries: int, *, failed: bool) -> datetime:
    """When to ask again about a payment: the longer overdue, or the oftener in vain, the later."""
    if failed:
        least, most = _FAILED
        return now + min(least * (1 << min(tries, 20)), most)
    due = _due(waited_for, now)
    return min(now + _gap(each, now) for each in due) if due else min(each.due for each in waited_for)


def _gap(overdue: Expectation, now: datetime) -> timedelta:
    rule = RULES[overdue.what]
    return min(max((now - overdue.due) / 2, rule.ask_least), rule.ask_most)


def _due(waited_for: Sequence[Expectation], now: datetime) -> list[Expectation]:
    return [each for each in waited_for if each.due <= now]


def _next_on_patrol(connection: Connection, state: Backfill, now: datetime, count: int) -> list[Payment]:
    """The next payments, newest first, that can still change and are not on watch anyway.

    Fully refunded ones cannot change, nor those past the refund window; and of sample payments nobody else tells.
    """
    last_change = now - timedelta(days=catalog.kakaopay().refund_window_days)
    watched = exists().where(WATCH.c.payment_id == PAYMENT.c.id)
    real = ~is_sample(PAYMENT.c.id)
    wanted = select(PAYMENT).where(PAYMENT.c.requested_at > last_change, PAYMENT.c.status != "Refunded", ~watched, real)
    if state.patrol_at is not None:
        place = tuple_(PAYMENT.c.requested_at, PAYMENT.c.seq)
        wanted = wanted.where(place < (state.patrol_at, state.patrol_seq))
    newest = wanted.order_by(PAYMENT.c.requested_at.desc(), PAYMENT.c.seq.desc()).limit(count)
    return [Payment(**row) for row in connection.execute(newest).mappings()]
