"""Webhook events on an empty store and on one with a delivery of every kind."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from lib.ledger.database import Database
from lib.ledger.deliveries import Incoming, receive
from lib.ledger.queries import find_payment
from tests.pages.conftest import Open, forget_desk, payment
from tests.support.events import event

PAGE = "webhook_events.py"
KEY, OLD_KEY = "key-of-today", "key-of-yesterday"
DEEP = b'{"a":' * 300 + b"1" + b"}" * 300
BAD = ("bad_signature", "No signature key matches")


def deliver(
    store: Database,
    raw: bytes,
    minutes: float,
    refusal: tuple[str, str] | None = None,
    *,
    key: str = KEY,
) -> None:
    """A delivery `minutes` ago, signed with `key`, judged as the receiver would."""
    when = datetime.now(UTC) - timedelta(minutes=minutes)
    signed = None if refusal and refusal[0] == "no_signature" else hmac.digest(key.encode(), raw, "sha256").hex()
    place = None if refusal else [KEY, OLD_KEY].index(key)
    receive(store, [Incoming(raw, when, signed, "127.0.0.1", len(raw), refusal, place)])


@pytest.fixture(autouse=True)
def keys(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHECKOUT_WEBHOOK_KEYS", f"{KEY}, {OLD_KEY}")
    forget_desk()


@pytest.fixture
def delivered(empty: Database) -> Database:
    """Nine deliveries, #1 the oldest: one of every verdict, and one from before yesterday."""
    when = datetime.now(UTC) - timedelta(minutes=30)
    data = {"id": payment(1), "reference": "ORD-0001", "currency": "HKD", "amount": 10000}
    captured = event("payment_captured", "one", when, action_id="act_1", **data)
    deliver(empty, event("payment_pending", "zero", when - timedelta(minutes=1), **data), 60 * 49)
    deliver(empty, captured, 30)
    deliver(empty, captured, 29, key=OLD_KEY)
    deliver(empty, captured.replace(b"ORD-0001", b"ORD-6666"), 28)
    deliver(empty, event("payment_routed", "odd", when, id=payment(2)), 27)
    deliver(empty, captured, 26, BAD, key="a key that nobody gave us")
    deliver(empty, captured, 25, ("no_signature", "No Cko-Signature header"))
    deliver(empty, DEEP, 24)
    deliver(empty, b"\xff\xfe", 23)
    return empty


def shown(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["delivery"])


def said(page: AppTest) -> str:
    return "\n".join(text.value for text in page.markdown)


def cell(page: AppTest, name: str) -> str:
    """What the drawer says under this name."""
    return str(page.table[0].value.loc[name].iloc[0]).replace("\\", "")


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
        ({"view": "Quarantine"}, ["#9", "#8", "#7", "#6"]),
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
    assert "Reason" not in facts.index  # the head says it
    assert '"ORD-0001"' in page.json[0].value
    assert '"ORD-0001"' in page.code[0].value
    assert [link.value for link in page.get("page_link")] == ["Open payment ORD-0001"]


def test_a_sample_delivery_whose_number_lies_below_zero_opens(delivered: Database, open_page: Open) -> None:
    with delivered.write() as connection:
        connection.execute(text("UPDATE delivery SET id = -2274125377 WHERE id = 2"))
    assert '"ORD-0001"' in open_page(PAGE, delivery="-2274125377").json[0].value


def test_a_repeated_delivery_shows_what_it_repeated_and_a_conflicting_one_its_own(
    delivered: Database, open_page: Open
) -> None:
    assert "ORD-0001" in open_page(PAGE, delivery="3").code[0].value
    assert "ORD-6666" in open_page(PAGE, delivery="4").code[0].value


def test_a_refused_delivery_says_why_and_shows_what_was_kept(delivered: Database, open_page: Open) -> None:
    page = open_page(PAGE, delivery="6")
    assert "Refused" in said(page)
    assert "No key of ours fits" in cell(page, "Signature")
    assert "ORD-0001" in page.code[0].value


@pytest.mark.parametrize("delivery", ["8", "9"])
def test_what_is_not_json_is_shown_as_it_came(delivered: Database, open_page: Open, delivery: str) -> None:
    page = open_page(PAGE, delivery=delivery)
    assert not [*page.error, *page.exception]
    assert page.code[0].value
    assert "Signed" in cell(page, "Reason")


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


@pytest.mark.parametrize(
    ("number", "signature", "copy", "place", "effect"),
    [
        ("1", "our first signature key", "The only copy", "1st of 2 facts", "A new payment of HKD\xa0100.00, Pending"),
        ("2", "our first signature key", "First of 3 copies", "2nd of 2 facts", "Captured HKD\xa0100.00"),
        ("3", "being rotated out", "2nd of 3 copies", "2nd of 2 facts", "None: already captured"),
        ("4", "our first signature key", "3rd of 3 copies", "2nd of 2 facts", "None: already captured"),
        ("6", "No key of ours fits", "It brought no event", "—", "None: it was not taken in"),
        ("7", "came without a Cko-Signature", "It brought no event", "—", "None: it was not taken in"),
    ],
)
def test_what_a_delivery_proves_and_did(
    delivered: Database, open_page: Open, number: str, signature: str, copy: str, place: str, effect: str
) -> None:
    page = open_page(PAGE, delivery=number)
    assert signature in cell(page, "Signature")
    assert cell(page, "Copy") == copy
    assert place in cell(page, "Place")
    assert cell(page, "Effect").startswith(effect)


def test_a_late_event_says_where_it_belongs(empty: Database, open_page: Open) -> None:
    now = datetime.now(UTC)
    data = {"id": payment(1), "currency": "HKD", "amount": 10000}
    deliver(empty, event("payment_captured", "late", now, action_id="act_1", **data), 2)
    deliver(empty, event("payment_pending", "soon", now - timedelta(minutes=5), **data), 1)
    page = open_page(PAGE, delivery="2")
    assert cell(page, "Place") == "Came 2nd, happened 1st of 2 facts of its payment"


def test_a_key_that_came_late_lets_a_refused_delivery_in(
    delivered: Database, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = event("payment_pending", "new", datetime.now(UTC), id=payment(3), currency="HKD", amount=500)
    deliver(delivered, raw, 1, BAD, key="key-of-tomorrow")
    page = open_page(PAGE, delivery="10")
    page.button(key="try_again").click().run()
    assert "No signature key of ours fits it" in page.error[0].value.replace("\\", "")
    monkeypatch.setenv("CHECKOUT_WEBHOOK_KEYS", f"{KEY},key-of-tomorrow")
    forget_desk()
    page = open_page(PAGE, delivery="10")
    assert "one does now" in cell(page, "Signature")
    page.button(key="try_again").click().run()
    assert [text.value for text in page.success] == ["Tried again: Accepted."]
    assert not page.error
    assert cell(page, "Effect").startswith("A new payment of HKD\xa05.00")
    assert "try_again" not in [button.key for button in page.button]
    assert find_payment(delivered, payment(3))


def test_a_body_that_was_cut_cannot_be_tried_again(empty: Database, open_page: Open) -> None:
    deliver(empty, b" " * 20_000, 1, BAD, key="another")
    page = open_page(PAGE, delivery="1")
    assert "Its body was not kept whole" in "".join(text.value for text in page.caption)
    assert "try_again" not in [button.key for button in page.button]


def test_all_that_was_set_aside_is_tried_again_at_once(
    delivered: Database, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        raw = event("payment_pending", f"n{number}", datetime.now(UTC), id=payment(3), currency="HKD", amount=500)
        deliver(delivered, raw, 1, BAD, key="key-of-tomorrow")
    monkeypatch.setenv("CHECKOUT_WEBHOOK_KEYS", f"{KEY},key-of-tomorrow")
    forget_desk()
    page = open_page(PAGE, view="Quarantine")
    page.button(key="try_page").click().run()
    [told] = [text.value.replace("\\", "") for text in page.info]
    assert told.startswith("Tried again: 2 accepted, 1 not json.")
    assert "1 not: No signature key of ours fits it." in told
    assert "1 not: The body was not kept whole." in told
    assert shown(page) == ["#9", "#8", "#7", "#6"]


def test_nothing_set_aside(empty: Database, open_page: Open) -> None:
    page = open_page(PAGE, view="Quarantine")
    assert "Nothing is set aside" in said(page)
    assert not page.exception


def test_between_two_times(empty: Database, open_page: Open) -> None:
    for hours in (7, 5, 3, 1):
        deliver(empty, event("payment_pending", hours, datetime.now(UTC), id=payment(1)), 60 * hours)
    local = datetime.now(ZoneInfo("Asia/Hong_Kong")).replace(tzinfo=None)
    page = open_page(PAGE)
    page.datetime_input(key="came_from").set_value(local - timedelta(hours=6)).run()
    page.datetime_input(key="came_to").set_value(local - timedelta(hours=2)).run()
    assert shown(page) == ["#3", "#2"]
    page.datetime_input(key="came_to").set_value(local - timedelta(days=9)).run()
    assert "No such delivery" in said(page)


def test_numbers_of_sample_data_are_shortened(delivered: Database, open_page: Open) -> None:
    with delivered.write() as connection:
        connection.execute(text("UPDATE delivery SET id = -22741254812345 WHERE id = 1"))
    page = open_page("webhook_events.py")
    assert shown(page)[-1] == "#…812345"
