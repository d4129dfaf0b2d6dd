"""Webhook events on an empty store and on one with a delivery of every kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from lib.ledger.database import Database
from lib.ledger.deliveries import Incoming, receive
from tests.pages.conftest import Open, payment
from tests.support.events import event

PAGE = "webhook_events.py"
DEEP = b'{"a":' * 300 + b"1" + b"}" * 300


def deliver(store: Database, raw: bytes, minutes: float, refusal: tuple[str, str] | None = None) -> None:
    when = datetime.now(UTC) - timedelta(minutes=minutes)
    receive(
        store,
        [Incoming(raw=raw, received_at=when, signature="ab" * 32, sender="127.0.0.1", size=len(raw), refusal=refusal)],
    )


@pytest.fixture
def delivered(empty: Database) -> Database:
    """Nine deliveries, #1 the oldest: one of every verdict, and one from before yesterday."""
    when = datetime.now(UTC) - timedelta(minutes=30)
    data = {"id": payment(1), "reference": "ORD-0001", "currency": "HKD", "amount": 10000}
    captured = event("payment_captured", "one", when, action_id="act_1", **data)
    deliver(empty, event("payment_pending", "zero", when, **data), 60 * 49)
    deliver(empty, captured, 30)
    deliver(empty, captured, 29)
    deliver(empty, captured.replace(b"ORD-0001", b"ORD-6666"), 28)
    deliver(empty, event("payment_routed", "odd", when, id=payment(2)), 27)
    deliver(empty, captured, 26, ("bad_signature", "No key of ours matches Cko-Signature"))
    deliver(empty, captured, 25, ("no_signature", "No Cko-Signature header"))
    deliver(empty, DEEP, 24)
    deliver(empty, b"\xff\xfe", 23)
    return empty


def shown(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["delivery"])


def said(page: AppTest) -> str:
    return "\n".join(text.value for text in page.markdown)


def test_an_empty_store_names_the_address_to_deliver_to(open_page: Open) -> None:
    page = open_page(PAGE)
    assert not [*page.error, *page.exception]
    assert "/webhooks/checkout" in said(page)
    assert [metric.value for metric in page.metric] == ["0", "0", "0", "0"]


def test_every_delivery_with_its_verdict_newest_first(delivered: Database, open_page: Open) -> None:
    page = open_page(PAGE)
    assert not [*page.error, *page.exception]
    rows = page.dataframe[0].value
    assert shown(page) == [f"#{number}" for number in range(9, 0, -1)]
    assert [verdict for [verdict] in rows["verdict"]] == [
        "Not JSON",
        "Not JSON",
        "No signature",
        "Bad signature",
        "Unknown type",
        "Conflicting",
        "Duplicate",
        "Accepted",
        "Accepted",
    ]
    assert all("HKT" in received for received in rows["received"])


def test_key_figures_of_the_last_day(delivered: Database, open_page: Open) -> None:
    assert [metric.value for metric in open_page(PAGE).metric] == ["8", "2", "2", "4"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"verdict": "Bad signature"}, ["#6"]),
        ({"type": "payment_captured"}, ["#4", "#3", "#2"]),
        ({"type": "payment_routed"}, ["#5"]),
        ({"payment": payment(2)}, ["#5"]),
        ({"payment": payment(1), "verdict": "Accepted"}, ["#2", "#1"]),
    ],
)
def test_filters_come_from_the_address(
    delivered: Database, open_page: Open, query: dict[str, str], expected: list[str]
) -> None:
    assert shown(open_page(PAGE, **query)) == expected


def test_a_filter_without_result_says_so(delivered: Database, open_page: Open) -> None:
    page = open_page(PAGE, payment="pay_nobody")
    assert "No such delivery" in said(page)
    assert not page.dataframe


def test_one_delivery_in_full(delivered: Database, open_page: Open) -> None:
    page = open_page(PAGE, delivery="2")
    assert not [*page.error, *page.exception]
    facts = page.table[0].value
    assert "payment" in str(facts.loc["Type"].iloc[0])
    assert facts.loc["Signature"].iloc[0] == "Matches one of our keys"
    assert facts.loc["Reason"].iloc[0] == "Stored"
    assert '"ORD-0001"' in page.json[0].value
    assert '"ORD-0001"' in page.code[0].value
    assert [link.value for link in page.get("page_link")] == ["Open payment ORD-0001"]


def test_a_repeated_delivery_shows_what_it_repeated_and_a_conflicting_one_its_own(
    delivered: Database, open_page: Open
) -> None:
    assert "ORD-0001" in open_page(PAGE, delivery="3").code[0].value
    assert "ORD-6666" in open_page(PAGE, delivery="4").code[0].value


def test_a_refused_delivery_says_why_and_shows_what_was_kept(delivered: Database, open_page: Open) -> None:
    page = open_page(PAGE, delivery="6")
    assert "Refused" in said(page)
    assert "Matches none of our keys" in page.table[0].value.loc["Signature"].iloc[0]
    assert "ORD-0001" in page.code[0].value


@pytest.mark.parametrize("delivery", ["8", "9"])
def test_what_is_not_json_is_shown_as_it_came(delivered: Database, open_page: Open, delivery: str) -> None:
    page = open_page(PAGE, delivery=delivery)
    assert not [*page.error, *page.exception]
    assert page.code[0].value
    assert "Signed" in page.table[0].value.loc["Reason"].iloc[0]


@pytest.mark.parametrize("delivery", ["999", "-1", "one", "9" * 40, "²"])
def test_an_unknown_delivery_is_said_to_be_unknown(delivered: Database, open_page: Open, delivery: str) -> None:
    page = open_page(PAGE, delivery=delivery)
    assert not [*page.error, *page.exception]
    assert "There is no delivery" in said(page)


def test_the_newest_25_first_then_older(empty: Database, open_page: Open) -> None:
    for number in range(30):
        deliver(empty, event("payment_pending", f"n{number}", datetime.now(UTC), id=payment(number)), 30 - number)
    page = open_page(PAGE)
    assert len(shown(page)) == 25
    page.button(key="deliveries_Older").click().run()
    assert shown(page) == ["#5", "#4", "#3", "#2", "#1"]
    page.pills(key="verdict").set_value(["Accepted"]).run()
    assert shown(page)[0] == "#30"
