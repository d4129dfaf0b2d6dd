"""One step of the simulation: what a transition may read and write, at one instant, in one transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from lib.simulator import shapes
from lib.simulator.chance import Chance
from lib.simulator.faults import Board
from lib.simulator.options import Options
from lib.simulator.problem import NOT_FOUND, Refusal
from lib.simulator.rules import Account
from lib.simulator.store import Action, Event, Payment, Timer


@dataclass
class Step:
    db: Session
    now: datetime
    chance: Chance
    faults: Board
    account: Account
    options: Options
    base: str
    born: list[Event] = field(default_factory=list)
    """Events of this step, to be delivered once it is committed."""
    next_due: datetime | None = None
    """The nearest thing scheduled in this step."""
    acted: bool = True
    """Whether anything changed, so that the input belongs to the run."""

    def schedule(self, kind: str, subject: str, due: datetime) -> None:
        """Let something happen by itself, once."""
        self.next_due = min(self.next_due or due, due)
        self.db.add(Timer(due=due, kind=kind, subject=subject))

    def payment(self, identifier: str) -> Payment:
        """The payment, or 404 with an empty body."""
        payment = self.db.scalar(select(Payment).where(Payment.id == identifier))
        if payment is None:
            raise Refusal(NOT_FOUND)
        return payment

    def action(self, identifier: str) -> Action:
        return self.db.scalars(select(Action).where(Action.id == identifier)).one()

    def emit(self, kind: str, payment: Payment, action: Action | None = None) -> None:
        """Write down an event and its exact body, to be delivered after the commit."""
        identifier = self.chance.identifier("evt")
        customer = shapes.customer(self.db, payment) if kind == "payment_declined" else {}
        stamped = "timestamp" if self.chance.draw("envelope", identifier) < 0.5 else "created_on"
        body = shapes.event(
            kind,
            identifier,
            payment,
            action,
            customer,
            self.now,
            stamped=stamped,
            base=self.base,
        )
        told = bool(self.options.webhook())
        event = Event(
            id=identifier,
            type=kind,
            payment_id=payment.id,
            action_id=body["data"].get("action_id"),
            occurred_at=self.now,
            body=encode(body),
            state="waiting" if told else "kept",
            next_at=self.now + self._held(identifier) if told else None,
        )
        self.db.add(event)
        self.born.append(event)

    def _held(self, event_id: str) -> timedelta:
        strikes = (self.faults.strikes(name, event_id) for name in ("reorder", "delay"))
        return timedelta(seconds=sum(switch.seconds or 0 for switch in strikes if switch))


def encode(body: dict[str, Any]) -> str:
    """JSON as it is sent and signed: compact, keys in the order they were put in, text as it is."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
