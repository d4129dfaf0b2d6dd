"""The tables of closed periods. The database itself keeps their figures from being changed, and from being deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, Text
from sqlmodel import Field

from lib.ledger.tables import Table, UtcTime, where

_OPEN_AGAIN = "reopened_at IS NULL"


class Period(Table, table=True):
    """A settlement month of one currency as it was closed, in minor units. One that was reopened stays, as history.

    `opening + gross - refunded - fees = closing`. All are of the facts up to `event_seq`.
    """

    id: int | None = Field(
        default=None,
        sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    )
    currency: str = Field(max_length=8)
    month: str = Field(max_length=7)
    """`2026-03`."""
    since: datetime = Field(sa_type=UtcTime)
    until: datetime = Field(sa_type=UtcTime)
    opening: int = Field(sa_type=BigInteger)
    gross: int = Field(sa_type=BigInteger)
    refunded: int = Field(sa_type=BigInteger)
    fees: int = Field(sa_type=BigInteger)
    closing: int = Field(sa_type=BigInteger)
    captured_count: int = Field(sa_type=BigInteger)
    refunded_count: int = Field(sa_type=BigInteger)
    rows: int = Field(sa_type=BigInteger)
    sha256: str = Field(max_length=64)
    """Of the sheet: its lines, each with a line feed at its end."""
    event_seq: int = Field(sa_type=BigInteger)
    closed_at: datetime = Field(sa_type=UtcTime)
    closed_by: str = Field(max_length=255)
    reopen_reason: str | None = Field(default=None, sa_type=Text)
    reopen_asked_by: str | None = Field(default=None, max_length=255)
    reopen_asked_at: datetime | None = Field(default=None, sa_type=UtcTime)
    reopened_by: str | None = Field(default=None, max_length=255)
    reopened_at: datetime | None = Field(default=None, sa_type=UtcTime)

    __table_args__ = (
        where(_OPEN_AGAIN, "period_closed", "currency", "month", unique=True),
        CheckConstraint("opening + gross - refunded - fees = closing", name="period_adds_up"),
        CheckConstraint(
            "(reopened_by IS NULL) = (reopened_at IS NULL) AND (reopened_by IS NULL OR (reopen_asked_by IS NOT NULL "
            "AND reopen_reason IS NOT NULL AND reopened_by <> reopen_asked_by))",
            name="period_reopened_by_another",
        ),
    )


class PeriodSheet(Table, table=True):
    """The rows of a closed period, a part at a time: the very text whose hash the period keeps."""

    __tablename__ = "period_sheet"

    period_id: int = Field(sa_type=BigInteger, primary_key=True)
    part: int = Field(primary_key=True)
    first_at: datetime = Field(sa_type=UtcTime)
    last_at: datetime = Field(sa_type=UtcTime)
    lines: str = Field(sa_type=Text)


class PeriodQuarter(Table, table=True):
    """What a closed period took in of one quarter of an hour: its own, or an earlier one of which it heard late."""

    __tablename__ = "period_quarter"

    period_id: int = Field(sa_type=BigInteger, primary_key=True)
    bucket: datetime = Field(sa_type=UtcTime, primary_key=True)
    captured: int = Field(sa_type=BigInteger)
    captured_count: int = Field(sa_type=BigInteger)
    refunded: int = Field(sa_type=BigInteger)
    refunded_count: int = Field(sa_type=BigInteger)


PERIOD = Table.metadata.tables["period"]
SHEET = Table.metadata.tables["period_sheet"]
QUARTER = Table.metadata.tables["period_quarter"]
