"""The simulator is told of sample payments, whatever happens to either side in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lib.board import Board
from lib.checkout import models
from lib.checkout.client import CheckoutClient
from lib.demo import handing
from lib.demo.filling import begin, fill, find_sample
from lib.demo.handing import HandingOver
from lib.demo.lives import lives
from lib.demo.removal import begin_removal, remove
from lib.demo.there import known_there
from lib.ledger.backfill import agrees
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.queries import PaymentFilter, find_payments
from lib.ledger.rebuild import compare
from lib.ledger.reread import reread
from lib.operators import Operator
from lib.simulator.options import SECRET_KEY
from tests.demo.conftest import desk_of
from tests.simulator.house import House, house
from tests.support import databases

ANA = Operator("Ana")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as home:
        yield home


@pytest.fixture
def desk(tmp_path: Path, home: House) -> Iterator[Desk]:
    database = Database(databases.sqlite(tmp_path / "ledger.db"))
    yield replace(desk_of(database), checkout=CheckoutClient(base_url=home.url, secret_key=SECRET_KEY))
    database.close()


def test_told_refused_nothing_and_forgotten(desk: Desk, home: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handing, "AT_ONCE", 40)
    board = Board(home.url)
    hands = HandingOver(desk.database, board)
    assert not hands.round()
    plan = begin(desk, ANA, payments=150, seed=7, months=1, now=datetime.now(UTC))
    assert hands.round()
    home.begin(None, clock="real")  # a new run has emptied the simulator meanwhile
    while HandingOver(desk.database, board).round() or hands.round():
        pass
    assert board.taken().count == 150
    assert fill(desk)
    captured = next(life for life in lives(plan) if life.captured and not life.refunds)
    there = {"id": captured.payment_id}
    assert home.details(there)["balances"]["total_captured"] == known_there(captured)["captured"]
    home.refunded(there)
    begin_removal(desk, ANA)
    assert remove(desk)
    while hands.round():
        pass
    assert (board.taken().label, find_sample(desk.database)) == (None, None)
    assert home.http.get(f"/payments/{captured.payment_id}").status_code == 404


def test_reading_a_sample_payment_again_brings_nothing_new(desk: Desk, home: House) -> None:
    begin(desk, ANA, payments=150, seed=7, months=1, now=datetime.now(UTC))
    assert fill(desk)
    hands = HandingOver(desk.database, Board(home.url))
    while hands.round():
        pass
    before = find_payments(desk.database, PaymentFilter(), limit=100).rows
    for row in before[:25]:
        answer = desk.checkout.get_payment(row.id)
        assert row.status == "Pending" or agrees(row, models.read(models.PaymentDetails, answer))
        reread(desk.database, desk.checkout, row.id)
    after = {row.id: row for row in find_payments(desk.database, PaymentFilter(), limit=100).rows}
    for row in before:
        now = after[row.id]
        assert (now.status, now.captured, now.refunded, now.attention) == (
            row.status,
            row.captured,
            row.refunded,
            None,
        )
    assert str(compare(desk.database)).endswith("0 rows differ")
