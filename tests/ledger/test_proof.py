"""The replay proof: it finds what differs, can be watched and cancelled, and says why it could not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from lib.ledger import proof as module
from lib.ledger.database import Database, StoreUnavailable
from lib.ledger.proof import Progress, Proof
from lib.ledger.rebuild import Comparison
from lib.ledger.record import PAYMENT, record
from lib.operators import Operator
from tests.support.events import webhook

ANA = Operator("Ana")


def ended(proof: Proof) -> Progress:
    deadline = time.monotonic() + 20
    while proof.progress is None or proof.progress.running:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return proof.progress


@pytest.fixture
def stored(database: Database) -> Database:
    """Three payments of two facts each."""
    for number in (1, 2, 3):
        facts = [
            webhook("payment_pending", f"p{number}", number, f"pay_{number}", amount=100),
            webhook(
                "payment_captured", f"c{number}", number + 1, f"pay_{number}", amount=100, action_id=f"act_{number}"
            ),
        ]
        record(database, facts)
    return database


def test_a_sound_store_differs_nowhere(stored: Database) -> None:
    proof = Proof(stored)
    assert proof.progress is None
    proof.start(ANA)
    progress = ended(proof)
    assert progress.result == Comparison(events=6, payments=3, differing=0)
    assert progress.problem is None
    assert (progress.compared, progress.of) == (3, 3)


def test_a_row_that_is_not_what_its_facts_say_is_found_each_time(stored: Database) -> None:
    with stored.write() as connection:
        connection.execute(update(PAYMENT).where(PAYMENT.c.id == "pay_2").values(captured=99))
    proof = Proof(stored)
    for _ in range(2):
        proof.start(ANA)
        result = ended(proof).result
        assert result
        assert result.differing == 1


def slowly(gate: threading.Event, begun: threading.Event) -> Callable[..., Comparison]:
    def compare(_database: Database, *, progress: Callable[[int], None]) -> Comparison:
        begun.set()
        for payments in range(1000):
            assert gate.wait(10)
            progress(payments)
        return Comparison(0, 0, 0)

    return compare


def test_one_at_a_time_until_it_is_cancelled(stored: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    gate, begun = threading.Event(), threading.Event()
    monkeypatch.setattr(module, "compare", slowly(gate, begun))
    proof = Proof(stored)
    proof.start(ANA)
    assert begun.wait(10)
    first = proof.progress
    proof.start(ANA)
    assert first
    assert proof.progress
    assert proof.progress.began_at == first.began_at
    proof.cancel(ANA)
    gate.set()
    progress = ended(proof)
    assert (progress.result, progress.problem) == (None, "It was cancelled.")
    monkeypatch.undo()
    proof.start(ANA)
    assert ended(proof).result == Comparison(events=6, payments=3, differing=0)


@pytest.mark.parametrize(
    ("error", "words"),
    [(StoreUnavailable("The disk is full. Make room."), "The disk is full"), (KeyError("odd"), "the log says why")],
)
def test_what_stops_it_is_said(stored: Database, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str) -> None:
    def broken(*_: Any, **__: Any) -> Comparison:
        raise error

    monkeypatch.setattr(module, "compare", broken)
    proof = Proof(stored)
    proof.start(ANA)
    assert words in (ended(proof).problem or "")
