"""A browser that takes whole screens of the app once they have come to rest."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, DESK, PATIENCE_MS, PHONE, SWITCHES
from tests.browser.screens import rest

Mode = Literal["light", "dark"]
WIDTHS: dict[str, ViewportSize] = {"1440": DESK, "390": PHONE}
_TALLEST = 6000
_DRAWING_MS = 500  # charts and tables draw themselves after the script has ended


@dataclass(frozen=True)
class Camera:
    """One window."""

    page: Page
    size: ViewportSize

    def show(self, address: str) -> Page:
        """Open a screen and wait until all of it stands."""
        self.page.goto(address)
        self.page.get_by_role("heading", level=1).first.wait_for()
        rest(self.page)
        return self.page

    def window(self) -> bytes:
        """What a person sees at first; WebP without loss."""
        self.page.wait_for_timeout(_DRAWING_MS)
        rest(self.page)
        with io.BytesIO(self.page.screenshot()) as taken, io.BytesIO() as small:
            Image.open(taken).save(small, "webp", lossless=True, method=6)
            return small.getvalue()

    def whole(self) -> bytes:
        """Everything, also what lies below the window's edge: the window becomes as tall as the screen is long."""
        height = self.page.evaluate("() => document.querySelector('[data-testid=\"stMain\"]').scrollHeight")
        self.page.set_viewport_size({**self.size, "height": min(max(height, self.size["height"]), _TALLEST)})
        picture = self.window()
        self.page.set_viewport_size(self.size)
        return picture

    def overflow(self) -> int:
        """By how many pixels the screen is wider than the window."""
        wide = self.page.evaluate("() => document.querySelector('[data-testid=\"stMain\"]').scrollWidth")
        return max(0, int(wide) - self.size["width"])


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser. Raises `SystemExit` where there is none."""
    if CHROMIUM is None:
        raise SystemExit("No Chromium is installed on this machine: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)


@contextmanager
def camera(browser: Browser, mode: Mode, size: ViewportSize) -> Iterator[Camera]:
    """A window of this size whose system prefers this mode."""
    context = browser.new_context(
        viewport=size, color_scheme=mode, timezone_id="Asia/Hong_Kong", locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    yield Camera(context.new_page(), size)
    context.close()
