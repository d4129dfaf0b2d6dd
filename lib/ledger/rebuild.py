"""Fold all facts anew beside the stored state and compare: `python -m lib.ledger.rebuild --check`.

Prints `N events, M payments, D rows differ` and exits 1 if D is more than 0. Without `--check` it also replaces the
rows that differ. Facts are read payment by payment, so memory does not grow with the store.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, Table, delete, func, select

from lib.chunks import chunks
from lib.ledger.batch import Batch
from lib.ledger.database import Database, StoreUnavailable
from lib.ledger.facts import from_row
from lib.ledger.fold import fold
from lib.ledger.parts import Counts, add_local, no_counts
from lib.ledger.project import Bucket, Measures, Projection, project
from lib.ledger.record import (
    BREAKDOWN,
    EVENT,
    MEASURES,
    PAYMENT,
    REFUND,
    VOLUME,
    VOLUME_DAY,
    add_counts,
    add_measures,
    by_day,
    replace_refunds,
)
from lib.ledger.state import encode
from lib.ledger.tables import time_text
from lib.settings import SettingsError, load

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the fold of all facts says against what is stored. `differing` counts rows of payment, refund and their rollups."""

    events: int
    payments: int
    differing: int

    def __str__(self) -> str:
        return f"{self.events} events, {self.payments} payments, {self.differing} rows differ"


def compare(
    database: Database, *, mend: bool = False, progress: Callable[[int], None] = lambda _payments: None
) -> Comparison:
    """Fold every fact again and compare with the stored rows; with `mend`, replace what differs, in one transaction.

    `progress` is told, now and then, how many payments have been compared. An exception from it ends the comparison.
    """
    with database.write() if mend else database.read() as connection:
        batch = Batch(connection) if mend else None
        if batch:
            batch.hold_still(PAYMENT, REFUND, VOLUME, EVENT)
        events = connection.execute(select(func.count()).select_from(EVENT)).scalar_one()
        payments = differing = 0
        volumes: dict[Bucket, Measures] = defaultdict(lambda: dict.fromkeys(MEASURES, 0))
        zone, parts = Batch(connection).zone(), no_counts()
        for projections in chunks(_projections(connection), _CHUNK):
            payments += len(projections)
            differing += _compare_chunk(connection, projections, batch)
            for projection in projections:
                for bucket, measures in projection.volumes.items():
                    for name, value in measures.items():
                        volumes[bucket][name] += value
                if zone:
                    add_local(parts, projection.parts, zone)
            progress(payments)
        differing += _surplus(connection, mend=mend)
        differing += _compare_volumes(connection, dict(volumes), batch)
        differing += _compare_breakdown(connection, parts, batch)
    return Comparison(events, payments, differing)


def _projections(connection: Connection) -> Iterator[Projection]:
    wanted = select(EVENT).where(EVENT.c.payment_seq.is_not(None)).order_by(EVENT.c.payment_seq, EVENT.c.seq)
    rows = connection.execute(wanted.execution_options(yield_per=_CHUNK)).mappings()
    for seq, group in groupby(rows, key=lambda row: row["payment_seq"]):
        facts = [from_row(dict(row)) for row in group]
        state = fold(facts)
        projection = project(facts[0].payment_id or "", state, encode(state))
        projection.payment["seq"] = seq
        yield projection


def _compare_chunk(connection: Connection, projections: Sequence[Projection], batch: Batch | None) -> int:
    ids = [projection.payment["id"] for projection in projections]
    folded = [column for column in PAYMENT.columns if column.name != "searched"]
    stored = _plain(connection, select(*folded).where(PAYMENT.c.id.in_(ids)), "id")
    wrong = [told.payment for told in projections if stored.get(told.payment["id"]) != told.payment]
    wanted = {row["key"]: row for projection in projections for row in projection.refunds}
    kept = _plain(connection, select(REFUND).where(REFUND.c.payment_id.in_(ids)), "key")
    differing = [key for key in wanted.keys() | kept.keys() if wanted.get(key) != kept.get(key)]
    if batch:
        batch.upsert(PAYMENT, ("id",), [row | {"searched": 0} for row in wrong])
        replace_refunds(batch, differing, [wanted[key] for key in differing if key in wanted])
    return len(wrong) + len(differing)


def _plain(connection: Connection, wanted: Select[Any], key: str) -> dict[str, dict[str, Any]]:
    """Rows by key, their times in the form that projections have."""
    return {
        row[key]: {name: time_text(value) if isinstance(value, datetime) else value for name, value in row.items()}
        for row in connection.execute(wanted).mappings()
    }


def _surplus(connection: Connection, *, mend: bool) -> int:
    """Payments that no fact speaks of, and refunds of no payment."""
    unfounded = (
        (PAYMENT, ~select(EVENT.c.seq).where(EVENT.c.payment_seq == PAYMENT.c.seq).exists()),
        (REFUND, ~select(PAYMENT.c.seq).where(PAYMENT.c.id == REFUND.c.payment_id).exists()),
    )
    count = 0
    for table, condition in unfounded:
        count += int(connection.execute(select(func.count()).select_from(table).where(condition)).scalar_one())
        if mend:
            connection.execute(delete(table).where(condition))
    return count


def _compare_volumes(connection: Connection, wanted: dict[Bucket, Measures], batch: Batch | None) -> int:
    """Quarters and days whose measures differ. A stored row of zeros is as good as none."""
    gaps = _gaps(connection, VOLUME, "bucket", wanted)
    zone = Batch(connection).zone()
    day_gaps = _gaps(connection, VOLUME_DAY, "day", by_day(wanted, zone) if zone else {})
    if batch:
        add_measures(batch, VOLUME, "bucket", gaps)
        add_measures(batch, VOLUME_DAY, "day", day_gaps)
    return len(gaps) + len(day_gaps)


def _compare_breakdown(connection: Connection, wanted: Counts, batch: Batch | None) -> int:
    gaps: Counts = {place: list(numbers) for place, numbers in wanted.items()}
    for kind, day, currency, value, count, amount in connection.execute(select(BREAKDOWN)):
        said = wanted.get((kind, day, currency, value), [0, 0])
        gaps[kind, day, currency, value] = [said[0] - count, said[1] - amount]
    gaps = {place: gap for place, gap in gaps.items() if any(gap)}
    if batch:
        add_counts(batch, gaps)
    return len(gaps)


def _gaps(connection: Connection, table: Table, slot: str, wanted: dict[Bucket, Measures]) -> dict[Bucket, Measures]:
    gaps: dict[Bucket, Measures] = dict(wanted)
    for row in connection.execute(select(table)).mappings():
        start = time_text(row[slot]) if isinstance(row[slot], datetime) else row[slot]
        said = wanted.get((start, row["currency"]), {})
        gaps[(start, row["currency"])] = {name: said.get(name, 0) - row[name] for name in MEASURES}
    return {bucket: gap for bucket, gap in gaps.items() if any(gap.values())}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m lib.ledger.rebuild", description="Fold all facts anew and compare."
    )
    parser.add_argument("--check", action="store_true", help="compare only; change nothing")
    options = parser.parse_args(arguments)
    try:
        comparison = compare(Database(load().database_url), mend=not options.check)
    except (SettingsError, StoreUnavailable) as error:
        print(error, file=sys.stderr)
        return 2
    print(comparison)
    return 1 if options.check and comparison.differing else 0


if __name__ == "__main__":
    sys.exit(main())
