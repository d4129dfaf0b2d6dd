"""Checkout.com's reports are fetched with a click, every line finds its row, and fetching again changes nothing."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.screens import Merchant, Window, title
from tests.support.server import serving


def test_reports_are_fetched_and_tie(window: Window, tmp_path: Path) -> None:
    with serving(tmp_path) as server, server.checkout() as client:
        Merchant(server, client).paid("TIES", 123_400)
        assert client.post("/_control/clock/advance", json={"days": 2}, timeout=30).status_code == 200
        page = window(f"{server.url}/reconcile")
        expect(title(page, "Reconcile")).to_be_visible()
        page.get_by_role("button", name="Fetch from Checkout.com").click()
        expect(page.get_by_text("3 reports fetched")).to_be_visible()
        expect(page.get_by_text("The reports and the ledger agree in everything.")).to_be_visible()
        held = server.rows("SELECT count(*) FROM statement_line")

        page.reload()
        expect(page.get_by_text("The reports and the ledger agree in everything.")).to_be_visible()
        page.get_by_role("button", name="Fetch from Checkout.com").click()
        expect(page.get_by_text("Nothing new: of the last")).to_be_visible()
        assert server.rows("SELECT count(*) FROM statement_line") == held
