"""Sample data in the ledger: what there is of it, and how it is told from what really happened.

Sample payments have ids of their own, and the deliveries that told of them have numbers below zero.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, func, select
from sqlmodel import Field

from lib.ledger.database import Database
from lib.ledger.tables import Table, UtcTime

PREFIX = "pay_sample"
"""With which the ids of sample payments begin, and no others."""


class Sample(Table, table=True):
    """The sample data: one row, or none.

    `state`: `filling`, `filled`, `stopped`, `removing`, or `removed` while the simulator has still to forget it.
    `holder` is the process at work, `beat_at` its last sign of life, `filled` how many payments are stored.
    """

    id: int = Field(default=1, primary_key=True)
    seed: int = Field(sa_type=BigInteger)
    payments: int
    months: int
    until: datetime = Field(sa_type=UtcTime)
    asked_by: str = Field(max_length=255)
    asked_at: datetime = Field(sa_type=UtcTime)
    after_event: int = Field(sa_type=BigInteger)
    """The newest fact, and below it the newest payment, before the first sample."""
    after_payment: int = Field(sa_type=BigInteger)
    state: str = Field(max_length=10)
    filled: int = 0
    holder: str | None = Field(default=None, max_length=20)
    beat_at: datetime = Field(sa_type=UtcTime)


SAMPLE = Table.metadata.tables["sample"]


def find_sample(database: Database) -> Sample | None:
    """What there is of sample data. Raises `StoreUnavailable`."""
    with database.read() as connection:
        row = connection.execute(select(SAMPLE)).mappings().first()
    return Sample(**row) if row else None


def is_sample(payment_id: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that a payment is a sample."""
    return func.substr(payment_id, 1, len(PREFIX)) == PREFIX
