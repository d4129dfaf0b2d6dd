"""What no menu entry shows: payments in every phase, an open question, a checked file, a closed month, an ending."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK
from tests.browser.screens import Merchant, ask_for_refund, badge, rest
from tests.screenshots.camera import camera
from tests.support.server import Server
from tests.support.waiting import until

BIG = 384_000
"""Of a payment of which a part is asked for that somebody else has to approve."""
FILE = "reference;amount;currency;reason;note\nORD-20931;12.50;HKD;damaged;one cup\nORD-20940;5.00;HKD;other;\n"
THEATRE_MS = 300_000

State = Callable[[Page], object]


def lived(server: Server, browser: Browser) -> str:
    """One payment that its customer paid and of which a part was refunded, in a browser; its id."""
    with server.checkout() as client, camera(browser, "light", DESK) as desk:
        payment_id = Merchant(server, client).paid("ORD-20931", 128_000)
        page = desk.show(f"{server.url}/payment?id={payment_id}")
        ask_for_refund(page, "300.00").get_by_role("button", name="Refund HKD 300.00").click()
        expect(badge(page, "Partially Refunded")).to_be_visible()
    query = "SELECT customer_email FROM payment WHERE id = :id AND customer_email <> ''"
    until(lambda: server.rows(query, id=payment_id), seconds=60, what="whose payment it is")
    return payment_id


def happenings(server: Server, browser: Browser) -> dict[str, str]:
    """Let happen what some screens are for; the screens by name, as addresses behind the server's."""
    found: dict[str, str] = {}
    with server.checkout() as client, camera(browser, "light", DESK) as desk:
        merchant = Merchant(server, client)
        desk.show(f"{server.url}/theatre").get_by_role("button", name="Play").click()
        payment_id = merchant.paid("ORD-20932", BIG)
        found["payment-awaiting-approval"] = f"payment?id={payment_id}"
        page = desk.show(f"{server.url}/payment?id={payment_id}")
        ask_for_refund(page, "1250.00").get_by_role("button", name="Refund HKD 1,250.00").click()
        expect(page.get_by_role("button", name="Withdraw it")).to_be_visible()
        found["payment-waiting"] = f"payment?id={merchant.asked('ORD-20933', 52_000)[0]}"

        page = desk.show(f"{server.url}/month-close?close_currency=KRW")
        page.get_by_role("button", name=re.compile("^.*Close [A-Z]")).click()
        page.get_by_role("dialog").get_by_role("button", name="Freeze it").click()
        expect(page.get_by_text("is closed with")).to_be_visible()
        found["month-closed"] = behind(page)

        page = desk.show(f"{server.url}/bulk-refunds")
        expect(page.get_by_text("Columns:")).to_be_visible()
        file = {"name": "refunds.csv", "mimeType": "text/csv", "buffer": FILE.encode()}
        page.locator("input[type=file]").set_input_files([file])  # type: ignore[list-item]
        expect(page.get_by_text("would be sent.")).to_be_visible()
        found["bulk-refunds-checked"] = behind(page)

        for name in ("phone-paid", "phone-waiting"):
            page = desk.show(f"{server.url}/phone")
            page.get_by_role("button", name="Create a test payment").click()
            expect(page.get_by_role("img", name="Waiting")).to_be_visible()
            found[name] = behind(page)
            if name == "phone-paid":
                client.post(wallet_of(server, page), data={"decision": "pay"})
                expect(page.get_by_role("img", name="Paid")).to_be_visible()

        [(delivery,)] = server.rows("SELECT max(id) FROM delivery WHERE verdict = 'accepted'")
        found["delivery"] = f"webhook-events?delivery={delivery}"
        found |= presented(server, desk.show(f"{server.url}/present"))
        page = desk.show(f"{server.url}/theatre")
        expect(page.get_by_text("Nothing is missing.")).to_be_visible(timeout=THEATRE_MS)
    return found


def presented(server: Server, page: Page) -> dict[str, str]:
    """A life shown by keys; every step in the end, and the code while it waits to be scanned."""
    page.get_by_role("button", name="Ask for it").click()
    expect(page.get_by_role("img", name="Waiting")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Pay for the customer").click()
    expect(page.get_by_role("img", name="Paid")).to_be_visible()
    for _ in range(2):
        rest(page)
        page.get_by_role("button", name="Go on").click()
        page.wait_for_url(re.compile("slide=[45]"))
    page.get_by_role("button", name="Refund HKD").click()
    expect(page.get_by_role("img", name="Refunded")).to_be_visible()
    asked = behind(page).replace("slide=5", "slide={}")
    return {f"present-{number}": asked.format(number) for number in range(2, 7)}


def behind(page: Page) -> str:
    """Path and query of the address."""
    rest(page)
    parts = urlsplit(page.url)
    return f"{parts.path.lstrip('/')}?{parts.query}"


def wallet_of(server: Server, page: Page) -> str:
    query = "SELECT p.redirect_url FROM payment p JOIN creation c ON c.payment_id = p.id WHERE c.key = :key"
    [(url,)] = server.rows(query, key=page.url.partition("key=")[2])
    return str(url)


def opened(payment_id: str) -> dict[str, tuple[str, State]]:
    """Screens that a click makes, by name: an address, and what is done there."""
    return {
        "refund-question": (f"payment?{urlencode({'id': payment_id})}", lambda page: ask_for_refund(page, "50.00")),
        "approvals-of-another": ("approvals", act_as_another),
        "time-machine": ("simulator-board", choose_day),
    }


def act_as_another(page: Page) -> None:
    size = page.viewport_size
    page.set_viewport_size(DESK)  # where the menu is open
    page.get_by_role("combobox", name="Acting person").click()
    page.get_by_role("option", name="Jun Lee").click()
    expect(page.get_by_role("button", name="Approve HKD 1,250.00")).to_be_visible()
    if size:
        page.set_viewport_size(size)


def choose_day(page: Page) -> None:
    page.get_by_role("slider", name="Drag the clock to").press("End")
    expect(page.get_by_role("button", name="Travel there")).to_be_enabled()
