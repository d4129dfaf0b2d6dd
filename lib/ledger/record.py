"""Facts into the store: each stored once, and with it, in the same transaction, everything that follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection
from sqlalchemy import Table as SqlTable

from lib.ledger.batch import Batch
from lib.ledger.database import Database
from lib.ledger.facts import Fact
from lib.ledger.fold import extend
from lib.ledger.parts import Counts, Parts, add_local, no_counts
from lib.ledger.project import Bucket, Measures, Projection, project
from lib.ledger.redaction import redacted
from lib.ledger.remembered import Known, Remembered
from lib.ledger.search import FIELDS, WHOLE
from lib.ledger.state import PaymentState, encode
from lib.ledger.tables import Table, time_text

EVENT = Table.metadata.tables["event"]
PAYMENT = Table.metadata.tables["payment"]
REFUND = Table.metadata.tables["refund"]
VOLUME = Table.metadata.tables["volume"]
VOLUME_DAY = Table.metadata.tables["volume_day"]
BREAKDOWN = Table.metadata.tables["breakdown"]
_PLACE = ("kind", "day", "currency", "value", "count", "amount")
_SEARCHED = (*FIELDS, *WHOLE)
_remembered = Remembered()
MEASURES = tuple(column.name for column in VOLUME.columns if not column.primary_key)


class Stored(NamedTuple):
    """Where a fact lies: the `seq` of its row in `event`, and whether this storing made it."""

    seq: int
    new: bool


def record(database: Database, facts: Sequence[Fact]) -> list[bool]:
    """Store facts durably, in a transaction of their own. For each, whether it was new. Raises `StoreUnavailable`."""
    with database.write() as connection:
        return [stored.new for stored in store(connection, facts)]


def store(connection: Connection, facts: Sequence[Fact]) -> list[Stored]:
    """Store facts in the caller's transaction and bring payments, refunds and volumes up to date."""
    if not facts:
        return []
    batch = Batch(connection)
    first: dict[str, Fact] = {}
    for fact in facts:
        first.setdefault(fact.id, fact)
    batch.lock([*first, *(fact.payment_id for fact in facts if fact.payment_id)])
    seqs: dict[str, int] = {row[0]: row[1] for row in batch.rows_of(EVENT, ("id", "seq"), "id", first)}
    fresh = [fact for fact in first.values() if fact.id not in seqs]
    by_payment: dict[str, list[Fact]] = defaultdict(list)
    for fact in fresh:
        if fact.payment_id:
            by_payment[fact.payment_id].append(fact)
    payments, erased = _refold(batch, by_payment) if by_payment else ({}, set())
    if erased:
        fresh = [_without_person(fact) if fact.payment_id in erased else fact for fact in fresh]
    numbers = dict(zip((fact.id for fact in fresh), batch.next_numbers(EVENT, len(fresh)), strict=True))
    rows = [_row(fact, numbers[fact.id], payments.get(fact.payment_id or "")) for fact in fresh]
    batch.insert_tuples(EVENT, _COLUMNS, rows)
    seqs |= numbers
    return [Stored(seqs[fact.id], numbers.pop(fact.id, None) is not None) for fact in facts]


def lock_payments(connection: Connection, payment_ids: Iterable[str]) -> None:
    """Keep others from changing these payments until the transaction ends, also payments that have no row yet."""
    Batch(connection).lock(payment_ids)


def insert_once(connection: Connection, table: SqlTable, key: str, row: dict[str, Any]) -> bool:
    """Insert a row unless its key is there already. Whether it was inserted."""
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")  # the connection has loaded it already
    statement = dialect.insert(table).values(**row).on_conflict_do_nothing(index_elements=[key])
    return connection.execute(statement.returning(table.c[key])).scalar() is not None


def add_volumes(batch: Batch, moved: Mapping[Bucket, Measures], parts: Sequence[tuple[Parts, int]]) -> None:
    """Add to the volumes, quarters and days, what moved, and to the breakdown the parts, each times its number."""
    add_measures(batch, VOLUME, "bucket", moved)
    zone = batch.zone()
    if zone:
        add_days(batch, moved, zone)
        counts = no_counts()
        for each, sign in parts:
            add_local(counts, each, zone, sign)
        add_counts(batch, counts)


def subtract(batch: Batch, projections: Iterable[Projection]) -> None:
    """Take out of the volumes and the breakdown all that these payments had added to them."""
    moved: dict[Bucket, Measures] = defaultdict(lambda: defaultdict(int))
    parts: list[tuple[Parts, int]] = []
    for projection in projections:
        _shift(moved, projection.volumes, -1)
        parts.append((projection.parts, -1))
    add_volumes(batch, moved, parts)


def add_counts(batch: Batch, counts: Counts) -> None:
    """Add to the breakdown."""
    rows = [
        dict(zip(_PLACE, (*place, *numbers), strict=True)) for place, numbers in sorted(counts.items()) if any(numbers)
    ]
    batch.upsert(BREAKDOWN, _PLACE[:4], rows, {"count": "+", "amount": "+"})


def add_days(batch: Batch, moved: Mapping[Bucket, Measures], zone: str) -> None:
    """Add to the days of `zone` what moved in quarters of an hour."""
    add_measures(batch, VOLUME_DAY, "day", by_day(moved, zone))


def by_day(moved: Mapping[Bucket, Measures], zone: str) -> dict[Bucket, Measures]:
    """Measures of quarters added up to the local days they lie in."""
    days: dict[Bucket, Measures] = defaultdict(lambda: defaultdict(int))
    for (bucket, currency), measures in moved.items():
        into = days[(local_day(bucket, zone), currency)]
        for name, value in measures.items():
            into[name] += value
    return days


@lru_cache(maxsize=4096)
def local_day(bucket: str, zone: str) -> str:
    """The local day on which a quarter of an hour begins."""
    return datetime.fromisoformat(bucket).astimezone(ZoneInfo(zone)).date().isoformat()


def add_measures(batch: Batch, table: SqlTable, slot: str, moved: Mapping[Bucket, Measures]) -> None:
    """Add to the rows of one table of volumes, whose time column is `slot`."""
    # In one order, so that two transactions never wait for each other in a circle.
    rows = [
        {slot: start, "currency": currency} | {name: measures.get(name, 0) for name in MEASURES}
        for (start, currency), measures in sorted(moved.items(), key=lambda item: item[0])
        if any(measures.values())
    ]
    batch.upsert(table, (slot, "currency"), rows, dict.fromkeys(MEASURES, "+"))


def replace_refunds(batch: Batch, gone: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Delete the refunds under these keys, then insert `rows`: an action may have moved from one row to another."""
    batch.delete(REFUND, "key", gone)
    batch.insert(REFUND, rows)


def _refold(batch: Batch, by_payment: Mapping[str, Sequence[Fact]]) -> tuple[dict[str, int], set[str]]:
    """Fold the facts into their payments. The `seq` of each payment, and those whose customer's data was erased."""
    rows = batch.rows_of(PAYMENT, ("id", "folded", "seq"), "id", by_payment)
    seqs: dict[str, int] = {payment_id: seq for payment_id, _, seq in rows}
    held = dict(zip(seqs, _remembered.take([row[:2] for row in rows]), strict=True))
    unknown = [payment_id for payment_id in by_payment if payment_id not in held]
    seqs.update(zip(unknown, batch.next_numbers(PAYMENT, len(unknown)) if unknown else (), strict=True))
    born: list[Mapping[str, Any]] = []
    changes: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    refund_changes: dict[tuple[str, ...], list[tuple[Any, ...]]] = defaultdict(list)
    gone: list[str] = []
    refunds: list[Mapping[str, Any]] = []
    moved: dict[Bucket, Measures] = defaultdict(lambda: defaultdict(int))
    kept: list[tuple[str, Known]] = []
    erased: set[str] = set()
    parts: list[tuple[Parts, int]] = []
    for payment_id, facts in by_payment.items():
        state, old = held.get(payment_id) or (PaymentState(), None)
        extend(state, facts)
        if state.erased_at:
            erased.add(payment_id)
        new = project(payment_id, state, encode(state))
        kept.append((payment_id, (state, new)))
        if old:
            changed = _changed(old.payment, new.payment)
            if not changed.keys().isdisjoint(_SEARCHED):
                changed["searched"] = 0
            changes[tuple(changed)].append((*changed.values(), seqs[payment_id]))
        else:
            born.append({"seq": seqs[payment_id], "searched": 0} | new.payment)
        was = old.refunds if old else []
        if new.refunds != was:
            before_by_key = {row["key"]: row for row in was}
            for row in new.refunds:
                before = before_by_key.get(row["key"])
                if before and before["action_id"] == row["action_id"]:
                    changed = _changed(before, row)
                    if changed:
                        refund_changes[tuple(changed)].append((*changed.values(), row["key"]))
                    del before_by_key[row["key"]]
                else:
                    refunds.append(row)
            gone += before_by_key
        if old is None or new.volumes != old.volumes:
            if old:
                _shift(moved, old.volumes, -1)
            _shift(moved, new.volumes, +1)
        if new.parts != (old.parts if old else {}):
            parts += [(old.parts, -1)] if old else []
            parts.append((new.parts, +1))
    batch.insert(PAYMENT, born)
    for columns, values in changes.items():
        batch.update(PAYMENT, columns, values)
    replace_refunds(batch, gone, refunds)
    for columns, values in refund_changes.items():
        batch.update(REFUND, columns, values, key="key")
    add_volumes(batch, moved, parts)
    _remembered.keep(kept)
    return seqs, erased


def _changed(before: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns whose value is another now."""
    return {name: value for name, value in row.items() if value != before[name]}


def _without_person(fact: Fact) -> Fact:
    return msgspec.structs.replace(fact, text=redacted(fact.text))


_COLUMNS = (
    "seq",
    "id",
    "type",
    "source",
    "payment_id",
    "payment_seq",
    "action_id",
    "occurred_at",
    "recorded_at",
    "body",
)


def _row(fact: Fact, seq: int, payment_seq: int | None) -> tuple[Any, ...]:
    return (
        seq,
        fact.id,
        fact.type,
        fact.source,
        fact.payment_id,
        payment_seq,
        fact.action_id,
        time_text(fact.occurred_at),
        time_text(fact.recorded_at),
        fact.text,
    )


def _shift(moved: dict[Bucket, Measures], volumes: Mapping[Bucket, Measures], sign: int) -> None:
    for bucket, measures in volumes.items():
        into = moved[bucket]
        for name, value in measures.items():
            into[name] += sign * value
