"""What rows of money come to, by currency: the figures of screens and of months, and the proof that the rows add up to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Connection

from lib.ledger.database import Database
from lib.ledger.movements import Movement, amounts
from lib.ledger.quarters import A_QUARTER, quarter_of
from lib.ledger.volumes import Volumes, money_in
from lib.money import Money


@dataclass(frozen=True, slots=True)
class Net:
    """Captured and refunded, both without sign, in one currency."""

    captured: Money
    refunded: Money

    @property
    def currency(self) -> str:
        return self.captured.currency

    @property
    def net(self) -> Money:
        """Captured less refunded."""
        return self.captured - self.refunded


@dataclass(frozen=True, slots=True)
class Sums(Net):
    """The same with the numbers of captures and refunds.

    What is `untold` counts as refunded money, but nobody knows as how many refunds.
    """

    captured_count: int
    refunded_count: int

    def __add__(self, other: Sums) -> Sums:
        """Raises `CurrencyMismatch`."""
        return Sums(
            self.captured + other.captured,
            self.refunded + other.refunded,
            self.captured_count + other.captured_count,
            self.refunded_count + other.refunded_count,
        )


@lru_cache(maxsize=256)
def nothing(currency: str) -> Sums:
    """No movement at all."""
    return Sums(Money(0, currency), Money(0, currency), 0, 0)


def sums_of(volumes: Volumes) -> Sums:
    """The money of some volumes."""
    return _sums(volumes.currency, volumes.money)


def _sums(currency: str, money: Sequence[int]) -> Sums:
    """From the measures of `MONEY`."""
    captured, captures, refunded, refunds = money
    return Sums(Money(captured, currency), Money(refunded, currency), captures, refunds)


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


def sums_by_currency(connection: Connection, since: datetime, until: datetime, currency: str = "") -> dict[str, Sums]:
    """What moved in every currency, or in one alone. Both ends should lie on a quarter of an hour."""
    return {code: _sums(code, money) for code, money in money_in(connection, since, until, currency).items()}


def rows_summed(connection: Connection, currency: str, since: datetime, until: datetime) -> Sums:
    """The same as `sums`, added up from nothing but the rows: what proves the other."""
    if since >= until:
        return nothing(currency)
    found = amounts(connection, currency, since, until)
    (captured, captures), (refunded, refunds), (untold, _) = (found[kind] for kind in ("capture", "refund", "untold"))
    return Sums(Money(captured, currency), Money(-refunded - untold, currency), captures, refunds)


def sums(connection: Connection, currency: str, since: datetime, until: datetime) -> Sums:
    """What `every` movement comes to: whole quarters of an hour from the volumes, what hangs over from the rows."""
    opening, closing = quarter_of(since), quarter_of(until)
    if opening < since:
        opening += A_QUARTER
    if opening >= closing:
        return rows_summed(connection, currency, since, until)
    inner = sums_by_currency(connection, opening, closing, currency).get(currency, nothing(currency))
    head, tail = (since, opening), (closing, until)
    return rows_summed(connection, currency, *head) + inner + rows_summed(connection, currency, *tail)
