"""axe-core finds nothing serious on any screen, empty or filled, but what Streamlit itself draws so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from lib.ledger.database import Database
from lib.ledger.record import record
from tests.browser.conftest import DESK, PATIENCE_MS
from tests.browser.screens import entries, rest
from tests.pages.conftest import everything, payment
from tests.support.server import serving

SERIOUS = ("serious", "critical")
STREAMLITS_OWN = {
    ("list", '[data-testid="stSidebarNavItems"]'): "the menu's sections are a div between the list and its items",
    ("listitem", '[data-testid="stSidebarNavItems"] li'): "the same, from the items' side",
    (
        "color-contrast",
        '[data-testid="stJson"] .variable-value *',
    ): "st.json's colours of numbers and booleans are fixed",
}
"""Rule and selector of what Streamlit's markup causes, with the reason. Nothing else is let through."""
BESIDE_THE_MENU = (
    f"payment?id={payment(2)}",
    f"payment?id={payment(3)}",
    f"payment?id={payment(5)}",
    "payment?id=pay_nobody",
    "money-rows?currency=HKD&since=2020-01-01T00:00:00Z&until=2100-01-01T00:00:00Z&zone=Asia/Hong_Kong",
    "webhook-events?delivery=1",
)
MATCHES = "([target, own]) => document.querySelector(target)?.matches(own) ?? false"


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_no_screen_has_a_serious_finding(chromium: Browser, tmp_path: Path, mode: Literal["light", "dark"]) -> None:
    context = chromium.new_context(viewport=DESK, color_scheme=mode, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    found: list[str] = []
    with serving(tmp_path) as server:
        page.goto(server.url)
        for name in through_the_menu(page):
            found += findings(page, f"{name}, empty")
        ledger = Database(f"sqlite:///{tmp_path / 'ledger.db'}")
        record(ledger, everything(datetime.now(UTC)))
        ledger.close()
        for name in through_the_menu(page):
            found += findings(page, name)
        for address in BESIDE_THE_MENU:
            page.goto(f"{server.url}/{address}")
            expect(page.get_by_role("heading", level=1).first).to_be_visible()
            rest(page)
            found += findings(page, address)
    context.close()
    assert found == []


def through_the_menu(page: Page) -> Iterator[str]:
    """Open every screen, as a person does, and say its name when it stands."""
    for link in entries(page).all():
        name = link.inner_text().splitlines()[-1]
        folded = page.get_by_role("button", name="Expand sidebar")
        if folded.is_visible():  # after a screen that is shown to an audience
            folded.click()
        link.click()
        expect(page.get_by_role("heading", name=name, level=1, exact=True)).to_be_visible()
        rest(page)
        yield name


def findings(page: Page, where: str) -> list[str]:
    """What axe finds that is serious and not Streamlit's own doing, as sentences."""
    said = []
    for rule in Axe().run(page).response["violations"]:
        if rule["impact"] in SERIOUS:
            said += [
                f"{where}: {rule['id']}: {node['target']} {node['html'][:200]}"
                for node in rule["nodes"]
                if not streamlits_own(page, rule["id"], node["target"])
            ]
    return said


def streamlits_own(page: Page, rule: str, target: list[str]) -> bool:
    return any(rule == known and page.evaluate(MATCHES, [target[-1], own]) for known, own in STREAMLITS_OWN)
