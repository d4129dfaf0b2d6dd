"""Idempotency: the successful answer under a key is given again, word for word, while the key lives.

Only successes are stored; a refused request is looked at afresh. The same key with another body gets the stored answer (not
documented, our choice). Two requests with one key at the same time are told apart where they arrive, in `api`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from lib.simulator import payments
from lib.simulator.payments import Reply
from lib.simulator.step import Step
from lib.simulator.store import Answer


def create(step: Step, raw: str, key: str | None = None) -> Reply:
    return _once(step, "payments", key, lambda: payments.create(step, raw))


def refund(step: Step, payment_id: str, raw: str, key: str | None = None) -> Reply:
    return _once(step, f"payments/{payment_id}/refunds", key, lambda: payments.refund(step, payment_id, raw))


def reverse(step: Step, payment_id: str, raw: str, key: str | None = None) -> Reply:
    return _once(step, f"payments/{payment_id}/reversals", key, lambda: payments.reverse(step, payment_id, raw))


def _once(step: Step, path: str, key: str | None, work: Callable[[], Reply]) -> Reply:
    if key is None:
        return work()
    place = f"{path} {key}"
    stored = step.db.get(Answer, place)
    if stored and step.now < stored.at + timedelta(hours=step.options.idempotency_hours):
        step.acted = False
        return stored.status, stored.body
    status, body = work()
    step.db.merge(Answer(place=place, at=step.now, status=status, body=body))
    return status, body
