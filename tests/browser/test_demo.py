"""What is made for show, in a browser: sample data, the time machine and the theatre."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screens import Merchant, Window, title
from tests.support.server import Server, payment_request, serving
from tests.support.waiting import until


def test_the_clock_is_dragged_to_a_links_expiry_and_the_dashboard_follows(window: Window, tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.checkout() as client:  # its own: time would pass for all others too
        assert client.post("/payments", json=payment_request("UNPAID")).status_code == 202
        board = window(f"{server.url}/simulator-board")
        board.get_by_role("slider", name="Drag the clock to").press("ArrowRight")
        expect(board.get_by_text("links that nobody has paid expire")).to_be_visible()
        board.get_by_role("button", name="Travel there").click()
        expect(board.get_by_text("Everything due on the way has happened.")).to_be_visible()
        board.get_by_role("link", name="See them expired among the payments").click()
        expect(title(board, "Payments")).to_be_visible()
        status = "SELECT status FROM payment WHERE reference = :of"
        until(lambda: server.rows(status, of="UNPAID") == [("Expired",)], what="the expiry")


def travel(board: Page, stop: str, steps: int, meaning: str) -> None:
    """Drag the clock so many stops on, to the one of this name, and go there once the screen says what it means.

    The slider tells of itself a moment after it stands, so a click without looking would go to where it stood before.
    """
    slider = board.get_by_role("slider", name="Drag the clock to")
    for _ in range(steps):
        slider.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", stop)
    expect(board.get_by_text(meaning)).to_be_visible()
    board.get_by_role("button", name="Travel there").click()
    expect(board.get_by_text(f"{stop}: the clock was moved.")).to_be_visible()


@pytest.mark.soak
def test_the_dashboard_follows_the_clock_to_every_stop(window: Window, tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.checkout() as client:
        merchant = Merchant(server, client)
        monthly, (unpaid, _) = merchant.paid("MONTHLY", 5_000, payment_type="Recurring"), merchant.asked("UNPAID")
        board, page = window(f"{server.url}/simulator-board"), window(f"{server.url}/payment?id={monthly}")
        expect(page.get_by_text("it can be refunded until")).to_be_visible()

        travel(board, "Link expiry", 1, "links that nobody has paid expire")
        merchant.wait(unpaid, "Expired")

        travel(board, "Payout day", 2, "two midnights on")
        reports = window(f"{server.url}/reconcile")
        reports.get_by_role("button", name="Fetch from Checkout.com").click()
        expect(reports.get_by_text("The reports and the ledger agree in everything.")).to_be_visible()

        travel(board, "Next charge", 3, "a month on")
        page.get_by_role("textbox", name="Amount in HKD").last.fill("50.00")
        page.get_by_role("button", name="Charge HKD 50.00").click()
        expect(page.get_by_role("button", name="Another charge")).to_be_visible()
        charged = "SELECT status FROM payment WHERE id <> :id AND amount = 5000"
        until(lambda: server.rows(charged, id=monthly) == [("Captured",)], what="next month's charge")

        travel(board, "Day 366", 4, "are over for everything paid until now")
        board.get_by_role("link", name="Open a payment: it says why it cannot be refunded").click()
        expect(title(board, "Payments")).to_be_visible()
        page.reload()
        expect(page.get_by_text("KakaoPay refunds within 365 days")).to_be_visible()
        expect(page.get_by_role("button", name="Refund")).to_have_count(0)


@pytest.mark.soak
def test_sample_data_is_filled_known_to_the_simulator_refunded_and_removed(
    server: Server, window: Window, merchant: Merchant
) -> None:
    page = window(f"{server.url}/sample-data")
    page.get_by_role("spinbutton", name="Payments").fill("1000")
    page.get_by_role("spinbutton", name="Payments").press("Enter")
    expect(page.get_by_text("All there.")).to_be_visible(timeout=60_000)
    [(payment_id,)] = server.rows("SELECT id FROM payment WHERE status = 'Captured' ORDER BY requested_at DESC LIMIT 1")
    until(lambda: merchant.client.get(f"/payments/{payment_id}").status_code == 200, what="the simulator")
    assert merchant.client.post(f"/payments/{payment_id}/refunds", json={}).status_code == 202
    status = "SELECT status FROM payment WHERE id = :of"
    until(lambda: server.rows(status, of=payment_id) == [("Refunded",)], what="the refund")
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove sample data").click()
    expect(page.get_by_text("Months back")).to_be_visible(timeout=60_000)
    assert server.rows("SELECT count(*) FROM payment WHERE id LIKE 'pay_sample%'") == [(0,)]


@pytest.mark.soak
def test_the_theatre_plays_to_a_happy_end(server: Server, window: Window) -> None:
    page = window(f"{server.url}/theatre")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_text("the watchdog asks by itself")).to_be_visible(timeout=90_000)
    expect(page.get_by_text("Nothing is missing.")).to_be_visible(timeout=240_000)
    expect(page.get_by_text("0 rows differ. The currency totals tie.")).to_be_visible()
