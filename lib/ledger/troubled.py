"""Where to look for payments of which something may be overdue: in a handful of stretches of indexes.

The statements are written out and each kind of trouble is one of them: screens ask this often, and to put a dozen and a
half into words took far longer than to run them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, TextClause, text

from lib.ledger.currencies import currencies_in
from lib.ledger.tables import time_text


class Moments(NamedTuple):
    """What is overdue lies before these: a link's end, the asking for a payment, the same however long its link is said to
    hold, and the asking for a refund that is not answered, or not decided.
    """

    ended: datetime
    aged: datetime
    long_ago: datetime
    unanswered: datetime
    undecided: datetime


class _Kind(NamedTuple):
    """The table to look into, its columns of the payment's id and of order beside the time, and what must hold.

    Payments are looked for by currency where that leads through an index.
    """

    table: str
    payment: str
    place: str
    holds: str
    by_currency: bool = False


# What is old enough to be overdue is looked for apart from what is younger, so that many young ones, of which little is
# overdue, never stand before the old ones.
_OVER = "(expires_at IS NULL OR expires_at < :ended OR requested_at < :long_ago)"
_KINDS = (
    _Kind("payment", "id", "seq", f"status = 'Pending' AND requested_at < :aged AND {_OVER}", by_currency=True),
    _Kind("payment", "id", "seq", "status = 'Pending' AND requested_at >= :aged", by_currency=True),
    _Kind("payment", "id", "seq", "attention IS NOT NULL AND attention LIKE '%missing_facts%'"),
    _Kind("refund", "payment_id", "key", "status = 'submitting' AND requested_at < :unanswered"),
    _Kind("refund", "payment_id", "key", "status = 'submitting' AND requested_at >= :unanswered"),
    _Kind("refund", "payment_id", "key", "status = 'pending' AND requested_at < :undecided"),
    _Kind("refund", "payment_id", "key", "status = 'pending' AND requested_at >= :undecided"),
)


def troubled(
    connection: Connection, before: Moments, *, limit: int, newest_first: bool = False, unwatched: bool = False
) -> Iterator[Sequence[str]]:
    """The ids of such payments by the time they were asked for, kind by kind: of each currency at most `limit`.

    `unwatched` leaves out those that the backfill has asked about already.
    """
    codes = list(currencies_in(connection))
    given: dict[str, Any] = {name: time_text(moment) for name, moment in before._asdict().items()}
    given |= {f"code{number}": code for number, code in enumerate(codes)} | {"limit": limit}
    for kind in _KINDS:
        look = _look(kind, len(codes) if kind.by_currency else 0, newest_first=newest_first, unwatched=unwatched)
        rows = list(connection.execute(look, given).all())
        # Every stretch is in order; the database would not know that of them together, and sort by a tree.
        rows.sort(key=lambda row: row[1:], reverse=newest_first)
        yield [row.payment for row in rows]


@lru_cache(maxsize=256)
def _look(kind: _Kind, codes: int, *, newest_first: bool, unwatched: bool) -> TextClause:
    order = f"requested_at{' DESC' * newest_first}, place{' DESC' * newest_first}"
    apart = f" AND NOT EXISTS (SELECT 1 FROM watch WHERE watch.payment_id = {kind.table}.{kind.payment})"  # noqa: S608
    rows = f"SELECT {kind.payment} AS payment, requested_at, {kind.place} AS place FROM {kind.table}"  # noqa: S608 - our own names
    holds = f"{kind.holds}{apart * unwatched}"
    stretches = [""]
    if kind.by_currency:
        # Without currency is a payment of which none was told yet.
        stretches = [*(f"currency = :code{number} AND " for number in range(codes)), "currency IS NULL AND "]
    parts = [f"{rows} WHERE {stretch}{holds} ORDER BY {order} LIMIT :limit" for stretch in stretches]
    led = (f"SELECT * FROM ({part}) AS stretch{number}" for number, part in enumerate(parts))  # noqa: S608
    return text(" UNION ALL ".join(led))
