"""Payments taken over: made up somewhere else, so that a demonstration has a past that can be acted upon. Called in the
engine's thread, through `Engine.alone`.

They are no part of the run: none of their ids is drawn, no event tells of them, and their money was paid out before.
What happens to them from now on is like what happens to any other payment, so a run in which something did cannot be
lived again from its seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from lib.simulator import shapes
from lib.simulator.chance import Mark
from lib.simulator.clock import parse
from lib.simulator.engine import ADRIFT, Engine, given_out
from lib.simulator.problem import Mistake
from lib.simulator.store import Action, Attempt, Customer, Event, Payment, Setting, Source, Taken, Timer, Visit

_HELD = "taken"


def held(db: Session) -> dict[str, Any]:
    """What is taken over: `label`, which names the lot, and `count`; None and 0 for nothing."""
    found = db.get(Setting, _HELD)
    return dict(found.value) if found else {"label": None, "count": 0}


def take(engine: Engine, label: str, start: int, payments: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Take over the payments from number `start` on of a lot. Does nothing unless exactly those before are here already.

    What is held afterwards. Raises `Mistake` for another lot, or for payments that make no sense.
    """
    with engine.session() as db, db.begin():
        before = held(db)
        if before["label"] not in (None, label):
            raise Mistake(f"The payments of {before['label']} are here already. Forget them first.")
        if start != before["count"]:
            return before
        try:
            drawn = _insert(db, payments, engine.options.processing_channel_id)
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise Mistake(f"A payment to take over makes no sense: {type(problem).__name__} {problem}.") from None
        _drift(db, {kind: -number for kind, number in drawn.items()})
        after = {"label": label, "count": start + len(payments)}
        db.merge(Setting(name=_HELD, value=after))
        engine.look_ahead(db)
    return after


def forget(engine: Engine) -> None:
    """Forget all payments that were taken over, with everything that has happened to them since."""
    with engine.session() as db, db.begin():
        before = given_out(db)
        ids = select(Taken.payment_id)
        events = select(Event.seq).where(Event.payment_id.in_(ids))
        actions = select(Action.id).where(Action.payment_id.in_(ids))
        sources = select(Payment.source_id).where(Payment.id.in_(ids)).distinct()
        gone = list(db.scalars(sources))
        customers = list(db.scalars(select(Payment.customer_id).where(Payment.id.in_(ids)).distinct()))
        for statement in (
            delete(Attempt).where(Attempt.event_seq.in_(events)),
            delete(Event).where(Event.payment_id.in_(ids)),
            delete(Timer).where(Timer.kind != "cut", Timer.subject.in_(actions)),
            delete(Timer).where(Timer.kind != "cut", Timer.subject.in_(ids)),
            delete(Action).where(Action.payment_id.in_(ids)),
            delete(Visit).where(Visit.payment_id.in_(ids)),
            delete(Payment).where(Payment.id.in_(ids)),
            delete(Taken),
        ):
            db.execute(statement)
        for start in range(0, len(gone), _AT_ONCE):
            charged = select(Payment.source_id).where(Payment.source_id.is_not(None))
            some = Source.id.in_(gone[start : start + _AT_ONCE])
            db.execute(delete(Source).where(some, Source.id.not_in(charged)))
        for start in range(0, len(customers), _AT_ONCE):
            some = Customer.id.in_(customers[start : start + _AT_ONCE])
            paying, agreed = select(Payment.customer_id), select(Source.customer_id)
            db.execute(delete(Customer).where(some, Customer.id.not_in(paying), Customer.id.not_in(agreed)))
        db.execute(delete(Setting).where(Setting.name == _HELD))
        after = given_out(db)
        _drift(db, {kind: number - after[kind] for kind, number in before.items()})
        engine.look_ahead(db)


def acted_upon(db: Session) -> bool:
    """Whether anything has happened to payments that were taken over, or to such that are forgotten by now."""
    told = select(Event.seq).join(Taken, Taken.payment_id == Event.payment_id).limit(1)
    drift = db.get(Setting, ADRIFT)
    return db.scalar(told) is not None or bool(drift and drift.value.get("evt"))


_AT_ONCE = 500


def _insert(db: Session, payments: Sequence[Mapping[str, Any]], channel: str) -> Mark:
    """Insert what is not there yet. How many rows of each kind of id there are now that nobody drew."""
    customers = {each["customer"]["id"]: dict(each["customer"]) for each in payments}
    sources = {each["source_id"]: each["customer"]["id"] for each in payments if each["source_id"]}
    customers = {key: customers[key] for key in customers.keys() - _known(db, Customer.id, customers)}
    sources = {key: sources[key] for key in sources.keys() - _known(db, Source.id, sources)}
    actions = [_action(action, each) for each in payments for action in each["actions"]]
    waiting = [each for each in payments if each["status"] == "Pending"]
    for table, rows in (
        (
            Customer,
            [{"id": key, "email": c["email"], "name": c["name"], "phone": None} for key, c in customers.items()],
        ),
        (Source, [{"id": key, "customer_id": whose, "status": "active"} for key, whose in sources.items()]),
        (Payment, [_payment(each, channel) for each in payments]),
        (Action, actions),
        (Taken, [{"payment_id": each["id"]} for each in payments]),
        (Timer, [{"due": parse(e["expires_on"]), "kind": "expire", "subject": e["id"]} for e in waiting]),
    ):
        if rows:
            db.execute(insert(table), rows)
    decided = len(actions)
    return {
        "pay": len(payments),
        "code": sum(each["code"] is not None for each in payments),
        "act": len(payments) + sum(action["type"] == "Refund" for action in actions),
        "src": len(sources),
        "cus": len(customers),
        "acquirer_transaction": decided,
        "acquirer_reference": decided,
    }


def _known(db: Session, column: Any, ids: Mapping[str, Any]) -> set[str]:
    return set(db.scalars(select(column).where(column.in_(list(ids)))))


def _payment(told: Mapping[str, Any], channel: str) -> dict[str, Any]:
    code = next((action["response_code"] for action in told["actions"] if action["type"] == "Capture"), None)
    names = (
        "id code status reference payment_type currency amount captured refunded capture_id source_id".split()  # noqa: SIM905
    )
    return {
        **{name: told[name] for name in names},
        "refund_pending": 0,
        "requested_on": parse(told["requested_on"]),
        "processed_on": parse(told["processed_on"]) if told["processed_on"] else None,
        "expires_on": parse(told["expires_on"]) if told["expires_on"] else None,
        "response_code": code,
        "response_summary": shapes.summary(code) if code else None,
        "customer_id": told["customer"]["id"],
        "success_url": None,
        "failure_url": None,
        "details": {"processing_channel_id": channel, **told["details"]},
    }


def _action(told: Mapping[str, Any], payment: Mapping[str, Any]) -> dict[str, Any]:
    names = "id type amount status response_code acquirer_transaction_id acquirer_reference_number".split()  # noqa: SIM905
    return {
        **{name: told[name] for name in names},
        "payment_id": payment["id"],
        "reference": payment["reference"] if told["type"] == "Capture" else None,
        "details": None,
        "requested_on": parse(told["requested_on"]),
        "processed_on": parse(told["processed_on"]),
        "response_summary": shapes.summary(told["response_code"]),
        "holding_currency": None,
        "holding_net": None,
        "breakdown": None,
        "payout_id": None,
    }


def _drift(db: Session, by: Mark) -> None:
    """Remember by how much the rows that bear ids and the ids that were drawn have come apart."""
    found = db.get(Setting, ADRIFT)
    drift: Mark = dict(found.value) if found else {}
    summed = {kind: drift.get(kind, 0) + by.get(kind, 0) for kind in drift.keys() | by.keys()}
    db.merge(Setting(name=ADRIFT, value={kind: number for kind, number in summed.items() if number}))
