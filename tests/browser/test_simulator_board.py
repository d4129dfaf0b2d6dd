"""The simulator's board drives the real simulator, and what it does shows where deliveries are looked at."""

from __future__ import annotations

import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.screens import Merchant, Window, badge, rest, title
from tests.support.server import Server, payment_request, serving
from tests.support.waiting import until


def test_a_duplicate_shows_as_second_copy(server: Server, window: Window, merchant: Merchant) -> None:
    board = window(f"{server.url}/simulator-board")
    expect(title(board, "Simulator")).to_be_visible()
    expect(board.get_by_text("None on")).to_be_visible()
    board.get_by_text("Duplicate · every time").click()
    expect(badge(board, "1 on")).to_be_visible()
    expect(board.get_by_role("switch", name="Duplicate")).to_be_checked()
    payment_id, _ = merchant.asked("TWICE")
    copies = "SELECT id, verdict FROM delivery WHERE payment_id = :id ORDER BY id"
    until(lambda: len(server.rows(copies, id=payment_id)) == 2, what="the second copy")
    (_, first), (number, second) = server.rows(copies, id=payment_id)
    assert (first, second) == ("accepted", "duplicate")

    events = window(f"{server.url}/webhook-events?delivery={number}")
    drawer = events.get_by_role("dialog")
    expect(drawer.get_by_text("The event was here already. Nothing changed.")).to_be_visible()
    expect(drawer.get_by_role("row", name="Copy 2nd of 2 copies")).to_be_visible()
    expect(drawer.get_by_role("row", name="Effect None: already Pending")).to_be_visible()
    expect(drawer.get_by_role("link", name=re.compile("TWICE"))).to_be_visible()

    board.bring_to_front()
    board.get_by_role("button", name="All off").click()
    expect(board.get_by_text("Every fault is off and set as it began.")).to_be_visible()
    expect(board.get_by_role("switch", name="Duplicate")).not_to_be_checked()


def test_a_dropped_delivery_waits_and_is_sent_again(server: Server, window: Window, merchant: Merchant) -> None:
    merchant.faults(drop={"on": True, "times": 1})
    board = window(f"{server.url}/simulator-board")
    expect(board.get_by_text("Nothing waits: every event was acknowledged.")).to_be_visible()
    created = merchant.client.post("/payments", json=payment_request("LOST"))
    assert created.status_code == 202

    expect(board.get_by_text("The newest 1, times in Asia/Hong_Kong.")).to_be_visible()
    board.get_by_test_id("stDataFrame").click(position={"x": 60, "y": 54})

    expect(board.get_by_text("is on its way again. Webhook events shows it arrive.")).to_be_visible()
    expect(board.get_by_text("Nothing waits: every event was acknowledged.")).to_be_visible()


def test_a_run_is_saved_and_others_at_work_do_not_take_the_file_away(server: Server, window: Window) -> None:
    board = window(f"{server.url}/simulator-board")
    with board.expect_download() as download:
        board.get_by_role("button", name="Save run").click()
    assert download.value.suggested_filename == "simulator-run.json"
    saved = download.value.path().read_bytes()
    assert b"kakaopay-simulator-run/1" in saved

    other = window(f"{server.url}/help")
    for _ in range(3):  # a slow browser may not have asked for it yet
        rest(other)
        other.reload()
    with server.client() as client:
        fetched = client.get(download.value.url)
    assert (fetched.status_code, fetched.content) == (200, saved)


@pytest.mark.soak
def test_a_simulator_that_was_busy_for_long_comes_back_by_itself(window: Window, tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.checkout() as client, ThreadPoolExecutor(1) as beside:
        board = window(f"{server.url}/simulator-board")
        expect(board.get_by_text("None on")).to_be_visible()
        with closing(sqlite3.connect(tmp_path / "simulator.db")) as somebody:
            somebody.execute("BEGIN IMMEDIATE")
            created = beside.submit(client.post, "/payments", json=payment_request("WAITS"), timeout=60)
            board.get_by_role("radio", name="All").click()
            expect(board.get_by_text("The simulator does not answer")).to_be_visible()
            somebody.rollback()
        expect(board.get_by_text("None on")).to_be_visible()
        assert created.result().status_code == 202
