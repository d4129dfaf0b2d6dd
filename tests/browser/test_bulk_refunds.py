"""A file of refunds in the hands of a person who stops, reloads, resumes and uploads it twice: every row once."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screens import Merchant, Window
from tests.support.server import Server, payment_request
from tests.support.waiting import until


def paid_many(merchant: Merchant, prefix: str, count: int) -> list[str]:
    """So many paid payments of which the dashboard has heard; their ids."""

    def pay(number: int) -> str:
        created = merchant.client.post("/payments", json=payment_request(f"{prefix}-{number}", 1100)).json()
        merchant.client.post(created["_links"]["redirect"]["href"], data={"decision": "pay"})
        return str(created["id"])

    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(pay, range(count)))
    heard = "SELECT count(*) FROM payment WHERE reference LIKE :sought AND status = 'Captured'"
    until(lambda: merchant.server.rows(heard, sought=f"{prefix}-%") == [(count,)], seconds=60, what="all captured")
    return ids


def choose(page: Page, name: str, text: str) -> None:
    file = {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
    expect(page.get_by_text("Columns:")).to_be_visible()
    page.locator("input[type=file]").set_input_files([file])  # type: ignore[list-item]


def interrupted_and_resumed(server: Server, window: Window, merchant: Merchant, prefix: str, count: int) -> None:
    ids = paid_many(merchant, prefix, count)
    rows = [f"{prefix}-{number};2.50;HKD;damaged;case {number}" for number in range(count)]
    text = "\n".join(["reference;amount;currency;reason;note", *rows, f"{prefix}-nobody;1.00;HKD;other;"])
    # Slow enough that it cannot be done before a person has stopped it, however busy this machine is.
    merchant.faults(slow_answer={"on": True, "seconds": 60 / count})
    page = window(f"{server.url}/bulk-refunds")
    choose(page, "march.csv", text)
    expect(page.get_by_text(f"{count} refunds would be sent. 1 row kept back: 1 unknown payment.")).to_be_visible()
    assert server.rows("SELECT count(*) FROM refund WHERE payment_id = :id", id=ids[0]) == [(0,)]

    page.reload()
    page.get_by_role("button", name=f"Send {count} refunds").click()
    question = page.get_by_role("dialog", name=f"Send {count} refunds?")
    expect(question.get_by_text(f"HKD {count * 250 / 100:,.2f}")).to_be_visible()
    question.get_by_role("button", name=f"Send {count} refunds").dblclick()
    expect(page.get_by_text(re.compile(rf"^[1-9]\d* of {count} refunds asked for"))).to_be_visible()
    page.reload()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.reload()
    expect(page.get_by_text(re.compile(rf"^\d+ of {count} refunds asked for"))).to_be_visible()
    merchant.faults()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text(f"{count} of {count} refunds asked for")).to_be_visible()
    expect(page.get_by_text("Done", exact=False).first).to_be_visible()

    page.get_by_role("button", name="Another file").click()
    choose(page, "march again.csv", text.replace(";", ","))
    expect(page.get_by_text("This file was uploaded before")).to_be_visible()
    expect(page.get_by_text(f"{count} of {count} refunds asked for")).to_be_visible()
    assert Counter(tuple(merchant.refunds(payment_id)) for payment_id in ids) == {(250,): count}


def test_a_bulk_of_refunds_interrupted_and_resumed(server: Server, window: Window, merchant: Merchant) -> None:
    interrupted_and_resumed(server, window, merchant, "BULK", 30)


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_a_bulk_of_two_hundred_interrupted_and_resumed(server: Server, window: Window, merchant: Merchant) -> None:
    interrupted_and_resumed(server, window, merchant, "MANY", 200)
