"""Refunds on an empty and on a filled store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lib.ledger.database import Database
from lib.ledger.facts import from_webhook, refund_requested
from lib.ledger.record import record
from tests.pages.conftest import Open, payment
from tests.support.events import event

PAGE = "refunds.py"


def test_an_empty_store_says_how_a_refund_is_made(open_page: Open) -> None:
    page = open_page(PAGE)
    assert not [*page.error, *page.exception]
    assert "No refund yet" in "".join(text.value for text in page.markdown)
    assert [link.value for link in page.get("page_link")] == ["Payments"]


def test_every_refund_with_who_why_and_what_next(filled: Database, open_page: Open) -> None:
    page = open_page(PAGE)
    assert not [*page.error, *page.exception]
    [table] = page.dataframe
    rows = table.value.set_index("amount")
    assert [status for [status] in rows["status"]] == ["Pending", "Sending", "Refunded", "Declined", "Refunded"]
    asked_here = rows.loc["HKD\u00a030.00"]
    assert (asked_here["by"], asked_here["reason"], asked_here["reference"]) == ("Ben", "Damaged or faulty", "ORD-0002")
    elsewhere = rows.loc["HKD\u00a025.00"]
    assert (elsewhere["by"], elsewhere["reason"], elsewhere["arrives"]) == ("—", "Refund made elsewhere", "—")
    assert "–" in rows.loc["KRW\u00a010,000"]["arrives"]
    assert "–" in rows.loc["EUR\u00a011.00"]["arrives"]


def test_filters_come_from_the_address(filled: Database, open_page: Open) -> None:
    def amounts(**query: str) -> list[str]:
        return [str(amount).replace("\u00a0", " ") for amount in open_page(PAGE, **query).dataframe[0].value["amount"]]

    assert amounts(refund_status="Declined") == ["HKD 25.00"]
    assert amounts(refund_currency="KRW") == ["KRW 10,000", "KRW 5,000"]
    assert amounts(refund_search="ORD-0004") == ["EUR 11.00"]
    assert amounts(refund_search=payment(3), refund_status="Pending") == ["KRW 10,000"]


def test_a_search_without_result_says_so(filled: Database, open_page: Open) -> None:
    page = open_page(PAGE, refund_search="nobody@example.com")
    assert "No such refund" in "".join(text.value for text in page.markdown)
    assert not page.dataframe


def test_pages_by_keyset_there_and_back(empty: Database, open_page: Open) -> None:
    now = datetime.now(UTC)
    story = []
    for number in range(30):
        when = now - timedelta(hours=number)
        data = {"id": payment(number), "currency": "HKD", "amount": 1000}
        story += [from_webhook(event("payment_captured", f"c{number}", when, action_id=f"act_c{number}", **data), when)]
        story += [
            refund_requested(
                f"key{number}",
                payment(number),
                amount=100 + number,
                currency="HKD",
                reason="other",
                note="",
                by="Ana",
                at=when,
            )
        ]
    record(empty, story)
    page = open_page(PAGE)
    first = list(page.dataframe[0].value["amount"])
    page.button(key="refunds_Older").click().run()
    second = list(page.dataframe[0].value["amount"])
    assert (len(first), len(second)) == (25, 5)
    assert not set(first) & set(second)
    assert page.button(key="refunds_Older").disabled
    page.button(key="refunds_Newer").click().run()
    assert list(page.dataframe[0].value["amount"]) == first


def test_nonsense_in_the_address_falls_back(filled: Database, open_page: Open) -> None:
    page = open_page(PAGE, refund_status="Lost", refund_currency="XXX", cursor="%%%")
    assert not [*page.error, *page.exception]
    assert len(page.dataframe[0].value) == 5
