"""The rollups, from which volumes and settlement are read: sums by quarter of an hour, by local day, and what days are made of.

Each fact that moves money adds to them in the transaction that stores it. `lib.ledger.tables` is the door to these too.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field

from lib.ledger.columns import Table, UtcTime


class _Measures(Table):
    """Counts and minor units; `requested` by request time, `captured` by capture time, `refunded` by the time each
    refund was decided, the rest by the time the payment ended.
    """

    requested_count: int = Field(default=0, sa_type=BigInteger)
    requested: int = Field(default=0, sa_type=BigInteger)
    captured_count: int = Field(default=0, sa_type=BigInteger)
    captured: int = Field(default=0, sa_type=BigInteger)
    refunded_count: int = Field(default=0, sa_type=BigInteger)
    refunded: int = Field(default=0, sa_type=BigInteger)
    declined_count: int = Field(default=0, sa_type=BigInteger)
    expired_count: int = Field(default=0, sa_type=BigInteger)
    canceled_count: int = Field(default=0, sa_type=BigInteger)
    refund_declined_count: int = Field(default=0, sa_type=BigInteger)


class Volume(_Measures, table=True):
    """What happened in one quarter of an hour in one currency. Quarters, because zones lie at +9:30 and +5:45 too."""

    bucket: datetime = Field(sa_type=UtcTime, primary_key=True)
    currency: str = Field(primary_key=True, max_length=8)


class VolumeDay(_Measures, table=True):
    """The same by local day of the ledger's own zone, so that a year is a few rows a currency."""

    __tablename__ = "volume_day"

    day: str = Field(primary_key=True, max_length=10)
    """`2026-10-14`."""
    currency: str = Field(primary_key=True, max_length=8)


class Breakdown(Table, table=True):
    """What a local day of the ledger's own zone is made of, kind by kind; see `lib/ledger/parts.py`."""

    kind: str = Field(primary_key=True, max_length=12)
    day: str = Field(primary_key=True, max_length=10)
    currency: str = Field(primary_key=True, max_length=8)
    value: str = Field(primary_key=True, max_length=255)
    count: int = Field(sa_type=BigInteger)
    amount: int = Field(sa_type=BigInteger)


class LedgerZone(Table, table=True):
    """The zone in which `volume_day` cuts its days: one row, or none while nobody has said."""

    __tablename__ = "ledger_zone"

    id: int = Field(default=1, primary_key=True)
    zone: str = Field(max_length=60)
