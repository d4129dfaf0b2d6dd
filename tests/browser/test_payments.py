"""Finding a payment as an agent does: by what the customer says, with a view that outlives a reload, down to the payment."""

from __future__ import annotations

import csv
import re

from playwright.sync_api import Page, expect

from tests.browser.screens import Merchant, Window, rest, title
from tests.support.server import Server


def listed(page: Page, text: str) -> None:
    """The list is painted on a canvas; what it says is beside it for screen readers, which Playwright takes for hidden."""
    rows = page.get_by_role("row", include_hidden=True)
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text=text)).to_have_count(1)


def test_find_by_email_reload_save_download_and_open(server: Server, window: Window, merchant: Merchant) -> None:
    payment_id = merchant.paid("FIND-ME", 123_400, customer={"email": "sujin.find@example.com", "name": "Su-jin"})
    merchant.paid("NOT-ME", 123_400)
    page = window(f"{server.url}/payments")
    page.get_by_role("searchbox", name="Search").fill("sujin.find@ HKD 1,234")
    listed(page, "FIND-ME")
    expect(page.get_by_text("1 payment, newest first")).to_be_visible()

    view = page.url
    page.reload()
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("sujin.find@ HKD 1,234")
    listed(page, "FIND-ME")

    page.get_by_role("button", name="Views").click()
    page.get_by_role("textbox", name="Save what you see now as").fill("Su-jin")
    page.get_by_role("button", name="Save view").click()
    page.get_by_role("button", name="Needs attention").click()
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("attention:yes")
    rest(page)  # else the list of before would pass for the one that comes now
    page.get_by_role("button", name="Su-jin", exact=True).click()
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("sujin.find@ HKD 1,234")
    listed(page, "FIND-ME")
    rest(page)
    page.keyboard.press("Escape")

    with page.expect_download() as download:
        page.get_by_test_id("stDownloadButton").get_by_role("button").click()
    with open(download.value.path(), encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    assert ["", "HKD", "1234.00", "0.00", "1234.00"] in lines
    assert [line[7] for line in lines if line[:1] == ["payment"]] == [payment_id]

    page.get_by_role("link", name=re.compile("Open FIND-ME, HKD 1,234.00")).focus()
    page.keyboard.press("Enter")
    expect(title(page, "HKD 1,234.00")).to_be_visible()
    colleague = window(view)
    listed(colleague, "FIND-ME")
    click_first_row(colleague, -90)
    expect(title(colleague, "HKD 1,234.00")).to_be_visible()
    assert colleague.url == f"{server.url}/payment?id={payment_id}"

    phone = window(view, on="phone")
    listed(phone, "Captured")  # its reference lies beyond the edge
    click_first_row(phone, 70)
    expect(title(phone, "HKD 1,234.00")).to_be_visible()


def click_first_row(page: Page, across: int) -> None:
    """Click the first row below the head, so many pixels from the left, where the amounts are, or from the right: the ids."""
    box = page.get_by_test_id("data-grid-canvas").first.bounding_box()
    assert box
    page.mouse.click(box["x"] + across + (box["width"] if across < 0 else 0), box["y"] + 36 + 18)
