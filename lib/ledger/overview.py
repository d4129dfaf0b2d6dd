"""What the overview shows: figures that stand side by side are those of one moment, read in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, select

from lib.ledger.breakdown import Breakdown, breakdown
from lib.ledger.database import Database
from lib.ledger.periods import Period
from lib.ledger.reading.rows import pulse_in
from lib.ledger.record import PAYMENT
from lib.ledger.rows import as_rows
from lib.ledger.sums import Sums, sums_by_currency
from lib.ledger.tables import Payment
from lib.ledger.volumes import Volumes, by_slot

# Put together once: to put a statement into words takes longer than to run it.
_NEWEST = (
    select(*(PAYMENT.c[name] for name in ("id", "reference", "currency", "amount", "status", "requested_at")))
    .order_by(PAYMENT.c.requested_at.desc(), PAYMENT.c.seq.desc())
    .limit(bindparam("limit"))
)


class Newest(NamedTuple):
    """The ledger's pulse, and the payments that were asked for last, newest first, with what a short list says of them."""

    pulse: int
    payments: list[Payment]


class Figures(NamedTuple):
    """Volumes of each slot by currency, what moved in the period before, and what the volumes are made of."""

    slots: list[dict[str, Volumes]]
    before: dict[str, Sums]
    parts: Breakdown | None


def newest(database: Database, limit: int) -> Newest:
    """At most `limit` payments."""
    with database.read() as connection:
        pulse = pulse_in(connection)
        return Newest(pulse, as_rows(Payment, connection.execute(_NEWEST, {"limit": limit}).mappings().all()))


def figures_of(database: Database, edges: Sequence[datetime], period: Period, before: Period) -> Figures:
    """What happened from each edge to before the next, in the period `before`, and in all days of `period`."""
    with database.read() as connection:
        return Figures(
            by_slot(connection, edges),
            sums_by_currency(connection, before.since, before.until),
            breakdown(connection, period.since, period.until),
        )
