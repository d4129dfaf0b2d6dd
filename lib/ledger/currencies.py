"""The currencies that payments are in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, Connection, text

from lib.ledger.record import PAYMENT

_CURRENCIES = text(
    "WITH RECURSIVE told (code) AS (SELECT min(currency) FROM payment UNION ALL SELECT "
    "(SELECT min(currency) FROM payment WHERE currency > code) FROM told WHERE code IS NOT NULL) "
    "SELECT code FROM told WHERE code IS NOT NULL"
)


def currencies_in(connection: Connection) -> Iterator[str]:
    """Every one, by one look into the index for each."""
    yield from connection.execute(_CURRENCIES).scalars()


def by_currency(connection: Connection, wanted: Sequence[str] = ()) -> list[ColumnElement[bool]]:
    """For each currency, or each that is `wanted`, the condition by which the index over currency and status is led.

    Without `wanted` together they hold for every payment, also one of which no currency was told yet.
    """
    told = [PAYMENT.c.currency == code for code in wanted or currencies_in(connection)]
    return told if wanted else [*told, PAYMENT.c.currency.is_(None)]
