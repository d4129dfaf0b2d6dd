"""Finding deliveries by the time they came, without an index on it: their numbers grow as time does."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, text

from lib.ledger.tables import UtcTime

_ASKEW = timedelta(minutes=5)
"""How far the clocks of several receivers may lie apart, and how long a delivery may wait before it is stored."""
_HALVING = text(
    # The range is halved each time. Old refused deliveries have been forgotten, so that not every number has a row:
    # the next one that has is looked at. All in one statement: by itself, each look took longer to ask for than to do.
    """
    WITH RECURSIVE halved (low, high) AS (
        SELECT coalesce((SELECT min(id) FROM delivery), 0), coalesce((SELECT max(id) FROM delivery), 0) + 1
        UNION ALL
        SELECT CASE WHEN met.received_at < :moment THEN met.id + 1 ELSE low END,
               CASE WHEN met.received_at < :moment THEN high ELSE low + (high - low) / 2 END
        FROM halved LEFT JOIN delivery AS met
            ON met.id = (SELECT min(id) FROM delivery WHERE id >= low + (high - low) / 2)
        WHERE low < high
    )
    SELECT low FROM halved WHERE low >= high
    """
).bindparams(bindparam("moment", type_=UtcTime))


def number_before(connection: Connection, moment: datetime) -> int:
    """A delivery number below which none came at `moment` or later; close to the first that did."""
    return _first_since(connection, moment - _ASKEW)


def number_after(connection: Connection, moment: datetime) -> int:
    """A delivery number from which on none came before `moment`; close to the last that did."""
    return _first_since(connection, moment + _ASKEW)


def _first_since(connection: Connection, moment: datetime) -> int:
    """The number of the first delivery since `moment`; one past the last if there is none."""
    return int(connection.execute(_HALVING, {"moment": moment}).scalar_one())
