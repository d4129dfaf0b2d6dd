"""Facts into the store: each stored once, and with it, in the same transaction, everything that follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, text
from sqlalchemy import Table as SqlTable
from sqlalchemy.dialects import postgresql, sqlite

from lib.ledger.database import Database
from lib.ledger.facts import Fact
from lib.ledger.fold import PaymentState, decode, encode, fold
from lib.ledger.project import Bucket, Measures, Projection, project
from lib.ledger.tables import Table

EVENT = Table.metadata.tables["event"]
PAYMENT = Table.metadata.tables["payment"]
REFUND = Table.metadata.tables["refund"]
VOLUME = Table.metadata.tables["volume"]
MEASURES = tuple(column.name for column in VOLUME.columns if not column.primary_key)


def record(database: Database, facts: Sequence[Fact]) -> list[bool]:
    """Store facts durably, in a transaction of their own. For each, whether it was new. Raises `StoreUnavailable`."""
    with database.write() as connection:
        return store(connection, facts)


def store(connection: Connection, facts: Sequence[Fact]) -> list[bool]:
    """Store facts in the caller's transaction and bring payments, refunds and volumes up to date. For each, whether it was new."""
    fresh = _insert_events(connection, facts)
    by_payment: dict[str, list[Fact]] = defaultdict(list)
    for fact, new in zip(facts, fresh, strict=True):
        if new and fact.payment_id:
            by_payment[fact.payment_id].append(fact)
    if by_payment:
        _refold(connection, by_payment)
    return fresh


def lock_payments(connection: Connection, payment_ids: Iterable[str]) -> None:
    """Keep others from changing these payments until the transaction ends, also payments that have no row yet.

    SQLite needs nothing: its one writer lock is held already.
    """
    if connection.dialect.name == "postgresql":
        for payment_id in sorted(payment_ids):
            connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtextextended(:id, 0))"),
                {"id": payment_id},
            )


def insert_once(connection: Connection, table: SqlTable, key: str, row: dict[str, Any]) -> bool:
    """Insert a row unless its key is there already. Whether it was inserted."""
    insert = _insert(connection)(table).values(**row).on_conflict_do_nothing(index_elements=[key])
    return connection.execute(insert.returning(table.c[key])).scalar() is not None


def state_of(connection: Connection, payment_id: str) -> PaymentState | None:
    """The folded state of one payment."""
    folded = connection.execute(select(PAYMENT.c.folded).where(PAYMENT.c.id == payment_id)).scalar()
    return decode(folded) if folded else None


def event_row(fact: Fact) -> dict[str, Any]:
    """The fact as a row of `event`."""
    return {
        "id": fact.id,
        "type": fact.type,
        "source": fact.source,
        "payment_id": fact.payment_id,
        "action_id": fact.action_id,
        "occurred_at": fact.occurred_at,
        "recorded_at": fact.recorded_at,
        "body": fact.text,
    }


def _insert_events(connection: Connection, facts: Sequence[Fact]) -> list[bool]:
    first_of: dict[str, int] = {}
    for place, fact in enumerate(facts):
        first_of.setdefault(fact.id, place)
    # Sorted, so that two transactions with the same events wait for each other in one order only.
    rows = [event_row(facts[place]) for _, place in sorted(first_of.items())]
    if not rows:
        return []
    statement = _insert(connection)(EVENT).on_conflict_do_nothing(index_elements=["id"]).returning(EVENT.c.id)
    stored = set(connection.execute(statement, rows).scalars())
    return [first_of[fact.id] == place and fact.id in stored for place, fact in enumerate(facts)]


def _refold(connection: Connection, by_payment: Mapping[str, Sequence[Fact]]) -> None:
    lock_payments(connection, by_payment)
    known = select(PAYMENT.c.id, PAYMENT.c.folded).where(PAYMENT.c.id.in_(bindparam("ids", expanding=True)))
    folded = {row.id: row.folded for row in connection.execute(known, {"ids": list(by_payment)})}
    payments: list[dict[str, Any]] = []
    gone: list[str] = []
    refunds: list[dict[str, Any]] = []
    moved: dict[Bucket, Measures] = defaultdict(lambda: dict.fromkeys(MEASURES, 0))
    for payment_id in sorted(by_payment):
        before = decode(folded[payment_id]) if payment_id in folded else None
        old = project(payment_id, before, folded[payment_id]) if before else Projection({}, [])
        state = fold(by_payment[payment_id], start=before)
        new = project(payment_id, state, encode(state))
        payments.append(new.payment)
        kept = {row["key"]: row for row in old.refunds}
        changed = [row for row in new.refunds if kept.pop(row["key"], None) != row]
        refunds += changed
        gone += [*kept, *(row["key"] for row in changed)]
        _shift(moved, old.volumes, -1)
        _shift(moved, new.volumes, +1)
    upsert_payments(connection, payments)
    if gone:
        connection.execute(delete(REFUND).where(REFUND.c.key.in_(gone)))
    if refunds:
        connection.execute(REFUND.insert(), refunds)
    add_volumes(connection, moved)


def upsert_payments(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Write payment rows, whole."""
    insert = _insert(connection)(PAYMENT)
    columns = {name: insert.excluded[name] for name in rows[0] if name != "id"}
    connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=columns), rows)


def add_volumes(connection: Connection, moved: Mapping[Bucket, Measures]) -> None:
    """Add to the volumes what moved; every bucket that moved at all gets its row."""
    rows = [
        {
            "bucket": bucket,
            "currency": currency,
            **{name: measures.get(name, 0) for name in MEASURES},
        }
        for (bucket, currency), measures in sorted(moved.items(), key=_bucket_order)
        if any(measures.values())
    ]
    if rows:
        insert = _insert(connection)(VOLUME)
        sums = {name: VOLUME.c[name] + insert.excluded[name] for name in MEASURES}
        connection.execute(
            insert.on_conflict_do_update(index_elements=["bucket", "currency"], set_=sums),
            rows,
        )


def _bucket_order(item: tuple[Bucket, Measures]) -> tuple[datetime, str]:
    return item[0]


def _shift(moved: dict[Bucket, Measures], volumes: Mapping[Bucket, Measures], sign: int) -> None:
    for bucket, measures in volumes.items():
        for name, value in measures.items():
            moved[bucket][name] += sign * value


def _insert(connection: Connection) -> Any:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
