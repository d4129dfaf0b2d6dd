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
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from playwright.sync_api import Browser

from lib import lan
from tests.browser.conftest import DESK
from tests.browser.screens import entries, rest
from tests.screenshots.camera import WIDTHS, Mode, camera, chromium
from tests.screenshots.states import State, happenings, lived, opened
from tests.support.server import ROOT, Server, free_port

PICTURES = ROOT / ".pictures"
SAMPLE = ("-m", "lib.demo", "--payments", "3000", "--seed", "7", "--months", "3")
HONG_KONG = ZoneInfo("Asia/Hong_Kong")
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
    port = free_port()
    settings = {"OPERATOR_NAME": "Mina Park, Jun Lee", "REFUND_LIMITS": "support HKD 1000"}
    if addresses := lan.addresses():  # then a phone could pay
        settings |= {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0", "PUBLIC_URL": f"http://{addresses[0]}:{port}"}
    server = Server(folder, settings, port=port)
    server.start()
    try:
        subprocess.run([sys.executable, *SAMPLE], cwd=ROOT, env=server.environment(), check=True)
        yield server
    finally:
        server.kill()


def for_the_readme(server: Server, browser: Browser, payment_id: str) -> None:
    """Two small files, which the README shows."""
    with camera(browser, "light", DESK) as desk:
        for name, address in {"overview": "", "payment": f"payment?id={payment_id}"}.items():
            desk.show(f"{server.url}/{address}")
            (PICTURES / f"{name}.webp").write_bytes(desk.window())


def every_screen(server: Server, browser: Browser, payment_id: str, folder: Path) -> None:
    """Whole screens as `NAME-MODE-WIDTH.webp`; says which are wider than their window."""
    tomorrow = datetime.combine(datetime.now(HONG_KONG).date() + timedelta(days=1), time(), HONG_KONG).astimezone(UTC)
    week = {"since": f"{tomorrow - timedelta(days=7):%Y-%m-%dT%H:%M:%SZ}", "until": f"{tomorrow:%Y-%m-%dT%H:%M:%SZ}"}
    addresses = {
        "payment": f"payment?id={payment_id}",
        "payment-nobody": "payment?id=pay_nobody",
        "money-rows": f"money-rows?{urlencode({'currency': 'HKD', **week, 'tz': HONG_KONG.key})}",
    }
    with camera(browser, "light", DESK) as desk:
        for link in entries(desk.show(server.url)).all():
            path = (link.get_attribute("href") or "").rpartition("/")[2]
            addresses[path or "overview"] = path
    addresses |= happenings(server, browser)
    screens: dict[str, tuple[str, State]] = {name: (path, rest) for name, path in addresses.items()} | opened(
        payment_id
    )
    for mode in MODES:
        for width, size in WIDTHS.items():
            with camera(browser, mode, size) as window:
                for name, (path, act) in screens.items():
                    act(window.show(f"{server.url}/{path}"))
                    if over := window.overflow():
                        print(f"{name} is {over} px wider than {width}")
                    (folder / f"{name}-{mode}-{width}.webp").write_bytes(window.whole())


if __name__ == "__main__":
    main()
