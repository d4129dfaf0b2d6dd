"""The simulator's tables, in a registry of their own, so that the dashboard's tables may bear the same names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Engine,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    create_engine,
    event,
)
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(TypeDecorator[datetime]):
    """An aware time, kept as whole microseconds since 1970 UTC: exact, sortable, the same on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy says how it is called
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy says how it is called
        return None if value is None else _EPOCH + value * _MICROSECOND


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: Moment,
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
        str: Text,
    }


class Customer(Base):
    __tablename__ = "customer"

    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str | None] = mapped_column(index=True)
    name: Mapped[str | None]
    phone: Mapped[dict[str, Any] | None]


class Source(Base):
    """A KakaoPay account a customer agreed to have charged again. `pending` until the first payment is captured."""

    __tablename__ = "source"

    id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"))
    status: Mapped[str]


class Payment(Base):
    """One payment. Amounts in minor units of `currency`; `status` in Checkout.com's words."""

    __tablename__ = "payment"

    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    code: Mapped[str | None] = mapped_column(unique=True)
    """Opens the wallet page; None for a charge by stored source, which has none."""
    status: Mapped[str]
    reference: Mapped[str]
    payment_type: Mapped[str]
    currency: Mapped[str]
    amount: Mapped[int]
    captured: Mapped[int]
    refunded: Mapped[int]
    refund_pending: Mapped[int]
    requested_on: Mapped[datetime]
    processed_on: Mapped[datetime | None]
    expires_on: Mapped[datetime | None]
    response_code: Mapped[str | None]
    response_summary: Mapped[str | None]
    capture_id: Mapped[str]
    """The action that captures, is declined or expires."""
    source_id: Mapped[str | None] = mapped_column(ForeignKey("source.id"))
    customer_id: Mapped[str] = mapped_column(ForeignKey("customer.id"))
    success_url: Mapped[str | None]
    failure_url: Mapped[str | None]
    details: Mapped[dict[str, Any]]
    """What the request said besides: processing, shipping, items, metadata, description, payment_ip, processing_channel_id."""

    __table_args__ = (Index("payment_by_reference", "reference", "seq"),)

    @property
    def refundable(self) -> int:
        """What a further refund may take."""
        return self.captured - self.refunded - self.refund_pending


class Action(Base):
    """A capture or refund; `status` is pending, approved or declined."""

    __tablename__ = "action"

    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"), index=True)
    type: Mapped[str]
    amount: Mapped[int]
    status: Mapped[str]
    reference: Mapped[str | None]
    details: Mapped[dict[str, Any] | None]
    """The metadata a refund brought with it."""
    requested_on: Mapped[datetime]
    processed_on: Mapped[datetime | None]
    response_code: Mapped[str | None]
    response_summary: Mapped[str | None]
    acquirer_transaction_id: Mapped[str | None]
    acquirer_reference_number: Mapped[str | None]
    holding_currency: Mapped[str | None]
    """Set once approved: where the money of this action is held."""
    holding_net: Mapped[int | None]
    """Minor units that the action, its fees included, adds to that holding (negative: takes away)."""
    breakdown: Mapped[list[Any] | None]
    """The rows that make up `holding_net`, as `finance.Line` says; kept, since fees may change."""
    payout_id: Mapped[str | None] = mapped_column(index=True)

    __table_args__ = (Index("action_by_holding", "holding_currency", "payout_id", "processed_on"),)


class Event(Base):
    """Something that happened, with the exact body a receiver is sent."""

    __tablename__ = "event"

    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    payment_id: Mapped[str] = mapped_column(index=True)
    action_id: Mapped[str | None]
    occurred_at: Mapped[datetime]
    body: Mapped[str]
    state: Mapped[str]
    """waiting, delivered, failed (all tries spent) or kept (nobody to tell)."""
    attempts: Mapped[int] = mapped_column(default=0)
    """Tries of the current schedule; a resend starts a new one."""
    next_at: Mapped[datetime | None] = mapped_column(index=True)
    """When it is to be tried next; None: not any more."""


class Attempt(Base):
    """One try to deliver an event."""

    __tablename__ = "attempt"

    seq: Mapped[int] = mapped_column(primary_key=True)
    event_seq: Mapped[int] = mapped_column(ForeignKey("event.seq"), index=True)
    at: Mapped[datetime]
    outcome: Mapped[str]
    status: Mapped[int | None]
    milliseconds: Mapped[int]
    faults: Mapped[str]


class Timer(Base):
    """Something that will happen by itself."""

    __tablename__ = "timer"

    seq: Mapped[int] = mapped_column(primary_key=True)
    due: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[str]
    subject: Mapped[str]

    __table_args__ = (UniqueConstraint("kind", "subject"),)


class Visit(Base):
    """When a payment's wallet page was first opened. Of no account in a run: looking changes nothing."""

    __tablename__ = "visit"

    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"), primary_key=True)
    at: Mapped[datetime]


class Answer(Base):
    """The successful answer stored under an idempotency key; `place` is the path and the key."""

    __tablename__ = "answer"

    place: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    status: Mapped[int]
    body: Mapped[dict[str, Any]]


class Payout(Base):
    """What is paid to the merchant's bank for one holding currency at one cut; `amount` in minor units."""

    __tablename__ = "payout"

    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    currency: Mapped[str]
    amount: Mapped[int]
    period_start: Mapped[datetime]
    period_end: Mapped[datetime] = mapped_column(index=True)
    pays_at: Mapped[datetime]


class Report(Base):
    """A report that can be downloaded; its rows are read from the actions, which no longer change."""

    __tablename__ = "report"

    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    type: Mapped[str]
    created_on: Mapped[datetime] = mapped_column(index=True)
    period_start: Mapped[datetime]
    period_end: Mapped[datetime]
    payout_id: Mapped[str | None]
    file_id: Mapped[str]
    filename: Mapped[str]


class Input(Base):
    """What came from outside and had an effect, in order: with the seed, all that is needed to live a run again."""

    __tablename__ = "input"

    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    arguments: Mapped[dict[str, Any]]


class Taken(Base):
    """A payment that was taken over from elsewhere instead of being made here."""

    __tablename__ = "taken"

    payment_id: Mapped[str] = mapped_column(primary_key=True)


class Setting(Base):
    __tablename__ = "setting"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[dict[str, Any]]


def connect(database_url: str) -> Engine:
    """Open the database, making file and tables where they are missing."""
    url = make_url(database_url)
    if url.get_backend_name() != "sqlite":
        engine = create_engine(url)
    else:
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 30})
        event.listen(engine, "connect", _prepare_sqlite)
    Base.metadata.create_all(engine)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # NORMAL outlives a killed process, which is what a simulator has to survive; only a power cut could lose the last commits.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
