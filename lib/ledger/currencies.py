"""The currencies that payments are in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from lib.ledger.record import PAYMENT


def currencies_in(connection: Connection) -> Iterator[str]:
    """Every one, by one look into the index for each."""
    following = select(func.min(PAYMENT.c.currency))
    code: Any = ""
    while code := connection.execute(following.where(PAYMENT.c.currency > code)).scalar():
        yield code


def by_currency(connection: Connection, wanted: Sequence[str] = ()) -> list[ColumnElement[bool]]:
    """For each currency, or each that is `wanted`, the condition by which the index over currency and status is led.

    Without `wanted` together they hold for every payment, also one of which no currency was told yet.
    """
    told = [PAYMENT.c.currency == code for code in wanted or currencies_in(connection)]
    return told if wanted else [*told, PAYMENT.c.currency.is_(None)]
