"""The tables of reconciliation: what was imported, and where each line of it, and each ledger row, stands.

`units` are whole hundred-millionths of a major unit, as precise as the reports; `ours` is in minor units.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import BigInteger, Column, Index, Integer, Text
from sqlmodel import Field

from lib.ledger.tables import Table, UtcTime, where

Standing = Literal[
    "matched",
    "amount_differs",
    "currency_differs",
    "missing_here",
    "missing_there",
    "duplicate",
    "fee_only",
    "other_period",
]
STANDINGS: tuple[Standing, ...] = get_args(Standing)
"""The class of a line or of a ledger row: always exactly one of these."""
DIFFERENCES: tuple[Standing, ...] = (
    "amount_differs",
    "currency_differs",
    "missing_here",
    "missing_there",
    "duplicate",
    "other_period",
)
"""What a person has to look at."""

_Serial = BigInteger().with_variant(Integer, "sqlite")


class ReportFile(Table, table=True):
    """A report that was imported. `covers_from` to before `covers_until` is where it should hold every ledger row."""

    __tablename__ = "report_file"

    id: int | None = Field(default=None, sa_column=Column(_Serial, primary_key=True, autoincrement=True))
    sha256: str = Field(max_length=64)
    scope: str = Field(max_length=6)
    """`payout` when it holds one payout and no more, else `days`; the two may have the same content."""
    name: str = Field(max_length=255)
    kind: str = Field(max_length=20)
    """`financial actions` or `payouts`."""
    report_id: str | None = Field(default=None, max_length=120, unique=True)
    """The report's id at Checkout.com, where it was fetched from there."""
    imported_at: datetime = Field(sa_type=UtcTime)
    imported_by: str = Field(max_length=255)
    lines: int
    known: int
    """How many of its lines an earlier file had brought."""
    covers_from: datetime | None = Field(default=None, sa_type=UtcTime)
    covers_until: datetime | None = Field(default=None, sa_type=UtcTime)

    __table_args__ = (Index("report_file_once", "sha256", "scope", unique=True),)


class StatementLine(Table, table=True):
    """A line of an imported report, or a ledger row that no line speaks of: always in exactly one class, its `standing`.

    `ledger_key` names the ledger row it is about (`Movement.id`); a duplicate names the row too, but not as its own.
    """

    __tablename__ = "statement_line"

    id: int | None = Field(default=None, sa_column=Column(_Serial, primary_key=True, autoincrement=True))
    standing: str = Field(max_length=20)
    month: str = Field(max_length=7)
    """The settlement month, `2026-03`, of the line, or else of the ledger row."""
    currency: str = Field(max_length=8)
    """The payment's currency as the line says, or else as the ledger does."""
    kind: str = Field(max_length=8)
    """`capture`, `refund`, `untold`, `fee` or `other`."""
    at: datetime = Field(sa_type=UtcTime)
    file_id: int | None = Field(default=None, sa_type=BigInteger)
    number: int | None = None
    """The line in the file, from 1; None, as is `file_id`, for a ledger row that no line speaks of."""
    identity: str | None = Field(default=None, max_length=40, unique=True)
    breakdown: str | None = Field(default=None, max_length=80)
    action_id: str | None = Field(default=None, max_length=100)
    payment_id: str | None = Field(default=None, max_length=120)
    reference: str | None = Field(default=None, sa_type=Text)
    amount: int | None = Field(default=None, sa_type=BigInteger)
    """What the line says, in units of `currency`, signed."""
    holding: str | None = Field(default=None, max_length=8)
    held: int | None = Field(default=None, sa_type=BigInteger)
    """In units of `holding`, signed; what payouts are made of."""
    payout_id: str | None = Field(default=None, max_length=40)
    ledger_key: str | None = Field(default=None, max_length=120)
    ours: int | None = Field(default=None, sa_type=BigInteger)
    """What the ledger row says, in minor units of `our_currency`, signed."""
    our_currency: str | None = Field(default=None, max_length=8)
    extra: str | None = Field(default=None, sa_type=Text)
    """The columns we do not know, as JSON."""
    found_at: datetime = Field(sa_type=UtcTime)
    """When it came into its class."""
    owner: str | None = Field(default=None, max_length=255)
    resolution: str | None = Field(default=None, max_length=20)
    note: str | None = Field(default=None, sa_type=Text)

    __table_args__ = (
        Index("statement_line_by_standing", "month", "standing", "currency", "id"),
        # The database itself keeps a ledger row from standing in two classes.
        where("standing <> 'duplicate'", "statement_line_of_row", "ledger_key", unique=True),
        Index("statement_line_of_payout", "payout_id", "holding", "held"),
        Index("statement_line_of_payment", "payment_id", "id"),
    )


class StatementSum(Table, table=True):
    """How many lines of a month are in a class, by currency, and what they come to: whole numbers of any size, as text."""

    __tablename__ = "statement_sum"

    month: str = Field(primary_key=True, max_length=7)
    standing: str = Field(primary_key=True, max_length=20)
    currency: str = Field(primary_key=True, max_length=8)
    count: int = Field(sa_type=BigInteger)
    theirs: str = Field(sa_type=Text)
    """In units."""
    ours: str = Field(sa_type=Text)
    """In minor units of the same currency."""


class StatementStep(Table, table=True):
    """What happened to a difference, one row a change, never changed afterwards."""

    __tablename__ = "statement_step"

    id: int | None = Field(default=None, sa_column=Column(_Serial, primary_key=True, autoincrement=True))
    line_id: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=UtcTime)
    by: str = Field(max_length=255)
    standing: str = Field(max_length=20)
    owner: str | None = Field(default=None, max_length=255)
    resolution: str | None = Field(default=None, max_length=20)
    note: str | None = Field(default=None, sa_type=Text)

    __table_args__ = (Index("statement_step_of_line", "line_id", "id"),)


class Payout(Table, table=True):
    """One payout, as a Payouts report tells of it. `amount` in units of `holding`."""

    id: str = Field(primary_key=True, max_length=40)
    holding: str = Field(max_length=8)
    amount: int = Field(sa_type=BigInteger)
    paid_on: str = Field(max_length=10)
    """`2026-03-06`, or nothing where the report does not say."""
    file_id: int = Field(sa_type=BigInteger)
    number: int
    extra: str | None = Field(default=None, sa_type=Text)

    __table_args__ = (Index("payout_newest", "paid_on", "id"),)


class FeeQuarter(Table, table=True):
    """What a quarter of an hour cost: fees and taxes of imported lines, by the payment's currency and the one held in."""

    __tablename__ = "fee_quarter"

    bucket: datetime = Field(sa_type=UtcTime, primary_key=True)
    currency: str = Field(primary_key=True, max_length=8)
    holding: str = Field(primary_key=True, max_length=8)
    units: int = Field(sa_type=BigInteger)
    """Signed as in the report: what costs is below zero."""


class Compared(Table, table=True):
    """Up to which fact the ledger has been compared with what was imported: one row, or none before the first import."""

    id: int = Field(default=1, primary_key=True)
    event_seq: int = Field(sa_type=BigInteger)


REPORT_FILE = Table.metadata.tables["report_file"]
LINE = Table.metadata.tables["statement_line"]
SUM = Table.metadata.tables["statement_sum"]
STEP = Table.metadata.tables["statement_step"]
PAYOUT = Table.metadata.tables["payout"]
FEE_QUARTER = Table.metadata.tables["fee_quarter"]
COMPARED = Table.metadata.tables["compared"]
