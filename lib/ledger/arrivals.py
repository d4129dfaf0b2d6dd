"""Finding deliveries by the time they came, without an index on it: their numbers grow as time does."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from lib.ledger.deliveries import DELIVERY

_ASKEW = timedelta(minutes=5)
"""How far the clocks of several receivers may lie apart, and how long a delivery may wait before it is stored."""


def number_before(connection: Connection, moment: datetime) -> int:
    """A delivery number below which none came at `moment` or later; close to the first that did."""
    return _first_since(connection, moment - _ASKEW)


def number_after(connection: Connection, moment: datetime) -> int:
    """A delivery number from which on none came before `moment`; close to the last that did."""
    return _first_since(connection, moment + _ASKEW)


def _first_since(connection: Connection, moment: datetime) -> int:
    """The number of the first delivery since `moment`, halving the range each time; one past the last if there is none."""
    # Each end by itself is a look at the index; both at once would be a walk through all of it.
    low, last = (connection.execute(select(end(DELIVERY.c.id))).scalar() or 0 for end in (func.min, func.max))
    high = last + 1
    while low < high:
        middle = (low + high) // 2
        # Old refused ones have been forgotten, so that not every number has a row.
        some = select(DELIVERY.c.id, DELIVERY.c.received_at).where(DELIVERY.c.id >= middle)
        found = connection.execute(some.order_by(DELIVERY.c.id).limit(1)).first()
        if found is None or found.received_at >= moment:
            high = middle
        else:
            low = found.id + 1
    return low
