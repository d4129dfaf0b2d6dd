"""The refund form gives money back once: whatever is clicked twice, reloaded, or done in two tabs at the same time."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.screens import Merchant, Window, ask_for_refund, badge, kept_refunds
from tests.support.server import Server
from tests.support.waiting import until


def test_a_double_click_is_one_refund(server: Server, window: Window, merchant: Merchant) -> None:
    payment_id = merchant.paid("DOUBLE")
    page = window(f"{server.url}/payment?id={payment_id}")

    ask_for_refund(page, "3.00").get_by_role("button", name="Refund HKD 3.00").dblclick()

    expect(page.get_by_role("button", name="Another refund")).to_be_visible()
    expect(badge(page, "Partially Refunded")).to_be_visible()
    assert merchant.refunds(payment_id) == [300]
    assert kept_refunds(server, payment_id) == [(300, "refunded")]


@pytest.mark.soak
def test_a_reload_after_sending_sends_nothing(server: Server, window: Window, merchant: Merchant) -> None:
    payment_id = merchant.paid("RELOAD")
    page = window(f"{server.url}/payment?id={payment_id}")
    ask_for_refund(page, "3.00").get_by_role("button", name="Refund HKD 3.00").click()
    expect(badge(page, "Partially Refunded")).to_be_visible()

    page.reload()

    expect(page.get_by_text("Up to HKD 8.00")).to_be_visible()
    expect(page.get_by_role("textbox", name="Amount in HKD")).to_have_value("")
    assert merchant.refunds(payment_id) == [300]
    assert kept_refunds(server, payment_id) == [(300, "refunded")]


def test_two_tabs_with_the_same_question_open(server: Server, window: Window, merchant: Merchant) -> None:
    payment_id = merchant.paid("TABS")
    first, second = (window(f"{server.url}/payment?id={payment_id}") for _ in range(2))
    questions = [ask_for_refund(page, amount) for page, amount in ((first, "8.00"), (second, "6.00"))]
    expect(questions[1]).to_be_visible()

    first.bring_to_front()
    questions[0].get_by_role("button", name="Refund HKD 8.00").click()
    expect(first.get_by_role("button", name="Another refund")).to_be_visible()
    second.bring_to_front()
    # The second screen has changed by itself; its question stays, with the figures it was asked with.
    expect(second.get_by_role("row", name=re.compile("Remaining")).get_by_text("HKD 3.00")).to_be_visible()
    questions[1].get_by_role("button", name="Refund HKD 6.00").click()

    told = r"Ana refunded HKD\s8\.00 meanwhile, on \d+ \w+ at \d\d:\d\d:\d\d HKT\. HKD\s3\.00 is left now\."
    expect(second.get_by_text(re.compile(told))).to_be_visible()
    expect(second.get_by_role("dialog")).to_have_count(0)
    until(lambda: merchant.refunds(payment_id), what="the refund that was asked for first")
    assert merchant.refunds(payment_id) == [800]
    assert [amount for amount, _ in kept_refunds(server, payment_id)] == [800]


def test_more_than_is_left_is_refused_with_the_reason(server: Server, window: Window, merchant: Merchant) -> None:
    payment_id = merchant.paid("OVER")
    page = window(f"{server.url}/payment?id={payment_id}")

    page.get_by_role("textbox", name="Amount in HKD").fill("11.01")

    expect(page.get_by_text("HKD 11.00 is left")).to_be_visible()
    expect(page.get_by_role("button", name="Refund", exact=True)).to_be_disabled()
    assert kept_refunds(server, payment_id) == []


@pytest.mark.soak
def test_what_is_typed_survives_what_happens_meanwhile(server: Server, window: Window, merchant: Merchant) -> None:
    payment_id = merchant.paid("TYPING")
    page = window(f"{server.url}/payment?id={payment_id}")
    amount = page.get_by_role("textbox", name="Amount in HKD")
    amount.fill("2.50")
    page.get_by_role("textbox", name="Note for colleagues").fill("A cup is broken")
    expect(page.get_by_role("button", name="Refund HKD 2.50")).to_be_enabled()

    elsewhere = merchant.client.post(f"/payments/{payment_id}/refunds", json={"amount": 400})
    assert elsewhere.status_code == 202

    expect(page.get_by_text("Up to HKD 7.00")).to_be_visible()
    expect(page.get_by_text("Refund made elsewhere")).to_be_visible()
    expect(amount).to_have_value("2.50")
    expect(page.get_by_role("textbox", name="Note for colleagues")).to_have_value("A cup is broken")


@pytest.mark.soak
def test_keeping_it_sends_nothing(server: Server, window: Window, merchant: Merchant) -> None:
    payment_id = merchant.paid("KEEP")
    page = window(f"{server.url}/payment?id={payment_id}")

    ask_for_refund(page, "3.00").get_by_role("button", name="Keep it").click()

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Refund HKD 3.00")).to_be_enabled()
    assert kept_refunds(server, payment_id) == []
