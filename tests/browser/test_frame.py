"""Every address stands on its own, and nothing that goes wrong is shown as a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.screens import Merchant, Window, assert_calm, title
from tests.support.server import Server, serving

SCREENS = {
    "payments": "Payments",
    "refunds": "Refunds",
    "bulk-refunds": "Bulk refunds",
    "approvals": "Approvals",
    "settlement": "Settlement",
    "reconcile": "Reconcile",
    "month-close": "Month close",
    "webhook-events": "Webhook events",
    "overdue": "Overdue",
    "simulator-board": "Simulator",
    "new-payment": "New payment",
    "phone": "Demo on my phone",
    "sample-data": "Sample data",
    "theatre": "Incident theatre",
    "help": "Words and tests",
    "audit-log": "Audit log",
    "settings": "Settings",
    "": "Overview",
    "present": "Present",  # the last one, because it folds the menu away
}
ELSEWHERE = (
    *("", "payments", "new-payment", "refunds", "bulk-refunds", "approvals", "settlement", "reconcile", "month-close"),
    *("webhook-events", "overdue", "simulator-board", "present", "phone"),
)
"""Addresses that other tests in here open."""


@pytest.mark.parametrize(
    "paths",
    [[path for path in SCREENS if path not in ELSEWHERE], pytest.param([*SCREENS], marks=pytest.mark.soak)],
    ids=["few", "all"],
)
def test_every_deep_link_on_a_process_that_nobody_has_visited(
    server: Server, window: Window, merchant: Merchant, paths: list[str]
) -> None:
    payment_id = merchant.paid("DEEP", 123_400)
    server.stop()
    server.start()

    page = window(f"{server.url}/payment?id={payment_id}")
    expect(title(page, "HKD 1,234.00")).to_be_visible()
    for path in paths:
        expect(page.get_by_role("navigation").get_by_role("link")).to_have_count(len(SCREENS))
        expect(page.get_by_role("img", name="Logo")).to_be_visible()
        expect(page.get_by_text("Simulator · no real money")).to_be_visible()
        assert_calm(page.locator("body").inner_text())
        page.goto(f"{server.url}/{path}")
        expect(title(page, SCREENS[path])).to_be_visible()
        assert page.title().startswith("TEST · ")


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("payment?id=pay_nosuchpayment", "No such payment here"),
        ("payment?reference=%F0%9F%8D%B5%22%3Cscript%3E", "No such payment here"),
        (
            "payments?status=zzz&cursor=%25%25%25&since=99&currency=%00",
            "Find a payment from what the customer tells you; choose its amount to open it.",
        ),
        ("refunds?refund_status=zzz&cursor=%25%25%25", "Where every refund stands."),
        ("webhook-events?verdict=zzz&cursor=%25%25%25&delivery=abc", "There is no delivery abc"),
        ("settlement?period=zzz&account=zzz&between=1", "Currencies are never added up."),
    ],
)
def test_an_address_with_nonsense_in_it(server: Server, window: Window, address: str, sentence: str) -> None:
    page = window(f"{server.url}/{address}")
    expect(page.get_by_text(sentence).first).to_be_visible()
    expect(page.get_by_text("Something went wrong")).to_have_count(0)
    expect(page.get_by_text("The database did not")).to_have_count(0)


def test_a_database_that_is_none(window: Window, tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"This is a photo of a cat." * 400)
    with serving(tmp_path, healthy=False) as server:
        with server.client() as client:
            assert client.get("/healthz").status_code == 503
        page = window(f"{server.url}/payments")
        expect(page.get_by_text("file is not a database")).to_be_visible()
        expect(page.get_by_text("Check DATABASE_URL")).to_be_visible()
        expect(page.get_by_role("button", name="Load again")).to_be_visible()
        expect(page.get_by_role("navigation").get_by_role("link", name="Payments", exact=True)).to_be_visible()
        assert_calm(page.locator("body").inner_text())
    assert (tmp_path / "ledger.db").read_bytes().startswith(b"This is a photo")
