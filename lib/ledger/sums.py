"""What rows of money come to, by currency: the figures of screens and of months, and the proof that the rows add up to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from lib.ledger.database import Database
from lib.ledger.movements import Movement, amounts
from lib.ledger.volumes import Volumes, totals_in
from lib.money import Money

_QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Sums:
    """Captured, refunded (both without sign) and the numbers of captures and refunds, in one currency.

    What is `untold` counts as refunded money, but nobody knows as how many refunds.
    """

    captured: Money
    refunded: Money
    captured_count: int
    refunded_count: int

    @property
    def currency(self) -> str:
        return self.captured.currency

    @property
    def net(self) -> Money:
        """Captured less refunded."""
        return self.captured - self.refunded

    def __add__(self, other: Sums) -> Sums:
        """Raises `CurrencyMismatch`."""
        return Sums(
            self.captured + other.captured,
            self.refunded + other.refunded,
            self.captured_count + other.captured_count,
            self.refunded_count + other.refunded_count,
        )


def nothing(currency: str) -> Sums:
    """No movement at all."""
    return Sums(Money(0, currency), Money(0, currency), 0, 0)


def sums_of(volumes: Volumes) -> Sums:
    """The money of some volumes."""
    return Sums(volumes.captured, volumes.refunded, volumes.captured_count, volumes.refunded_count)


def added_up(currency: str, rows: Iterable[Movement]) -> Sums:
    """What these movements come to."""
    captured = refunded = captures = refunds = 0
    for row in rows:
        if row.kind == "capture":
            captured += row.amount
            captures += 1
        else:
            refunded -= row.amount
            refunds += row.kind == "refund"
    return Sums(Money(captured, currency), Money(refunded, currency), captures, refunds)


class Tie(NamedTuple):
    """A figure as the screens show it, and what its rows add up to."""

    figure: Sums
    rows: Sums

    @property
    def holds(self) -> bool:
        return self.figure == self.rows


def tie(database: Database, currency: str, since: datetime, until: datetime) -> Tie:
    """Set the figure of a span beside all its rows, both as one transaction sees them."""
    with database.read() as connection:
        span = currency, since, until
        return Tie(sums(connection, *span), rows_summed(connection, *span))


def rows_summed(connection: Connection, currency: str, since: datetime, until: datetime) -> Sums:
    """The same as `sums`, added up from nothing but the rows: what proves the other."""
    if since >= until:
        return nothing(currency)
    found = amounts(connection, currency, since, until)
    (captured, captures), (refunded, refunds), (untold, _) = (found[kind] for kind in ("capture", "refund", "untold"))
    return Sums(Money(captured, currency), Money(-refunded - untold, currency), captures, refunds)


def sums(connection: Connection, currency: str, since: datetime, until: datetime) -> Sums:
    """What `every` movement comes to: whole quarters of an hour from the volumes, what hangs over from the rows."""
    opening, closing = _quarter(since), _quarter(until)
    if opening < since:
        opening += _QUARTER
    if opening >= closing:
        return rows_summed(connection, currency, since, until)
    found = totals_in(connection, opening, closing).get(currency)
    inner = sums_of(found) if found else nothing(currency)
    head, tail = (since, opening), (closing, until)
    return rows_summed(connection, currency, *head) + inner + rows_summed(connection, currency, *tail)


def _quarter(moment: datetime) -> datetime:
    """The start of the quarter of an hour that `moment` falls in, in UTC."""
    moment = moment.astimezone(UTC)
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
