"""What the browser tests share: the merchant's other systems, and how a person reads a screen."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Locator, Page

from tests.support.server import Server, payment_request
from tests.support.waiting import until

OUR_INSIDES = re.compile(r"Traceback|\.py\b|site-packages|sqlalchemy|OperationalError|NoneType|Errno", re.IGNORECASE)

START = "streamlit run app.py"
"""What a person is told to type, which is none of our insides."""

Window = Callable[..., Page]


@dataclass(frozen=True)
class Merchant:
    """The same merchant's other systems, which create payments without this dashboard, and their customers."""

    server: Server
    client: httpx.Client

    def asked(self, reference: str, amount: int = 1100, currency: str = "HKD", **more: Any) -> tuple[str, str]:
        """A payment that waits for its customer, who is sent back to its page here; its id and the wallet's address."""
        back = f"{self.server.url}/payment?reference={reference}"
        body = payment_request(reference, amount, currency, success_url=back, failure_url=back, **more)
        created = self.client.post("/payments", json=body)
        assert created.status_code == 202, created.text
        self.wait(created.json()["id"], "Pending")
        return created.json()["id"], created.json()["_links"]["redirect"]["href"]

    def paid(self, reference: str, amount: int = 1100, currency: str = "HKD", **more: Any) -> str:
        """A payment that its customer has paid, and of which the dashboard has heard; its id."""
        payment_id, wallet = self.asked(reference, amount, currency, **more)
        assert self.client.post(wallet, data={"decision": "pay"}).status_code == 303
        self.wait(payment_id, "Captured")
        return payment_id

    def wait(self, payment_id: str, status: str) -> None:
        query = "SELECT status FROM payment WHERE id = :id"
        until(lambda: self.server.rows(query, id=payment_id) == [(status,)], what=f"{payment_id} {status}")

    def refunds(self, payment_id: str) -> list[int]:
        """The refunds that Checkout.com knows of, in minor units."""
        actions = self.client.get(f"/payments/{payment_id}/actions").json()
        return [action["amount"] for action in actions if action["type"] == "Refund"]

    def faults(self, **switches: dict[str, Any]) -> None:
        """Put these faults on the simulator's board, and take all others off."""
        answer = self.client.put("/_control/faults", params={"clear": "true"}, json=switches)
        assert answer.status_code == 200, answer.text


def title(page: Page, name: str) -> Locator:
    """The screen's title."""
    return page.get_by_role("heading", name=name, level=1, exact=True)


def kept_refunds(server: Server, payment_id: str) -> list[tuple[int, str]]:
    """Amount and status of the payment's refunds in the ledger, oldest first."""
    query = "SELECT amount, status FROM refund WHERE payment_id = :id ORDER BY requested_at"
    return [(amount, status) for amount, status in server.rows(query, id=payment_id)]


def ask_for_refund(page: Page, amount: str) -> Locator:
    """Type the amount into the form, press its button, and return the question that opens."""
    page.bring_to_front()
    page.get_by_role("textbox", name=re.compile("^Amount in")).fill(amount)
    page.get_by_role("button", name=re.compile("Refund [A-Z]{3} ")).click()
    return page.get_by_role("dialog", name=re.compile("Refund .*?"))


def badge(page: Page, word: str) -> Locator:
    """The badge with this word. Streamlit keeps a hidden twin of one that has a hint."""
    return page.get_by_text(re.compile(rf"^\w+ {word}$")).filter(visible=True).first


_AT_REST = """() => {
    const app = document.querySelector('[data-testid="stApp"]');
    return app?.dataset.testScriptState === 'notRunning'
        && !document.querySelector('[data-testid="stSkeleton"], [data-testid="stAppSkeleton"]');
}"""


def rest(page: Page) -> None:
    """Wait until the script has ended and nothing is a placeholder any more."""
    page.wait_for_function(_AT_REST)


def entries(page: Page) -> Locator:
    """The links of the menu."""
    links = page.get_by_role("navigation").get_by_role("link")
    links.first.wait_for()
    return links


def assert_calm(said: str) -> None:
    """Something is said, and nothing of it is a traceback or our insides."""
    assert said.strip()
    assert not OUR_INSIDES.search(said.replace(START, "")), said
