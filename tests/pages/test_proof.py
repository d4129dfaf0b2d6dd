"""The replay proof on screen: begun, watched, its result in words."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from lib.ledger.database import Database
from lib.ledger.record import PAYMENT
from pages.parts.proof import proof
from tests.pages.conftest import Open, said

PAGE = "webhook_events.py"


def opened(open_page: Open) -> AppTest:
    page = open_page(PAGE, view="Replay proof")
    assert not [*page.error, *page.exception]
    return page


def proven(page: AppTest) -> AppTest:
    page.button(key="start_proof").click().run()
    deadline = time.monotonic() + 20
    while "start_proof" not in [button.key for button in page.button]:
        assert time.monotonic() < deadline
        page.run()
    return page


def test_before_the_first_it_says_what_it_does(empty: Database, open_page: Open) -> None:
    page = opened(open_page)
    assert "It changes nothing" in said(page)
    assert not [*page.success, *page.warning]


def test_a_sound_store(filled: Database, open_page: Open) -> None:
    page = proven(opened(open_page))
    assert "22 events, 9 payments, 0 rows differ" in page.success[0].value
    assert "HKT" in said(page)


def test_a_store_that_was_tampered_with(filled: Database, open_page: Open) -> None:
    with filled.write() as connection:
        connection.execute(update(PAYMENT).values(refunded=PAYMENT.c.refunded + 1))
    page = proven(opened(open_page))
    [problem] = [error.value for error in page.error]
    assert "9 rows differ" in problem
    assert "python -m lib.ledger.rebuild" in problem


def test_while_it_runs_it_shows_how_far_it_is_and_can_be_cancelled(
    filled: Database, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(_database: Database, *, progress: Callable[[int], None]) -> None:
        while True:
            progress(5)
            time.sleep(0.01)

    page = opened(open_page)
    monkeypatch.setattr("lib.ledger.proof.compare", endless)
    page.button(key="start_proof").click().run()
    bars = page.get("progress")
    assert len(bars) == 1
    assert "payments compared" in bars[0].proto.text
    page.button(key="cancel_proof").click().run()
    deadline = time.monotonic() + 20
    while (progress := proof().progress) is None or progress.running:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    page.run()
    assert "No result. It was cancelled" in page.warning[0].value.replace("\\", "")
