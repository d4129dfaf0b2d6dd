"""`python -m tests.screenshots [FOLDER]`: the README's pictures anew, or every screen in both modes and widths into FOLDER.

They are of the real app on a store of its own: three months of sample data, and one payment lived through a browser.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.conftest import DESK
from tests.browser.screens import Merchant, ask_for_refund, badge, entries
from tests.screenshots.camera import WIDTHS, Mode, camera, chromium
from tests.support.server import ROOT, Server, serving
from tests.support.waiting import until

PICTURES = ROOT / ".pictures"
SAMPLE = ("-m", "lib.demo", "--payments", "3000", "--seed", "7", "--months", "3")
MODES: tuple[Mode, ...] = ("light", "dark")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots", description=__doc__)
    parser.add_argument(
        "folder", nargs="?", type=Path, help="where every screen goes; without it: the README's pictures"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, living(Path(name)) as server, chromium() as browser:
        payment_id = lived(server, browser)
        if given.folder is None:
            for_the_readme(server, browser, payment_id)
        else:
            given.folder.mkdir(parents=True, exist_ok=True)
            every_screen(server, browser, payment_id, given.folder)


@contextmanager
def living(folder: Path) -> Iterator[Server]:
    """The app with sample data in it."""
    with serving(folder, OPERATOR_NAME="Mina Park, Jun Lee", REFUND_LIMITS="support HKD 1000") as server:
        subprocess.run([sys.executable, *SAMPLE], cwd=ROOT, env=server.environment(), check=True)
        yield server


def lived(server: Server, browser: Browser) -> str:
    """One payment that its customer paid and of which two parts were refunded, in a browser; its id."""
    with server.checkout() as client, camera(browser, "light", DESK) as desk:
        payment_id = Merchant(server, client).paid("ORD-20931", 128_000)
        page = desk.show(f"{server.url}/payment?id={payment_id}")
        ask_for_refund(page, "300.00").get_by_role("button", name="Refund HKD 300.00").click()
        expect(badge(page, "Partially Refunded")).to_be_visible()
    query = "SELECT customer_email FROM payment WHERE id = :id AND customer_email <> ''"
    until(lambda: server.rows(query, id=payment_id), seconds=60, what="whose payment it is")
    return payment_id


def for_the_readme(server: Server, browser: Browser, payment_id: str) -> None:
    """Two small files, which the README shows."""
    with camera(browser, "light", DESK) as desk:
        for name, address in {"overview": "", "payment": f"payment?id={payment_id}"}.items():
            desk.show(f"{server.url}/{address}")
            (PICTURES / f"{name}.webp").write_bytes(desk.window())


def every_screen(server: Server, browser: Browser, payment_id: str, folder: Path) -> None:
    """Whole screens as `NAME-MODE-WIDTH.webp`; says which are wider than their window."""
    some_time = "since=2020-01-01T00:00:00Z&until=2100-01-01T00:00:00Z&zone=Asia/Hong_Kong"
    addresses = {
        "payment": f"{server.url}/payment?id={payment_id}",
        "payment-nobody": f"{server.url}/payment?id=pay_nobody",
        "money-rows": f"{server.url}/money-rows?currency=HKD&{some_time}",
    }
    with camera(browser, "light", DESK) as desk:
        for link in entries(desk.show(server.url)).all():
            href = f"{server.url}/{(link.get_attribute('href') or '').rpartition('/')[2]}"
            addresses[href.rpartition("/")[2] or "overview"] = href
    for mode in MODES:
        for width, size in WIDTHS.items():
            with camera(browser, mode, size) as window:
                for name, address in addresses.items():
                    window.show(address)
                    if over := window.overflow():
                        print(f"{name} is {over} px wider than {width}")
                    (folder / f"{name}-{mode}-{width}.webp").write_bytes(window.whole())


if __name__ == "__main__":
    main()
