"""The tables. `event` holds the facts; `payment`, `refund` and the rollups are a cache of their fold.

Amounts are minor units of the row's currency. `lib.ledger.columns` says how times are stored, `lib.ledger.rollups` which
sums are kept; this module is the door to both, so that whoever looks a table up finds all of these.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, String, Text
from sqlmodel import Field

from lib.ledger.columns import SERIAL, Table, UtcTime, time_text, where
from lib.ledger.rollups import Breakdown, LedgerZone, Volume, VolumeDay
from lib.money import Money

__all__ = [
    "REFUND_STATUSES",
    "STATUSES",
    "Breakdown",
    "Creation",
    "Delivery",
    "Event",
    "LedgerZone",
    "Payment",
    "Refund",
    "Table",
    "UtcTime",
    "Volume",
    "VolumeDay",
    "time_text",
    "where",
]

STATUSES = ("Pending", "Captured", "Partially Refunded", "Refunded", "Declined", "Expired", "Canceled")
"""Checkout.com's words for the states of a KakaoPay payment."""

REFUND_STATUSES = ("awaiting_approval", "submitting", "pending", "refunded", "declined", "failed", "cancelled")
"""A refund's life here. `failed`: Checkout.com refused the request, so nothing moved. `declined`: it accepted, then the wallet refused."""


class Event(Table, table=True):
    """One fact, kept for ever: what a webhook said, the API answered, a poll found, or a person asked for.

    `id` is the event's id at Checkout.com; facts that have none get one that is the same whenever the same fact is
    stored again. `source` is `webhook`, `api`, `poll` or `human`. `body` is the JSON as it was received.
    """

    seq: int | None = Field(default=None, sa_column=Column(SERIAL, primary_key=True, autoincrement=True))
    id: str = Field(max_length=120, unique=True)
    type: str = Field(max_length=80)
    source: str = Field(max_length=8)
    payment_id: str | None = Field(default=None, max_length=120)
    payment_seq: int | None = Field(default=None, sa_type=BigInteger)
    """The payment's own `seq`: a small number to find its facts by, so that the index grows at its end."""
    action_id: str | None = Field(default=None, max_length=120)
    occurred_at: datetime = Field(sa_type=UtcTime)
    recorded_at: datetime = Field(sa_type=UtcTime)
    body: str = Field(sa_type=Text)

    __table_args__ = (Index("event_of_payment", "payment_seq", "seq"),)


class Payment(Table, table=True):
    """One payment, as its facts say. `version` grows with every fact, so that a screen can ask cheaply whether to redraw."""

    seq: int | None = Field(default=None, sa_column=Column(SERIAL, primary_key=True, autoincrement=True))
    id: str = Field(max_length=120, unique=True)
    reference: str | None = None
    currency: str | None = Field(default=None, max_length=8)
    amount: int | None = Field(default=None, sa_type=BigInteger)
    status: str = Field(max_length=24)
    captured: int = Field(default=0, sa_type=BigInteger)
    refunded: int = Field(default=0, sa_type=BigInteger)
    refund_pending: int = Field(default=0, sa_type=BigInteger)
    """Accepted by Checkout.com, not yet decided."""
    refund_reserved: int = Field(default=0, sa_type=BigInteger)
    """Asked for here, not yet answered by Checkout.com."""
    customer_id: str | None = None
    customer_email: str | None = None
    customer_name: str | None = None
    payment_type: str | None = None
    terminal_type: str | None = None
    source_id: str | None = None
    """The stored source of a recurring payment, `src_...`."""
    redirect_url: str | None = Field(default=None, sa_type=Text)
    response_code: str | None = None
    response_summary: str | None = None
    requested_by: str | None = None
    """Who asked for it here; None for a payment that was made elsewhere."""
    attention: str | None = None
    """Why a person should look, comma-separated: `contradiction`, `missing_facts`, `currency_conflict`, `over_refunded`."""
    requested_at: datetime = Field(sa_type=UtcTime)
    captured_at: datetime | None = Field(default=None, sa_type=UtcTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When it was declined, expired or canceled."""
    expires_at: datetime | None = Field(default=None, sa_type=UtcTime)
    untold: int = Field(default=0, sa_type=BigInteger)
    """Refunded according to Checkout.com's totals, without a refund that we have heard of; part of `refunded`."""
    untold_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """When those totals were so; None without any."""
    updated_at: datetime = Field(sa_type=UtcTime)
    version: int = 0
    searched: int = 0
    """1 once the words by which it can be found are in the search index, 0 while they wait for it."""
    folded: str = Field(sa_type=Text)
    """The fold's own state, from which it goes on when the next fact arrives."""

    __table_args__ = (
        Index("payment_newest", "requested_at", "seq"),
        # For one status in all currencies, or one currency in all statuses, each pair is led through by itself: an index
        # less to keep up with every event is worth more than a list from one stretch.
        Index("payment_by_currency_status", "currency", "status", "requested_at", "seq"),
        where("source_id IS NOT NULL", "payment_by_source", "source_id"),
        Index("payment_by_terminal", "terminal_type", "requested_at", "seq"),
        where("untold_at IS NOT NULL", "payment_untold", "currency", "untold_at", "seq"),
        where("captured_at IS NOT NULL", "payment_moved", "currency", "captured_at", "seq"),
        where("searched = 0", "payment_unsearched", "seq"),
        Index("payment_by_amount", "currency", "amount"),
        where("refunded > 0", "payment_by_refunded", "currency", "refunded"),
    )

    @property
    def money(self) -> Money:
        """The amount asked for; zero where no fact has said one yet."""
        return self._money(self.amount or 0)

    @property
    def refundable(self) -> Money:
        """What can still be refunded: captured less refunded, pending and reserved; never negative."""
        return self._money(max(0, self.captured - self.refunded - self.refund_pending - self.refund_reserved))

    def _money(self, minor: int) -> Money:
        return Money(minor, self.currency or "???")


class Refund(Table, table=True):
    """One refund: the intent of a person here, or an action that Checkout.com told us of. One row, whatever arrives first.

    `key` is the idempotency key it is sent under; for a refund made elsewhere, its action id.
    """

    key: str = Field(primary_key=True, max_length=120)
    payment_id: str = Field(max_length=120, index=True)
    action_id: str | None = Field(default=None, max_length=120)
    amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=8)
    status: str = Field(max_length=20)
    reason: str | None = None
    note: str | None = Field(default=None, sa_type=Text)
    requested_by: str | None = None
    requested_at: datetime = Field(sa_type=UtcTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcTime)
    response_code: str | None = None
    response_summary: str | None = Field(default=None, sa_type=Text)
    reason_label: str | None = None
    """The reason in the words of the day on which it was given."""
    retry_of: str | None = Field(default=None, max_length=120)
    """The key of the declined or failed refund that this one tries again."""
    lines: str | None = Field(default=None, sa_type=Text)
    """The order lines given back, as JSON: `[{"line": 0, "name": "Cup", "quantity": 1, "amount": 4500}]`."""
    approval_limit: int | None = Field(default=None, sa_type=BigInteger)
    """The limit that made a second person necessary, in minor units; None where none was."""
    approve_by: datetime | None = Field(default=None, sa_type=UtcTime)
    """Until when somebody may approve it."""
    approved_by: str | None = None
    approved_at: datetime | None = Field(default=None, sa_type=UtcTime)
    ended_as: str | None = Field(default=None, max_length=10)
    """How it ended unsent: `cancelled`, `rejected` or `lapsed`."""
    ended_by: str | None = None
    ended_why: str | None = Field(default=None, sa_type=Text)
    held_until: datetime | None = Field(default=None, sa_type=UtcTime)
    """Until when it is kept back and can be cancelled; None once it was released, or when it never was."""
    send_at: datetime | None = Field(default=None, sa_type=UtcTime)
    """From when on it is to be sent; None while it must not be, and once Checkout.com has answered."""

    __table_args__ = (
        Index("refund_newest", "requested_at", "key"),
        Index("refund_by_status", "status", "requested_at", "key"),
        Index("refund_by_action", "action_id", unique=True),
        where("send_at IS NOT NULL", "refund_to_send", "send_at"),
        where("status = 'refunded'", "refund_moved", "currency", "decided_at", "action_id"),
        CheckConstraint("amount >= 0", name="refund_amount_not_negative"),
        CheckConstraint("approved_by IS NULL OR approved_by <> requested_by", name="refund_approved_by_another"),
    )

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def limit(self) -> Money | None:
        """The limit that made a second person necessary."""
        return None if self.approval_limit is None else Money(self.approval_limit, self.currency)

    @property
    def cancellable(self) -> bool:
        """Whether it can still be taken back: nothing of it has left this house."""
        return self.status == "awaiting_approval" or (self.status == "submitting" and self.held_until is not None)


class Delivery(Table, table=True):
    """One delivery to the receiver, accepted or not. `body` is kept where no event holds it already."""

    id: int | None = Field(default=None, sa_column=Column(SERIAL, primary_key=True, autoincrement=True))
    received_at: datetime = Field(sa_type=UtcTime)
    verdict: str = Field(max_length=20)
    reason: str = Field(sa_type=Text)
    event_id: str | None = Field(default=None, max_length=120)
    event_seq: int | None = Field(default=None, sa_type=BigInteger)
    """The `seq` of the event it brought or repeated."""
    key_index: int | None = None
    """Which signature key fits, counted from 0 in the order of the settings at that time."""
    event_type: str | None = Field(default=None, max_length=80)
    payment_id: str | None = Field(default=None, max_length=120)
    signature: str | None = Field(default=None, max_length=128)
    sender: str | None = Field(default=None, max_length=64)
    size: int
    body: str | None = Field(default=None, sa_type=Text)

    __table_args__ = (
        Index("delivery_by_verdict", "verdict", "id"),
        Index("delivery_by_type", "event_type", "id"),
        Index("delivery_by_event", "event_seq", "id"),
    )


class SearchWord(Table, table=True):
    """A field that a payment can be found by, in lower case, to be looked up from its beginning."""

    __tablename__ = "search_word"

    word: str = Field(sa_column=Column(String().with_variant(String(collation="C"), "postgresql"), primary_key=True))
    seq: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    """The payment's."""

    __table_args__ = (Index("search_word_of_payment", "seq"), {"sqlite_with_rowid": False})


class Creation(Table, table=True):
    """A payment somebody asked for here: written before the call, so that a crash neither loses nor repeats it.

    `status`: `sending` until the outcome is known, then `accepted` or `refused`.
    """

    key: str = Field(primary_key=True, max_length=120)
    status: str = Field(max_length=10, index=True)
    requested_by: str
    requested_at: datetime = Field(sa_type=UtcTime)
    body: str = Field(sa_type=Text)
    payment_id: str | None = Field(default=None, max_length=120)
    problem: str | None = Field(default=None, sa_type=Text)
    answer: str | None = Field(default=None, sa_type=Text)
    """What the screen shows of the exchange: status, request id, duration and body, as JSON."""
