"""Showing a payment to an audience: by keys, and with a phone that reads the code from the projector's picture."""

from __future__ import annotations

import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from lib import lan
from tests.browser.screens import Window, kept_refunds, title
from tests.support.server import Server, free_port

KEYBOARD_MS = 33  # between two repetitions of a held key

TYPEFACE_TAKEN = """plate => {
    const drawn = new DOMParser().parseFromString(atob(plate.src.split(",")[1]), "image/svg+xml");
    return CSS.supports("font-family", drawn.querySelector("[font-family]").getAttribute("font-family"));
}"""


def poster(page: Page, word: str) -> Locator:
    plate = page.get_by_role("img", name=re.compile(f"^{word}:"))
    expect(plate).to_be_visible()
    return plate


def key(page: Page, name: str, step: str) -> None:
    """Press a key once, on a step that has only just come: the step that it leads to stands."""
    page.keyboard.press(name)
    expect(title(page, step)).to_be_visible()


def test_a_whole_life_by_keys_survives_loading_again(server: Server, window: Window) -> None:
    page = window(f"{server.url}/present")
    expect(page.get_by_role("button", name="Ask for it")).to_be_visible()
    expect(page.get_by_role("button", name="Expand sidebar")).to_be_visible()
    key(page, "ArrowRight", "Scan")
    expect(page.get_by_text("No QR code: 127.0.0.1 means “this device”")).to_be_visible()
    key(page, "ArrowRight", "Pay")
    key(page, "ArrowLeft", "Scan")
    key(page, "ArrowRight", "Pay")
    poster(page, "Waiting")

    page.reload()
    assert poster(page, "Waiting").evaluate(TYPEFACE_TAKEN)
    page.get_by_role("button", name="Pay for the customer").click()
    poster(page, "Paid")
    page.keyboard.down("ArrowRight")
    poster(page, "Captured")
    for _ in range(10):  # held, a key repeats itself, and counts once all the same
        page.keyboard.down("ArrowRight")
        page.wait_for_timeout(KEYBOARD_MS)
    page.keyboard.up("ArrowRight")
    key(page, "ArrowRight", "Refund a part")
    expect(page.get_by_role("button", name="Refund HKD 95.00")).to_be_visible()
    for _ in range(3):  # pressed by an impatient hand
        page.keyboard.press("ArrowRight")
    asked = parse_qs(urlsplit(page.url).query)
    [(payment_id,)] = server.rows("SELECT payment_id FROM creation WHERE key = :key", key=asked["key"][0])

    page.goto(page.url.replace("slide=6", "slide=5"))
    poster(page, "Refunded")
    assert kept_refunds(server, payment_id) == [(9500, "refunded")]
    key(page, "ArrowRight", "Money by currency")
    expect(page.get_by_role("img", name=re.compile("^HKD.*: before: "))).to_be_visible()
    net = page.get_by_role("table", name="Sums in HKD before this payment and now").get_by_role(
        "row", name=re.compile("^Net")
    )
    expect(net).to_be_visible()
    before, now = (minor(cell) for cell in net.get_by_role("cell").all_inner_texts()[1:])
    assert now - before == 38000 - 9500


def minor(figure: str) -> int:
    return int(figure.replace(",", "").replace(".", "").replace("\u2212", "-"))


def test_a_phone_pays_what_it_reads_from_the_projector(tmp_path: Path, window: Window) -> None:
    addresses = lan.addresses()
    if not addresses:
        pytest.skip("this machine has no address but its own: connect it to a network")
    port = free_port()
    public = f"http://{addresses[0]}:{port}"
    projected = Server(tmp_path, {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0", "PUBLIC_URL": public}, port=port)
    projected.start()
    try:
        projector = window(f"{projected.url}/phone")
        projector.get_by_role("button", name="Create a test payment").click()
        expect(projector.get_by_role("img", name=re.compile("^QR code"))).to_be_visible()
        poster(projector, "Waiting")
        link = seen(projector)
        assert link.startswith(f"{public}/simulator/wallet/")

        phone = window(link, on="phone")
        poster(projector, "Opened")
        phone.get_by_role("button", name="Pay now").click()
        poster(projector, "Paid")
        expect(phone.get_by_text("Thank you, your order is paid")).to_be_visible()
        for path in ("/", "/phone", "/present", "/simulator/_control/faults"):
            assert httpx.get(public + path, trust_env=False).status_code == 403
    finally:
        projected.kill()


def seen(page: Page) -> str:
    """What a camera reads from the whole screen."""
    [found] = zxingcpp.read_barcodes(Image.open(io.BytesIO(page.screenshot())))
    return found.text
