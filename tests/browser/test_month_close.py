"""A month is closed, a refund of it is heard of later and lands in the next, and it takes a second person to reopen it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from lib.checkout.signature import sign
from tests.browser.screens import Window, title
from tests.support.alone import WEBHOOK_KEY
from tests.support.events import event
from tests.support.server import Server

THIS = datetime.now(ZoneInfo("Asia/Hong_Kong")).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
LAST = (THIS - timedelta(days=1)).replace(day=1)
NAME = f"{LAST:%B %Y}"


def told(server: Server, kind: str, amount: int, when: datetime) -> None:
    """Checkout.com tells of a payment in pounds, which no other test here uses."""
    moment = when.astimezone(UTC)
    data = {"id": "pay_" + "p" * 26, "currency": "GBP", "amount": amount, "action_id": f"act_{kind}"}
    raw = event(kind, f"close{kind}", moment, **data)
    with server.client() as client:
        headers = {"Cko-Signature": sign(raw, WEBHOOK_KEY)}
        assert client.post("/webhooks/checkout", content=raw, headers=headers).status_code == 200


def open_month(window: Window, server: Server, month: datetime) -> Page:
    page = window(f"{server.url}/month-close?close_currency=GBP&month={month:%Y-%m}")
    expect(title(page, "Month close")).to_be_visible()
    return page


def test_closed_then_heard_late_then_reopened_by_two(server: Server, window: Window) -> None:
    told(server, "payment_captured", 50_000, LAST + timedelta(days=3))
    page = open_month(window, server, LAST)
    page.get_by_role("button", name=f"Close {NAME}").click()
    question = page.get_by_role("dialog", name=f"Close GBP {NAME}?")
    expect(question.get_by_role("row", name="Closing").get_by_text("GBP 500.00")).to_be_visible()
    question.get_by_role("button", name="Freeze it").click()
    expect(page.get_by_text(f"GBP {NAME} is closed with 1 row.")).to_be_visible()

    told(server, "payment_refunded", 1_250, LAST + timedelta(days=4))

    page.reload()
    expect(page.get_by_text("Heard after the close: 1 row, not in the figures above.")).to_be_visible()
    expect(page.get_by_role("row", name="Closing").get_by_text("GBP 500.00")).to_be_visible()
    after = open_month(window, server, THIS)
    expect(after.get_by_text("Taken over from closed months: 1 row, in the figures above.")).to_be_visible()
    expect(after.get_by_role("row", name="Refunded").get_by_text("−GBP 12.50")).to_be_visible()

    page.get_by_role("button", name="Reopen").click()
    page.get_by_role("textbox", name="Why").fill("The refund belongs here")
    page.get_by_role("button", name="Ask to reopen").click()
    expect(page.get_by_text("Ana asks to reopen this month")).to_be_visible()
    expect(page.get_by_role("button", name="Agree and reopen")).to_be_disabled()

    page.get_by_role("combobox", name="Acting person").click()
    page.get_by_role("option", name="Ben").click()
    page.get_by_role("button", name="Agree and reopen").click()
    expect(page.get_by_text(f"GBP {NAME} is open again.")).to_be_visible()
    expect(page.get_by_role("row", name="Refunded").get_by_text("−GBP 12.50")).to_be_visible()
    kept = "SELECT reopen_asked_by, reopened_by FROM period WHERE currency = 'GBP'"
    assert server.rows(kept) == [("Ana", "Ben")]
