"""What an agent reads on the payment screen: what came late, what colleagues noted, and what to tell the customer."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from lib.checkout.signature import sign
from tests.browser.screens import Window, rest, title
from tests.support.alone import WEBHOOK_KEY
from tests.support.events import event
from tests.support.server import Server


def deliver(server: Server, raw: bytes) -> None:
    with server.client() as client:
        headers = {"Cko-Signature": sign(raw, WEBHOOK_KEY), "Content-Type": "application/json"}
        assert client.post("/webhooks/checkout", content=raw, headers=headers).status_code == 200


def test_a_late_webhook_a_note_and_a_sentence_survive_a_reload(server: Server, window: Window) -> None:
    happened = datetime.now(UTC) - timedelta(minutes=4, seconds=20)
    told = {"id": "pay_late", "currency": "KRW", "amount": 45000, "reference": "ORD-LATE", "action_id": "act_late"}
    raw = event("payment_captured", "late", happened, **told)
    deliver(server, raw)
    deliver(server, raw)

    page = window(f"{server.url}/payment?id=pay_late")
    expect(title(page, "KRW 45,000")).to_be_visible()
    entry = page.get_by_text(re.compile("the payment was captured"))
    expect(entry).to_contain_text("captured KRW 45,000")
    expect(entry).to_contain_text("4 min late")
    entry.click()
    expect(page.get_by_text("This webhook arrived 4 min late")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Duplicate: nothing: a repeat"))).to_be_visible()

    page.get_by_role("tab", name="Notes").click()
    page.get_by_role("textbox", name="New note").fill("He calls back on Monday")
    page.get_by_role("button", name="Add note").click()
    expect(page.get_by_text(re.compile("Ana.*just now: He calls back on Monday"))).to_be_visible()

    page.reload()

    expect(page.get_by_text(re.compile("Ana.*: He calls back on Monday")).first).to_be_visible()
    expect(page.get_by_role("tab", name="Notes")).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="Customer").click()
    expect(page.get_by_text(re.compile("^주문 ORD-LATE의 45,000원 카카오페이 결제가 .*완료되었습니다"))).to_be_visible()


def test_what_is_being_read_stays_open_when_something_newer_comes(server: Server, window: Window) -> None:
    now = datetime.now(UTC)
    data = {"id": "pay_read", "currency": "KRW", "amount": 9000, "action_id": "act_read"}
    deliver(server, event("payment_captured", "read", now - timedelta(minutes=9), **data))
    page = window(f"{server.url}/payment?id=pay_read")
    page.get_by_text(re.compile("the payment was captured")).click()
    sentence = page.get_by_text("This webhook arrived 9 min late")
    expect(sentence).to_be_visible()

    deliver(server, event("payment_refunded", "read_more", now, **data | {"amount": 900, "action_id": "act_more"}))

    expect(page.get_by_text(re.compile("a refund was paid out"))).to_be_visible()
    rest(page)
    expect(sentence).to_be_visible()
