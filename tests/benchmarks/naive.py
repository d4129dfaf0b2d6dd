"""The receiver most people would write: FastAPI, one SQLModel session a request, look first whether the event is known.

It does the same work as ours (verify, store event and delivery, bring payment and refund up to date, answer after the
commit) with tables of its own, on SQLite in WAL mode or on PostgreSQL.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from sqlalchemy import event as engine_event
from sqlmodel import Field, Session, SQLModel, create_engine, select

KEY = os.environ.get("CHECKOUT_WEBHOOK_KEYS", "").encode()
engine = create_engine(os.environ.get("DATABASE_URL", "sqlite://"), pool_size=20, max_overflow=60)


class Event(SQLModel, table=True):
    id: str = Field(primary_key=True)
    type: str = Field(index=True)
    payment_id: str = Field(index=True)
    body: str
    received_at: datetime


class Delivery(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    event_id: str = Field(index=True)
    verdict: str
    received_at: datetime


class Payment(SQLModel, table=True):
    id: str = Field(primary_key=True)
    reference: str | None = Field(default=None, index=True)
    customer_email: str | None = Field(default=None, index=True)
    currency: str
    amount: int = 0
    captured: int = 0
    refunded: int = 0
    status: str = Field(default="Pending", index=True)
    updated_at: datetime


class Refund(SQLModel, table=True):
    action_id: str = Field(primary_key=True)
    payment_id: str = Field(index=True)
    amount: int
    status: str


if engine.dialect.name == "sqlite":

    @engine_event.listens_for(engine, "connect")
    def _wal(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA journal_mode=WAL").close()


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    SQLModel.metadata.create_all(engine)
    yield


app = FastAPI(lifespan=lifespan)


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


@app.post("/webhooks/checkout")
async def webhook(
    request: Request,
    session: Annotated[Session, Depends(get_session)],
    cko_signature: Annotated[str, Header()] = "",
) -> dict[str, str]:
    raw = await request.body()
    if not hmac.compare_digest(hmac.new(KEY, raw, hashlib.sha256).hexdigest(), cko_signature):
        raise HTTPException(401, "bad signature")
    body = json.loads(raw)
    now = datetime.now(UTC)
    if session.exec(select(Event).where(Event.id == body["id"])).first():
        session.add(Delivery(event_id=body["id"], verdict="duplicate", received_at=now))
        session.commit()
        return {"status": "duplicate"}
    data = body["data"]
    session.add(Event(id=body["id"], type=body["type"], payment_id=data["id"], body=raw.decode(), received_at=now))
    session.add(Delivery(event_id=body["id"], verdict="accepted", received_at=now))
    apply(session, body["type"], data, now)
    session.commit()
    return {"status": "stored"}


def apply(session: Session, kind: str, data: dict[str, Any], now: datetime) -> None:
    """Bring the payment and its refund up to date."""
    payment = session.get(Payment, data["id"]) or Payment(id=data["id"], currency=data["currency"], updated_at=now)
    payment.updated_at = now
    payment.reference = data.get("reference") or payment.reference
    if kind == "payment_pending":
        payment.amount = data["amount"]
        payment.customer_email = data["customer"]["email"]
    elif kind == "payment_captured":
        payment.captured = data["amount"]
        payment.status = "Captured"
    elif kind in ("payment_declined", "payment_expired", "payment_canceled"):
        payment.status = kind.removeprefix("payment_").title()
    elif kind in ("payment_refund_pending", "payment_refunded"):
        refund = session.get(Refund, data["action_id"]) or Refund(
            action_id=data["action_id"], payment_id=data["id"], amount=data["amount"], status="pending"
        )
        if kind == "payment_refunded":
            refund.status = "refunded"
            payment.refunded += data["amount"]
            payment.status = "Refunded" if payment.refunded >= payment.captured else "Partially Refunded"
        session.add(refund)
    session.add(payment)
