"""Overdue payments: the list, the line on the overview, and asking Checkout.com about one at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lib.ledger.database import Database
from lib.ledger.facts import from_webhook
from lib.ledger.record import record
from tests.pages.conftest import Open, forget_desk, payment, said
from tests.simulator.house import House, house
from tests.support.events import event
from tests.support.waiting import until

PAGE = "overdue.py"


@pytest.fixture
def late(empty: Database) -> Database:
    """Two payments whose links have ended without a word since: one for an hour, one for two days."""
    for number, hours in ((1, 1), (2, 48)):
        when = datetime.now(UTC) - timedelta(hours=hours)
        data = {"id": payment(number), "reference": f"ORD-{number}", "currency": "HKD", "amount": 10000}
        record(empty, [from_webhook(event("payment_pending", f"p{number}", when, **data), when)])
    return empty


def test_nothing_overdue(empty: Database, open_page: Open) -> None:
    page = open_page(PAGE)
    assert "Nothing is overdue" in said(page)
    assert not [*page.error, *page.exception, *page.dataframe]


def test_the_longest_overdue_first_in_words(late: Database, open_page: Open) -> None:
    page = open_page(PAGE)
    assert not [*page.error, *page.exception]
    rows = page.dataframe[0].value
    assert list(rows["reference"]) == ["ORD-2", "ORD-1"]
    assert list(rows["late"]) == ["1 d ago", "57 min ago"]
    assert set(rows["expected"]) == {"Whether the customer paid; the link has ended"}
    assert list(rows["amount"]) == ["HKD\xa0100.00"] * 2


def test_more_are_shown_when_asked_for_and_after_a_reload(empty: Database, open_page: Open) -> None:
    when = datetime.now(UTC) - timedelta(days=2)
    for number in range(30):
        data = {"id": payment(number), "reference": f"ORD-{number}", "currency": "HKD", "amount": 10000}
        asked = when + timedelta(minutes=number)
        record(empty, [from_webhook(event("payment_pending", f"p{number}", asked, **data), asked)])
    page = open_page(PAGE)
    assert len(page.dataframe[0].value) == 25
    [more] = [button for button in page.button if button.label == "Show 25 more"]
    more.click().run()
    assert list(page.dataframe[0].value["reference"]) == [f"ORD-{number}" for number in range(30)]
    assert not [button for button in page.button if button.label == "Show 25 more"]
    assert len(open_page(PAGE, most="50").dataframe[0].value) == 30
    assert len(open_page(PAGE, most="all").dataframe[0].value) == 25


def test_a_refund_without_an_answer_is_overdue(filled: Database, open_page: Open) -> None:
    rows = open_page(PAGE).dataframe[0].value
    assert "Checkout.com's answer to the refund request" in list(rows["expected"])


def test_the_overview_says_how_many_wait(late: Database, open_page: Open) -> None:
    page = open_page("overview.py")
    links = {link.proto.label: link.proto.page for link in page.get("page_link")}
    assert links["2 payments wait for news longer than expected"] == "overdue"


def test_the_overview_is_silent_when_nothing_is_overdue(empty: Database, open_page: Open) -> None:
    when = datetime.now(UTC)
    raw = event("payment_captured", "one", when, id=payment(1), currency="HKD", amount=100, action_id="act_1")
    record(empty, [from_webhook(raw, when)])
    assert not [link for link in open_page("overview.py").get("page_link") if "news" in link.proto.label]


@pytest.fixture
def home(empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A simulator whose webhooks do not reach the store."""
    with house(tmp_path) as one:
        monkeypatch.setenv("CHECKOUT_BASE_URL", one.url)
        forget_desk()
        yield one


def only_pending(store: Database, made: dict[str, object]) -> str:
    identifier = str(made["id"])
    when = datetime.now(UTC)
    raw = event("payment_pending", "own", when, id=identifier, currency="HKD", amount=1100)
    record(store, [from_webhook(raw, when)])
    return identifier


def test_asking_finds_the_capture_that_no_webhook_told(home: House, empty: Database, open_page: Open) -> None:
    identifier = only_pending(empty, home.paid())
    page = open_page("payment.py", id=identifier)
    page.button(key="ask_now").click().run()
    [text] = [element.value for element in page.success]
    assert "This payment is Captured now; here it was Pending." in text
    assert "the payment was captured" in text
    assert text.startswith("Asked ")
    page.button(key="ask_now").click().run()
    assert "Nothing new: Checkout.com says Captured, as we do." in page.success[0].value


def test_asking_finds_a_refund_made_elsewhere(home: House, empty: Database, open_page: Open) -> None:
    made = home.paid()
    identifier = only_pending(empty, made)
    page = open_page("payment.py", id=identifier)
    page.button(key="ask_now").click().run()
    home.refunded(made, 100)
    until(lambda: home.status(made) == "Partially Refunded")
    page.button(key="ask_now").click().run()
    assert "This payment is Partially Refunded now; here it was Captured." in page.success[0].value


def test_what_checkout_refuses_is_said(home: House, filled: Database, open_page: Open) -> None:
    page = open_page("payment.py", id=payment(2))
    page.button(key="ask_now").click().run()
    [problem] = [element.value for element in page.error]
    assert "Asked " in problem
    assert not page.success
    assert not page.exception
