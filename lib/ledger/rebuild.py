"""Fold all facts anew beside the stored state and compare: `python -m lib.ledger.rebuild --check`.

Prints `N events, M payments, D rows differ` and exits 1 if D is more than 0. Without `--check` it also replaces the
rows that differ. Facts are read payment by payment, so memory does not grow with the store.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, delete, func, select

from lib.ledger.database import Database, StoreUnavailable
from lib.ledger.facts import Fact, from_row
from lib.ledger.fold import encode, fold
from lib.ledger.project import Bucket, Measures, Projection, project
from lib.ledger.record import EVENT, MEASURES, PAYMENT, REFUND, VOLUME, add_volumes, upsert_payments
from lib.settings import SettingsError, load

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the fold of all facts says against what is stored. `differing` counts rows of payment, refund and volume."""

    events: int
    payments: int
    differing: int

    def __str__(self) -> str:
        return f"{self.events} events, {self.payments} payments, {self.differing} rows differ"


def compare(database: Database, *, mend: bool = False) -> Comparison:
    """Fold every fact again and compare with the stored rows; with `mend`, replace what differs, in one transaction."""
    with database.write() if mend else database.read() as connection:
        events = connection.execute(select(func.count()).select_from(EVENT)).scalar_one()
        payments = differing = 0
        volumes: dict[Bucket, Measures] = defaultdict(lambda: dict.fromkeys(MEASURES, 0))
        for projections in _chunks(_projections(connection)):
            payments += len(projections)
            differing += _compare_chunk(connection, projections, mend=mend)
            for projection in projections:
                for bucket, measures in projection.volumes.items():
                    for name, value in measures.items():
                        volumes[bucket][name] += value
        differing += _surplus(connection, mend=mend)
        differing += _compare_volumes(connection, dict(volumes), mend=mend)
    return Comparison(events, payments, differing)


def _projections(connection: Connection) -> Iterator[Projection]:
    wanted = select(EVENT).where(EVENT.c.payment_id.is_not(None)).order_by(EVENT.c.payment_id, EVENT.c.seq)
    rows = connection.execution_options(yield_per=_CHUNK).execute(wanted).mappings()
    facts: Iterator[Fact] = (from_row(dict(row)) for row in rows)
    for payment_id, group in groupby(facts, key=lambda fact: fact.payment_id or ""):
        state = fold(group)
        yield project(payment_id, state, encode(state))


def _chunks(projections: Iterator[Projection]) -> Iterator[list[Projection]]:
    chunk: list[Projection] = []
    for projection in projections:
        chunk.append(projection)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _compare_chunk(connection: Connection, projections: Sequence[Projection], *, mend: bool) -> int:
    ids = [projection.payment["id"] for projection in projections]
    stored = {
        row["id"]: dict(row) for row in connection.execute(select(PAYMENT).where(PAYMENT.c.id.in_(ids))).mappings()
    }
    for row in stored.values():
        del row["seq"]
    wrong = [
        projection.payment for projection in projections if stored.get(projection.payment["id"]) != projection.payment
    ]
    wanted = {row["key"]: row for projection in projections for row in projection.refunds}
    held = connection.execute(select(REFUND).where(REFUND.c.payment_id.in_(ids))).mappings()
    kept = {row["key"]: dict(row) for row in held}
    differing = [key for key in wanted.keys() | kept.keys() if wanted.get(key) != kept.get(key)]
    if mend and wrong:
        upsert_payments(connection, wrong)
    if mend and differing:
        connection.execute(delete(REFUND).where(REFUND.c.key.in_(differing)))
        if refunds := [wanted[key] for key in differing if key in wanted]:
            connection.execute(REFUND.insert(), refunds)
    return len(wrong) + len(differing)


def _surplus(connection: Connection, *, mend: bool) -> int:
    """Payments and refunds that no fact speaks of."""
    count = 0
    for table, column in ((PAYMENT, PAYMENT.c.id), (REFUND, REFUND.c.payment_id)):
        unfounded = ~select(EVENT.c.seq).where(EVENT.c.payment_id == column).exists()
        count += int(connection.execute(select(func.count()).select_from(table).where(unfounded)).scalar_one())
        if mend:
            connection.execute(delete(table).where(unfounded))
    return count


def _compare_volumes(connection: Connection, wanted: dict[Bucket, Measures], *, mend: bool) -> int:
    """Buckets whose measures differ. A stored bucket of zeros is as good as none."""
    differing = 0
    for row in connection.execute(select(VOLUME)).mappings():
        stored = {name: row[name] for name in MEASURES}
        said: dict[str, Any] = wanted.pop((row["bucket"], row["currency"]), dict.fromkeys(MEASURES, 0))
        if said != stored:
            differing += 1
            if mend:
                gap = {name: said[name] - stored[name] for name in MEASURES}
                add_volumes(connection, {(row["bucket"], row["currency"]): gap})
    absent = {bucket: measures for bucket, measures in wanted.items() if any(measures.values())}
    if mend:
        add_volumes(connection, absent)
    return differing + len(absent)


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
