"""The whole life of a KakaoPay payment, as a person lives it: two windows, a phone's wallet page, and nothing reloaded."""

from __future__ import annotations

import io
import re
import time

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.screens import Merchant, Window, ask_for_refund, badge, title
from tests.support.server import Server


def test_from_request_to_settlement(
    server: Server, window: Window, merchant: Merchant, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = window(f"{server.url}/new-payment")
    desk.get_by_role("button", name="Tea set in Seoul").click()
    expect(desk.get_by_role("textbox", name="Amount")).to_have_value("45000")
    expect(desk.get_by_text("Sends 45000 = KRW 45,000")).to_be_visible()
    reference = desk.get_by_role("textbox", name="Reference").input_value()
    desk.get_by_role("button", name="Request payment").click()

    link = desk.get_by_role("link", name="Open KakaoPay page")
    wallet_url = link.get_attribute("href")
    assert wallet_url
    assert read_code(desk) == wallet_url
    expect(desk.get_by_text(re.compile(r"\d:\d\d left"))).to_be_visible()

    phone = window(wallet_url, on="phone")
    expect(title(phone, "KRW 45,000")).to_be_visible()
    paid_at = time.monotonic()
    phone.get_by_role("button", name="Pay now").click(no_wait_after=True)
    expect(desk.get_by_role("heading", name="Paid")).to_be_visible()
    flipped = time.monotonic() - paid_at
    with capsys.disabled():
        print(f" [the dashboard changed {flipped:.1f} s after Pay now] ", end="")

    phone.wait_for_url(f"{server.url}/payment?reference={reference}")
    expect(title(phone, "KRW 45,000")).to_be_visible()
    expect(badge(phone, "Captured")).to_be_visible()

    desk.get_by_role("button", name="Open this payment").click()
    merchant.faults(delay={"on": True, "seconds": 1.5})  # long enough to see that it is pending first
    ask_for_refund(desk, "10000").get_by_role("button", name="Refund KRW 10,000").click()
    refund = desk.get_by_role("row", name=re.compile("Item returned, by Ana.*−KRW 10,000"))
    expect(refund.get_by_text("Pending")).to_be_visible()
    expect(refund.get_by_text("Refunded")).to_be_visible()
    expect(badge(desk, "Partially Refunded")).to_be_visible()
    expect(badge(phone, "Partially Refunded")).to_be_visible()
    merchant.faults()

    go_to(desk, "Overview")
    chart = desk.get_by_role("figure", name=re.compile(r"KRW by day.*Most captured.*KRW .*Refunds in 1 of 30 bars"))
    expect(chart.locator(".bars path").filter(visible=True)).to_have_count(2)  # captured up, refunded down

    # Plotly takes clicks on a layer of its own above the bars.
    box = chart.locator(".bars path").filter(visible=True).first.bounding_box()
    assert box
    desk.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(desk.locator(".hoverlayer .hovertext").first).to_be_visible()
    desk.mouse.down()
    desk.mouse.up()
    expect(title(desk, "Rows")).to_be_visible()
    expect(desk.get_by_text("The rows add up to the figure")).to_be_visible()
    desk.go_back()
    expect(title(desk, "Overview")).to_be_visible()

    go_to(desk, "Settlement")
    expect(desk.get_by_text("Gross captured").first).to_be_visible()
    for figure in figures(server):
        expect(desk.get_by_text(figure, exact=True).first).to_be_visible()

    go_to(desk, "Webhook events")
    # The list is painted on a canvas; what it says is beside it for screen readers, which Playwright takes for hidden.
    rows = desk.get_by_role("row", include_hidden=True)
    for kind in ("payment_captured", "payment_refund_pending", "payment_refunded"):
        expect(rows.filter(has_text=re.compile(rf"^Accepted.*{kind}\d")).first).to_be_attached()


@pytest.mark.parametrize(
    ("button", "status", "sentence"),
    [
        ("Decline", "Declined", "No money moved"),
        pytest.param(
            *("Walk away", "Canceled", "The customer walked away from the KakaoPay page. No money moved."),
            marks=pytest.mark.soak,
        ),
    ],
)
def test_a_customer_who_does_not_pay(
    server: Server, window: Window, merchant: Merchant, button: str, status: str, sentence: str
) -> None:
    payment_id, wallet_url = merchant.asked(f"NO-{status}")
    desk = window(f"{server.url}/payment?id={payment_id}")
    expect(desk.get_by_role("heading", name="Pending")).to_be_visible()

    phone = window(wallet_url, on="phone")
    phone.get_by_role("button", name=button).click(no_wait_after=True)

    for page in (desk, phone):
        expect(page.get_by_role("heading", name=status)).to_be_visible()
        expect(page.get_by_text(sentence).first).to_be_visible()
        expect(page.get_by_role("heading", name="Refund", exact=True)).to_have_count(0)
    assert phone.url == f"{server.url}/payment?reference=NO-{status}"


@pytest.mark.soak
def test_the_link_and_its_state_survive_a_reload(server: Server, window: Window) -> None:
    desk = window(f"{server.url}/new-payment")
    desk.get_by_role("button", name="Request payment").click()
    link = desk.get_by_role("link", name="Open KakaoPay page").get_attribute("href")
    before = server.rows("SELECT count(*) FROM payment")

    desk.reload()

    expect(desk.get_by_role("link", name="Open KakaoPay page")).to_have_attribute("href", str(link))
    assert server.rows("SELECT count(*) FROM payment") == before


def read_code(page: Page) -> str:
    """What a phone's camera reads from the QR code on the screen."""
    picture = page.get_by_role("img", name=re.compile("^QR code"))
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.screenshot())))
    return found.text


def go_to(page: Page, screen: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=screen, exact=True).click()
    expect(title(page, screen)).to_be_visible()


def figures(server: Server) -> list[str]:
    """Gross, refunded and net in KRW, as they must stand on the settlement screen, from the payments themselves."""
    query = "SELECT sum(captured), sum(refunded) FROM payment WHERE currency = 'KRW'"
    [(gross, refunded)] = server.rows(query)
    return [f"KRW {gross:,}", f"−KRW {refunded:,}", f"KRW {gross - refunded:,}"]
