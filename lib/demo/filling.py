"""Filling the ledger with sample data, a few hundred payments at a time, so that nobody else waits long for the store.

What is to be done stands in the row of `sample`; whoever holds it works, and every batch it stores says how far it is.
A process that dies leaves a row that another goes on from, or removes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select, update
from sqlalchemy.exc import IntegrityError

from lib.checkout.signature import sign
from lib.demo.facts import Arrival, arrivals, facts_of
from lib.demo.lives import FEWEST, LONGEST, MOST, Life, Plan, lives
from lib.ledger import audit
from lib.ledger.batch import Batch
from lib.ledger.closed.tables import PERIOD
from lib.ledger.database import Database
from lib.ledger.deliveries import DELIVERY
from lib.ledger.desk import Desk
from lib.ledger.facts import Fact
from lib.ledger.record import EVENT, PAYMENT, Stored, store
from lib.ledger.samples import SAMPLE, Sample, find_sample
from lib.ledger.tables import time_text
from lib.operators import Operator
from lib.settings import Settings

AT_ONCE = 200
"""Payments stored in one transaction."""
SILENT = timedelta(seconds=30)
"""After so long without a sign of life the process at work is taken for dead."""
_BEFORE_REAL = timedelta(minutes=15)
_SLOTS = 1 << 16
_BUSY = ("filling", "removing")


class SampleProblem(ValueError):
    """Sample data cannot be made or removed now; the message says why and what to do."""


class Progress(NamedTuple):
    """`done` of `of` payments are stored."""

    done: int
    of: int


def check_world(settings: Settings) -> None:
    """Raise `SampleProblem` unless the desk points at a simulator."""
    if settings.world != "simulator":
        raise SampleProblem(
            f"This desk points at Checkout.com ({settings.world_words}), whose record must hold nothing made up. "
            "Sample data is only for a desk that points at the simulator."
        )


def at_work(sample: Sample, now: datetime) -> bool:
    """Whether some process is filling or removing just now."""
    return sample.state in _BUSY and now - sample.beat_at < SILENT


def ends_at(database: Database, now: datetime) -> datetime:
    """When sample data made now would end: now, or before the first delivery that really came."""
    with database.read() as connection:
        return _end(connection, now)


def begin(desk: Desk, operator: Operator, *, payments: int, seed: int, months: int, now: datetime) -> Plan:
    """Decide what sample data to make; `fill` makes it. Raises `NotAllowed`, `SampleProblem` and `StoreUnavailable`."""
    database = desk.database
    audit.permit(database, operator, "simulate", "sample data")
    check_world(desk.settings)
    if not (FEWEST <= payments <= MOST and 1 <= months <= LONGEST and 0 <= seed < 1 << 31):
        raise SampleProblem(
            f"Choose {FEWEST:,} to {MOST:,} payments over 1 to {LONGEST} months, and a seed of at most ten digits."
        )
    moment = now.replace(microsecond=0)
    try:
        with database.write() as connection:
            plan = Plan(seed, payments, months, _end(connection, moment))
            _refuse_if_closed(connection, plan.since - timedelta(days=1))
            connection.execute(SAMPLE.delete().where(SAMPLE.c.state == "removed"))
            last = [connection.execute(select(func.max(each.c.seq))).scalar() or 0 for each in (EVENT, PAYMENT)]
            row = {
                "id": 1,
                "seed": seed,
                "payments": payments,
                "months": months,
                "until": plan.until,
                "asked_by": operator.name[:255],
                "asked_at": datetime.now(UTC),
                "after_event": last[0],
                "after_payment": last[1],
                "state": "filling",
                "filled": 0,
                "beat_at": datetime.now(UTC),
            }
            connection.execute(SAMPLE.insert().values(**row))
            wanted = {"payments": payments, "seed": seed, "months": months}
            audit.note(connection, operator, "sample.begun", "sample data", after=wanted)
    except IntegrityError:
        raise SampleProblem("There is sample data already. Remove it first.") from None
    return plan


def go_on(desk: Desk, operator: Operator) -> None:
    """Have an interrupted or stopped filling go on. Raises as `begin`."""
    audit.permit(desk.database, operator, "simulate", "sample data")
    check_world(desk.settings)
    with desk.database.write() as connection:
        changed = connection.execute(
            update(SAMPLE)
            .where(SAMPLE.c.state.in_(("filling", "stopped")))
            .values(state="filling", holder=None, beat_at=datetime.now(UTC))
        ).rowcount
        if not changed:
            raise SampleProblem("There is no interrupted sample data to go on with.")
        audit.note(connection, operator, "sample.resumed", "sample data")


def stop(desk: Desk, operator: Operator) -> None:
    """Have whoever is filling stop soon; what is stored stays. Raises `NotAllowed` and `StoreUnavailable`."""
    audit.permit(desk.database, operator, "simulate", "sample data")
    with desk.database.write() as connection:
        connection.execute(update(SAMPLE).where(SAMPLE.c.state == "filling").values(state="stopped"))
        audit.note(connection, operator, "sample.stopped", "sample data")


def plan_of(sample: Sample) -> Plan:
    """What sample data the row speaks of."""
    return Plan(sample.seed, sample.payments, sample.months, sample.until)


def fill(desk: Desk, progress: Callable[[Progress], None] = lambda _progress: None) -> bool:
    """Store what was begun, until it is all there. False when somebody stopped it, or another process took over.

    Raises `SampleProblem` and `StoreUnavailable`.
    """
    check_world(desk.settings)
    database = desk.database
    sample = find_sample(database)
    if sample is None or sample.state != "filling":
        return False
    me, plan, done = secrets.token_hex(8), plan_of(sample), sample.filled
    with database.write() as connection:
        connection.execute(update(SAMPLE).values(holder=me, beat_at=datetime.now(UTC)))
    key = desk.settings.webhook_keys[0]
    for chunk in _chunks(lives(plan), done):
        told = [(life, facts_of(life)) for life in chunk]
        came = [each for life, known in told for each in arrivals(life, known, plan.until)]
        done += len(chunk)
        state = "filled" if done == plan.payments else "filling"
        with database.write() as connection:
            held = update(SAMPLE).where(SAMPLE.c.holder == me, SAMPLE.c.state == "filling")
            if not connection.execute(held.values(filled=done, state=state, beat_at=datetime.now(UTC))).rowcount:
                return False
            stored = store(connection, [fact for _, known in told for fact in known])
            _store_arrivals(connection, came, told, stored, plan.until, key)
        progress(Progress(done, plan.payments))
    return True


def _chunks(born: Iterator[Life], done: int) -> Iterator[list[Life]]:
    rest = islice(born, done, None)
    while chunk := list(islice(rest, AT_ONCE)):
        yield chunk


_COLUMNS = tuple(column.name for column in DELIVERY.columns if column.name != "body")


def _store_arrivals(
    connection: Connection,
    came: Sequence[Arrival],
    told: Sequence[tuple[Life, list[Fact]]],
    stored: Sequence[Stored],
    until: datetime,
    key: str,
) -> None:
    seqs = {fact.id: place.seq for fact, place in zip((f for _, known in told for f in known), stored, strict=True)}
    rows: list[tuple[Any, ...]] = []
    for arrival in came:
        fact, raw = arrival.fact, arrival.fact.text.encode()
        values = {
            "id": _number(arrival, seqs[fact.id], until),
            "received_at": time_text(arrival.at),
            "verdict": "duplicate" if arrival.again else "accepted",
            "reason": "Same event id as an earlier delivery" if arrival.again else "Stored",
            "event_id": fact.id,
            "event_seq": seqs[fact.id],
            "key_index": 0,
            "event_type": fact.type,
            "payment_id": fact.payment_id,
            "signature": sign(raw, key),
            "sender": "127.0.0.1",
            "size": len(raw),
        }
        rows.append(tuple(values[name] for name in _COLUMNS))
    Batch(connection).insert_tuples(DELIVERY, _COLUMNS, rows)


def _number(arrival: Arrival, seq: int, until: datetime) -> int:
    """A delivery's number: below zero, growing with its time, and unlike any other's."""
    before = (until - arrival.at) // timedelta(milliseconds=1)
    return -(before * _SLOTS + 1 + (seq % (_SLOTS // 2)) * 2 + (not arrival.again))


def _end(connection: Connection, now: datetime) -> datetime:
    first: Select[Any] = select(DELIVERY.c.received_at).where(DELIVERY.c.id > 0).order_by(DELIVERY.c.id).limit(1)
    came = connection.execute(first).scalar()
    return min(now, came.replace(microsecond=0) - _BEFORE_REAL) if came else now


def _refuse_if_closed(connection: Connection, since: datetime) -> None:
    closed = select(PERIOD.c.currency, PERIOD.c.month).where(PERIOD.c.reopened_at.is_(None), PERIOD.c.until > since)
    found = connection.execute(closed.order_by(PERIOD.c.month.desc()).limit(1)).first()
    if found:
        raise SampleProblem(
            f"{found.currency} {found.month} is closed, and sample data would lie in it. What is closed does not change, "
            "so use a ledger without closed months for this."
        )
