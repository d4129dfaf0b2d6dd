"""One Chromium and one server for the tests in here; a window of its own for each person in a test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, ViewportSize, expect, sync_playwright

from tests.browser.screens import Merchant, Window, assert_calm
from tests.support.server import Server, serving

CHROMIUM = next(filter(None, map(shutil.which, ("/usr/bin/chromium", "chromium", "google-chrome"))), None)
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESK: ViewportSize = {"width": 1440, "height": 1000}
PHONE: ViewportSize = {"width": 390, "height": 844}
PATIENCE_MS = 30_000.0  # only a failure takes that long


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    without = pytest.mark.skip(reason="no Chromium is installed on this machine: apt-get install chromium")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(without)


# Of the package, not of the session: Playwright keeps an event loop running in this thread for as long as it lives,
# and tests elsewhere start loops of their own.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that the tests share; each works on payments of its own."""
    with serving(tmp_path_factory.mktemp("server"), OPERATOR_NAME="Ana, Ben") as running:
        yield running


@dataclass
class Machine:
    """A computer or a phone, and its windows that nobody looks at.

    They are used again: a new one compiles the app's scripts anew, which takes longer than most of what tests do in it.
    """

    context: BrowserContext
    idle: list[Page] = field(default_factory=list)

    def take(self) -> Page:
        page = self.idle.pop() if self.idle else self.context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.bring_to_front()
        return page

    def give_back(self, page: Page) -> None:
        page.mouse.move(0, 0)
        page.goto("about:blank")
        self.idle.append(page)


@pytest.fixture(scope="package")
def machines(chromium: Browser) -> dict[str, Machine]:
    return {
        name: Machine(
            chromium.new_context(viewport=size, timezone_id="Asia/Hong_Kong", locale="en-GB", reduced_motion="reduce")
        )
        for name, size in (("desk", DESK), ("phone", PHONE))
    }


@pytest.fixture
def window(machines: dict[str, Machine]) -> Iterator[Window]:
    """Opens a window, `window(url)` or `window(url, on="phone")`. What they say in the end must be calm."""
    opened: list[tuple[Machine, Page]] = []
    failures: list[str] = []

    def failed(error: Error) -> None:
        failures.append(str(error))

    def open_it(url: str, on: str = "desk") -> Page:
        page = machines[on].take()
        page.on("pageerror", failed)
        opened.append((machines[on], page))
        page.goto(url, wait_until="commit")
        return page

    yield open_it
    said = [page.locator("body").inner_text() for _, page in opened]
    for machine, page in opened:
        page.remove_listener("pageerror", failed)
        machine.give_back(page)
    assert not failures
    for text in said:
        assert_calm(text)


@pytest.fixture
def merchant(server: Server) -> Iterator[Merchant]:
    with server.checkout() as client:
        one = Merchant(server, client)
        yield one
        one.faults()
