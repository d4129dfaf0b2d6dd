"""Proving a closed period again from the facts: what was known when it was closed still gives the same rows and hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, select

from lib.chunks import chunks
from lib.ledger.calendar import SettlementDays
from lib.ledger.closed.late import Row, sheet, sheet_rows
from lib.ledger.closed.tables import Period
from lib.ledger.database import Database
from lib.ledger.facts import from_row
from lib.ledger.fold import fold
from lib.ledger.movements import every
from lib.ledger.project import project
from lib.ledger.record import EVENT, PAYMENT
from lib.ledger.state import capture_actions, encode

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Proof:
    """The hash of what is kept, and of what the facts give again. Both are the period's own while nothing is amiss."""

    period: Period
    sheet_sha256: str
    sha256: str

    @property
    def holds(self) -> bool:
        return self.sheet_sha256 == self.sha256 == self.period.sha256


def recompute(
    database: Database,
    days: SettlementDays,
    period: Period,
    *,
    progress: Callable[[int], None] = lambda _payments: None,
) -> Proof:
    """Fold anew all facts that were known when a period was closed, and hash the rows that they give.

    What the period took over from earlier months, and its fees, are taken as kept. `progress` is told, now and then,
    how many payments have been folded; an exception from it ends the proving.
    """
    kept, again = hashlib.sha256(), hashlib.sha256()
    with database.read() as connection:
        for part in sheet(connection, period.id or 0):
            kept.update(part.encode())
        payments = {row.payment_id for row in sheet_rows(connection, period.id or 0) if row.kind != "fee"}
        for movement in every(connection, period.currency, period.since, period.until, days):
            payments.add(movement.payment_id)
        rows: list[Row] = []
        for number, chunk in enumerate(chunks(sorted(payments), _CHUNK)):
            rows += _rows(connection, chunk, period)
            progress(min(len(payments), (number + 1) * _CHUNK))
        told = [row for row in sheet_rows(connection, period.id or 0) if row.month or row.kind == "fee"]
        taken_over = [row for row in told if row.month]
        fees = [row for row in told if not row.month]
        for row in (*taken_over, *sorted(rows, key=lambda row: (row.at, row.id)), *fees):
            again.update(f"{row.line}\n".encode())
    return Proof(period, kept.hexdigest(), again.hexdigest())


def _rows(connection: Connection, payment_ids: list[str], period: Period) -> Iterator[Row]:
    """The rows of some payments in a period, as the facts then known give them."""
    facts = (
        select(EVENT)
        .join(PAYMENT, PAYMENT.c.seq == EVENT.c.payment_seq)
        .where(PAYMENT.c.id.in_(payment_ids), EVENT.c.seq <= period.event_seq)
        .order_by(EVENT.c.payment_seq, EVENT.c.seq)
    )
    found = connection.execute(facts).mappings()
    for _, group in groupby(found, key=lambda row: row["payment_seq"]):
        known = [from_row(dict(row)) for row in group]
        state = fold(known)
        folded = encode(state)
        projection = project(known[0].payment_id or "", state, folded)
        payment, currency = projection.payment, period.currency
        if payment["currency"] != currency:
            continue
        actions = capture_actions(folded)
        capture = actions[0] if len(actions) == 1 else None
        yield from _within(
            period,
            [
                (payment["captured_at"], f"capture:{payment['id']}", payment["id"], capture, payment["captured"]),
                (payment["untold_at"], f"untold:{payment['id']}", payment["id"], None, -payment["untold"]),
                *(
                    (
                        each["decided_at"],
                        f"refund:{each['action_id']}",
                        payment["id"],
                        each["action_id"],
                        -each["amount"],
                    )
                    for each in projection.refunds
                    if each["status"] == "refunded" and each["currency"] == currency
                ),
            ],
        )


def _within(period: Period, told: Iterable[tuple[str | None, str, str, str | None, int]]) -> Iterator[Row]:
    for when, identity, payment_id, action, amount in told:
        at = datetime.fromisoformat(when) if when else None
        if at and period.since <= at < period.until:
            yield Row(at, identity, payment_id, action, amount, 1)
