"""The tables of bulk refunds: the files, and what is known of each of their rows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from lib.ledger.tables import Table, UtcTime
from lib.money import Money

SENDABLE = ("ready", "needs_approval")
"""Rows that would move money, at once or after a second person agreed."""
HELD = (
    "bad_row",
    "unknown_payment",
    "ambiguous",
    "wrong_currency",
    "bad_amount",
    "unknown_reason",
    "not_refundable",
    "duplicate",
    "already_refunded",
    "exceeds",
)
"""Rows that are kept back, by why."""
ENDED = ("sent", "refused")
"""Rows that were sent: `sent` has a refund under its key, `refused` was turned down here at the last moment."""


class Bulk(Table, table=True):
    """One uploaded file. `id` is the digest of its content, so that the same file is the same row.

    `state`: `reading` until every row is judged, `checked`, `running`, `stopped`, `done`.
    """

    id: str = Field(primary_key=True, max_length=32)
    file_name: str = Field(max_length=200)
    lines: int
    uploaded_by: str = Field(max_length=255)
    uploaded_at: datetime = Field(sa_type=UtcTime)
    state: str = Field(max_length=10, index=True)
    checked_at: datetime | None = Field(default=None, sa_type=UtcTime)
    confirmed_by: str | None = Field(default=None, max_length=255)
    """Who confirmed it last, in whose name its refunds are asked for."""
    confirmed_roles: str | None = None
    """Their roles at that moment, comma-separated."""
    confirmed_origin: str | None = Field(default=None, max_length=20)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    problem: str | None = Field(default=None, sa_type=Text)
    """Why it stopped by itself, in words."""

    __table_args__ = (Index("bulk_newest", "uploaded_at", "id"),)


class BulkLine(Table, table=True):
    """One row of a file: as it was typed, what it was understood as, and where it stands.

    `status` is one of `SENDABLE`, `HELD`, `sending` while somebody works on it, or one of `ENDED`.
    """

    __tablename__ = "bulk_line"

    bulk_id: str = Field(primary_key=True, max_length=32)
    line: int = Field(primary_key=True)
    refund_key: str = Field(max_length=50)
    """The idempotency key of its refund, made of the file's digest and the row's place in it."""
    reference: str = Field(sa_type=Text)
    given_payment: str = Field(sa_type=Text)
    given_amount: str = Field(sa_type=Text)
    given_currency: str = Field(sa_type=Text)
    given_reason: str = Field(sa_type=Text)
    note: str = Field(sa_type=Text)
    payment_id: str | None = Field(default=None, max_length=120)
    amount: int | None = Field(default=None, sa_type=BigInteger)
    currency: str | None = Field(default=None, max_length=8)
    reason: str | None = Field(default=None, max_length=40)
    occurrence: int | None = None
    """Its number, from 1, among the rows of its file with this payment, amount, currency and reason."""
    status: str = Field(max_length=20)
    said: str = Field(sa_type=Text)
    """Why it is kept back or was refused, in a sentence."""
    claimed_until: datetime | None = Field(default=None, sa_type=UtcTime)

    __table_args__ = (
        Index("bulk_line_by_status", "bulk_id", "status", "line", "currency", "amount"),
        Index("bulk_line_of_payment", "payment_id"),
    )

    @property
    def money(self) -> Money | None:
        """The amount that was understood, None where it was not."""
        return None if self.amount is None or self.currency is None else Money(self.amount, self.currency)


BULK = Table.metadata.tables["bulk"]
LINE = Table.metadata.tables["bulk_line"]
