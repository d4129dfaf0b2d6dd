"""Where to look for payments of which something may be overdue: in a handful of stretches of indexes.

The statements are written out, one for payments and one for refunds: screens ask this often, and to put a dozen and a half
into words took far longer than to run them.
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
    """A kind of trouble: what must hold. It is looked for by currency where that leads through an index."""

    holds: str
    by_currency: bool = False


class _Place(NamedTuple):
    """A table to look into, its columns of the payment's id and of order beside the time, and what to look for there."""

    table: str
    payment: str
    order: str
    kinds: tuple[_Kind, ...]


# What is old enough to be overdue is looked for apart from what is younger, so that many young ones, of which little is
# overdue, never stand before the old ones.
_OVER = "(expires_at IS NULL OR expires_at < :ended OR requested_at < :long_ago)"
_PLACES = (
    _Place(
        "payment",
        "id",
        "seq",
        (
            _Kind(f"status = 'Pending' AND requested_at < :aged AND {_OVER}", by_currency=True),
            _Kind("status = 'Pending' AND requested_at >= :aged", by_currency=True),
            _Kind("attention IS NOT NULL AND attention LIKE '%missing_facts%'"),
        ),
    ),
    _Place(
        "refund",
        "payment_id",
        "key",
        (
            _Kind("status = 'submitting' AND requested_at < :unanswered"),
            _Kind("status = 'submitting' AND requested_at >= :unanswered"),
            _Kind("status = 'pending' AND requested_at < :undecided"),
            _Kind("status = 'pending' AND requested_at >= :undecided"),
        ),
    ),
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
    for place in _PLACES:
        look = _look(place, len(codes), newest_first=newest_first, unwatched=unwatched)
        found: list[list[tuple[Any, Any, str]]] = [[] for _ in place.kinds]
        for kind, payment, requested_at, order in connection.execute(look, given).all():
            found[kind].append((requested_at, order, payment))
        for rows in found:
            # Every stretch is in order; the database would not know that of them together, and sort by a tree.
            rows.sort(reverse=newest_first)
            yield [payment for *_, payment in rows]


@lru_cache(maxsize=256)
def _look(place: _Place, codes: int, *, newest_first: bool, unwatched: bool) -> TextClause:
    """All that is looked for in one table, each row with the number of its kind."""
    order = f"requested_at{' DESC' * newest_first}, {place.order}{' DESC' * newest_first}"
    apart = f" AND NOT EXISTS (SELECT 1 FROM watch WHERE watch.payment_id = {place.table}.{place.payment})"  # noqa: S608
    # Without currency is a payment of which none was told yet.
    by_currency = [*(f"currency = :code{number} AND " for number in range(codes)), "currency IS NULL AND "]
    parts = [
        f"SELECT {number} AS kind, {place.payment} AS payment, requested_at, {place.order} FROM {place.table} "  # noqa: S608 - our own names
        f"WHERE {stretch}{kind.holds}{apart * unwatched} ORDER BY {order} LIMIT :limit"
        for number, kind in enumerate(place.kinds)
        for stretch in (by_currency if kind.by_currency else [""])
    ]
    led = (f"SELECT * FROM ({part}) AS stretch{number}" for number, part in enumerate(parts))  # noqa: S608
    return text(" UNION ALL ".join(led))
