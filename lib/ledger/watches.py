"""The tables of the backfill: which payments Checkout.com is being asked about, and what the asking last came to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Index, Text
from sqlmodel import Field

from lib.ledger.record import PAYMENT
from lib.ledger.tables import Table, UtcTime, where

PAYMENT.append_constraint(where("attention IS NOT NULL", "payment_with_attention", "requested_at", "seq"))


class Watch(Table, table=True):
    """A payment that Checkout.com was asked about and of which something is still missing."""

    payment_id: str = Field(primary_key=True, max_length=120)
    tries: int
    asked_at: datetime = Field(sa_type=UtcTime)
    next_at: datetime = Field(sa_type=UtcTime)
    """When to ask again; gaps grow."""
    problem: str | None = Field(default=None, sa_type=Text)
    """Why the last asking failed, in words; None when it did not."""

    __table_args__ = (Index("watch_next", "next_at"),)


class Backfill(Table, table=True):
    """What the asking came to. There is one row.

    `holder` names the process that asks, while `held_until` is ahead. A patrol reads every payment that can still
    change once more, newest first, and stands at (`patrol_at`, `patrol_seq`) while it is under way.
    """

    id: int = Field(default=1, primary_key=True)
    holder: str | None = None
    held_until: datetime | None = Field(default=None, sa_type=UtcTime)
    round_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """The last round that asked about any payment, and below it how many it asked about and how many facts were new."""
    asked: int = 0
    found: int = 0
    problem: str | None = Field(default=None, sa_type=Text)
    """Why that round broke off, in words; None when it did not."""
    patrol_began_at: datetime | None = Field(default=None, sa_type=UtcTime)
    patrol_ended_at: datetime | None = Field(default=None, sa_type=UtcTime)
    patrol_at: datetime | None = Field(default=None, sa_type=UtcTime)
    patrol_seq: int | None = Field(default=None, sa_type=BigInteger)
    patrol_asked: int = 0
    patrol_found: int = 0
    introduced_seq: int | None = Field(default=None, sa_type=BigInteger)
    """Up to which payment those made elsewhere have been read for their customers."""
    erased_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """Up to which payment, by the time of its request and its number, the setting has had old ones erased."""
    erased_seq: int | None = Field(default=None, sa_type=BigInteger)


WATCH = Table.metadata.tables["watch"]
BACKFILL = Table.metadata.tables["backfill"]
