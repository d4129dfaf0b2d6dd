"""The refund desk as agents live it: two people, a hold, a decline and a second try, and F5 at every step."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screens import Merchant, Window, ask_for_refund, badge, kept_refunds, title
from tests.support.server import Server, serving
from tests.support.waiting import until


@pytest.fixture(scope="module")
def evas_desk(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Another process on the same ledger, where Eva sits: what she asks for is kept back, and above HKD 5 Ana must agree."""
    settings = {
        "DATABASE_URL": f"sqlite:///{server.folder / 'ledger.db'}",
        "CHECKOUT_BASE_URL": f"{server.url}/simulator",
        "OPERATOR_NAME": "Eva",
        "REFUND_LIMITS": "support HKD 5, approver HKD 5, admin HKD 5",
        "REFUND_HOLD_SECONDS": "240",
    }
    with serving(tmp_path_factory.mktemp("eva"), **settings) as running:
        yield running


def confirm(page: Page, amount: str) -> None:
    """Ask for a refund and say yes."""
    ask_for_refund(page, amount).get_by_role("button", name=re.compile("^.*Refund HKD")).click()


def test_from_the_start_page_to_a_partial_refund_and_a_second(
    server: Server, window: Window, merchant: Merchant
) -> None:
    """Time on task, counted: at most four clicks and two typed fields."""
    payment_id = merchant.paid("TIME-ON-TASK", 123_400)
    page = window(server.url)
    expect(title(page, "Overview")).to_be_visible()
    clicks = fields = 0

    page.get_by_role("navigation").get_by_role("link", name="Payments", exact=True).click()
    clicks += 1
    page.get_by_role("searchbox", name="Search").fill("TIME-ON-TASK")
    fields += 1
    page.get_by_role("link", name="Open TIME-ON-TASK").click()
    clicks += 1
    expect(title(page, "HKD 1,234.00")).to_be_visible()
    page.get_by_role("textbox", name="Amount in HKD").fill("34.00")
    fields += 1
    page.get_by_role("button", name="Refund HKD 34.00").click()
    clicks += 1
    page.get_by_role("dialog").get_by_role("button", name="Refund HKD 34.00").click()
    clicks += 1

    expect(badge(page, "Partially Refunded")).to_be_visible()
    assert merchant.refunds(payment_id) == [3400]
    assert clicks <= 4
    assert fields <= 2

    page.reload()
    page.get_by_role("radio", name="All that is left").click()
    expect(page.get_by_text("Sends 120000 = HKD 1,200.00")).to_be_visible()
    page.get_by_role("button", name="Refund HKD 1,200.00").click()
    page.get_by_role("dialog").get_by_role("button", name="Refund HKD 1,200.00").click()
    expect(page.get_by_role("row", name=re.compile("Remaining")).get_by_text("HKD 0.00")).to_be_visible()
    both = [(3400, "refunded"), (120_000, "refunded")]
    until(lambda: kept_refunds(server, payment_id) == both, what="both refunds")
    assert sorted(merchant.refunds(payment_id)) == [3400, 120_000]


def test_another_person_approves(server: Server, evas_desk: Server, window: Window, merchant: Merchant) -> None:
    payment_id = merchant.paid("APPROVAL")
    eva = window(f"{evas_desk.url}/payment?id={payment_id}")
    question = ask_for_refund(eva, "8.00")
    expect(question.get_by_text("once a second person has approved it")).to_be_visible()
    question.get_by_role("button", name="Refund HKD 8.00").click()
    expect(eva.get_by_role("button", name="Withdraw it")).to_be_visible()
    eva.reload()
    expect(eva.get_by_role("button", name="Withdraw it")).to_be_visible()
    assert merchant.refunds(payment_id) == []

    own = window(f"{evas_desk.url}/approvals")
    expect(own.get_by_text("You asked for this one")).to_be_visible()
    expect(own.get_by_role("button", name="Approve HKD 8.00")).to_have_count(0)

    ana = window(f"{server.url}/approvals")
    expect(ana.get_by_text("Above the limit of HKD 5.00")).to_be_visible()
    ana.reload()
    ana.get_by_role("button", name="Approve HKD 8.00").click()
    expect(ana.get_by_text("You approved HKD 8.00")).to_be_visible()
    expect(badge(eva, "Partially Refunded")).to_be_visible()
    expect(eva.get_by_text("approved by Ana")).to_be_visible()
    assert merchant.refunds(payment_id) == [800]
    assert kept_refunds(server, payment_id) == [(800, "refunded")]


@pytest.mark.soak
def test_a_rejection_reaches_who_asked(server: Server, evas_desk: Server, window: Window, merchant: Merchant) -> None:
    payment_id = merchant.paid("REJECTED")
    eva = window(f"{evas_desk.url}/payment?id={payment_id}")
    confirm(eva, "9.00")
    expect(eva.get_by_role("button", name="Withdraw it")).to_be_visible()
    ana = window(f"{server.url}/approvals")
    ana.get_by_role("button", name="Reject", exact=True).click()
    ana.get_by_role("textbox", name="Why").fill("No receipt")
    ana.get_by_role("button", name="Reject HKD 9.00").click()
    expect(ana.get_by_text("You rejected HKD 9.00")).to_be_visible()
    expect(eva.get_by_text("Rejected by Ana: No receipt").first).to_be_visible()
    expect(eva.get_by_role("row", name=re.compile("Remaining")).get_by_text("HKD 11.00")).to_be_visible()
    assert merchant.refunds(payment_id) == []


@pytest.mark.soak
def test_a_refund_is_kept_back_and_cancelled(evas_desk: Server, window: Window, merchant: Merchant) -> None:
    payment_id = merchant.paid("HELD")
    page = window(f"{evas_desk.url}/payment?id={payment_id}")
    confirm(page, "3.00")
    expect(page.get_by_text(re.compile(r"HKD\s3\.00 is sent in \d+ s"))).to_be_visible()
    page.reload()
    expect(page.get_by_text(re.compile(r"HKD\s3\.00 is sent in \d+ s"))).to_be_visible()
    page.get_by_role("button", name="Cancel this refund").click()
    expect(page.get_by_text("Cancelled by Eva").first).to_be_visible()
    page.reload()
    expect(page.get_by_text("Up to HKD 11.00")).to_be_visible()
    expect(page.get_by_text("Cancelled by Eva").first).to_be_visible()
    assert merchant.refunds(payment_id) == []
    assert kept_refunds(evas_desk, payment_id) == [(300, "cancelled")]


def test_declined_then_tried_again(server: Server, window: Window, merchant: Merchant) -> None:
    payment_id = merchant.paid("DECLINED")
    merchant.faults(refund_declined_late={"on": True})
    page = window(f"{server.url}/payment?id={payment_id}")
    confirm(page, "4.00")
    again = page.get_by_role("button", name="Try again")
    expect(again).to_be_visible()
    merchant.faults()
    page.reload()
    again.click()
    expect(page.get_by_text("Tries again the HKD 4.00")).to_be_visible()
    expect(page.get_by_role("textbox", name="Amount in HKD")).to_have_value("4.00")
    page.get_by_role("button", name="Refund HKD 4.00").click()
    page.get_by_role("dialog").get_by_role("button", name="Refund HKD 4.00").click()
    expect(badge(page, "Partially Refunded")).to_be_visible()
    expect(page.get_by_text("tries again what was asked for")).to_be_visible()
    expect(page.get_by_text(re.compile("tried again (just now|\\d+ min ago)"))).to_be_visible()
    expect(again).to_have_count(0)
    assert kept_refunds(server, payment_id) == [(400, "declined"), (400, "refunded")]
