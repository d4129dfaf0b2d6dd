"""Where settlement and the rows of a day part: what was heard of after its month was closed is booked on a later day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from lib.ledger.calendar import SettlementDays
from lib.ledger.closed.booked import closed_until
from lib.ledger.closed.late import Row
from lib.ledger.closed.months import months_in
from lib.ledger.database import Database


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """`away` are rows dated in a span and booked outside it, `taken` rows booked in it and dated outside: each with the
    settlement day on which it is booked.

    The rows of the span less `away` and with `taken` come to what settlement says of it.
    """

    away: list[tuple[date, Row]]
    taken: list[tuple[date, Row]]


def booked_elsewhere(
    database: Database, currency: str, since: datetime, until: datetime, days: SettlementDays, now: datetime
) -> Elsewhere:
    """What parts the rows of a span of whole settlement days from what settlement shows."""
    away: list[tuple[date, Row]] = []
    taken: list[tuple[date, Row]] = []
    with database.read() as connection:
        if currency not in closed_until(connection):
            return Elsewhere(away, taken)
        known = months_in(connection, currency, days, now)
    for month in known:
        booked = since <= month.since < until
        for row in month.late:
            dated = since <= row.at < until
            if dated and not booked:
                away.append((days.day_of(month.since), row))
            elif booked and not dated:
                taken.append((days.day_of(month.since), row))
    return Elsewhere(away, taken)
