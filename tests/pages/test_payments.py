"""The list of payments: searching, filters, pages and files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lib.ledger.database import Database
from lib.ledger.facts import from_webhook
from lib.ledger.query_fields import FIELDS
from lib.ledger.record import record
from pages.parts.session import ROLE
from tests.pages.conftest import Open, opened, payment, said
from tests.support.events import event


def test_an_empty_store_says_what_to_do(open_page: Open) -> None:
    test = open_page("payments.py")
    assert not test.exception
    assert "No payments yet" in said(test)
    assert test.page_link[0].value == "Create your first payment"


def test_all_payments_newest_first(filled: Database, open_page: Open) -> None:
    table = open_page("payments.py").dataframe[0].value
    assert list(table.columns) == ["amount", "status", "age", "requested", "reference", "customer", "payment"]
    assert list(table["reference"])[:2] == ["ORD-0001", "ORD-0002"]
    assert len(table) == 9
    amounts = dict(zip(table["reference"], table["amount"], strict=True))
    assert amounts["ORD-0003"] == "KRW\u00a045,000"
    assert amounts["ORD-0004"] == "EUR\u00a011.00"


@pytest.mark.parametrize(
    ("query", "references"),
    [
        ({"status": "Declined"}, ["ORD-0005"]),
        ({"currency": "KRW"}, ["ORD-0003"]),
        ({"q": "ORD-0006"}, ["ORD-0006"]),
        ({"q": "minji.kim@"}, ["ORD-0002"]),
        ({"q": "ORD", "status": "Refunded"}, ["ORD-0004"]),
        ({"q": "EUR 11.00"}, ["ORD-0004"]),
        ({"refund": "Refund declined"}, ["ORD-0009"]),
        ({"least": "1,000", "currency": "KRW"}, ["ORD-0003"]),
        ({"q": "status:captured,refunded", "status": "Refunded"}, ["ORD-0004"]),
    ],
)
def test_filters_come_from_the_address(
    filled: Database, open_page: Open, query: dict[str, str], references: list[str]
) -> None:
    test = open_page("payments.py", **query)
    assert not test.exception
    assert list(test.dataframe[0].value["reference"]) == references


def test_choosing_a_status_goes_back_to_the_first_page(filled: Database, open_page: Open) -> None:
    test = open_page("payments.py", cursor="anything")
    test.pills(key="status").select("Expired").run()
    assert "cursor" not in test.query_params
    assert list(test.dataframe[0].value["reference"]) == ["ORD-0006"]


def test_days_are_days_of_the_shown_zone(filled: Database, open_page: Open) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    test = open_page("payments.py", since=tomorrow)
    assert "Nothing matches" in said(test)
    assert "HKT" in said(test)


def test_nothing_found_offers_to_drop_the_filters(filled: Database, open_page: Open) -> None:
    test = open_page("payments.py", q="nobody", status="Pending")
    assert "Nothing matches" in said(test)
    test.button(key="clear_all").click().run()
    assert len(test.dataframe[0].value) == 9
    assert "q" not in test.query_params


def test_older_and_newer_reach_every_payment_once(empty: Database, open_page: Open) -> None:
    now = datetime.now(UTC)
    record(
        empty,
        [
            from_webhook(
                event(
                    "payment_pending",
                    n,
                    now - timedelta(minutes=n),
                    id=f"pay_{n}",
                    reference=f"R{n}",
                    amount=n,
                    currency="HKD",
                ),
                now,
            )
            for n in range(1, 61)
        ],
    )
    test = open_page("payments.py")
    seen: list[str] = []
    while True:
        seen += list(test.dataframe[0].value["reference"])
        older = test.button(key="payments_Older")
        if older.disabled:
            break
        older.click().run()
    assert seen == [f"R{n}" for n in range(1, 61)]
    assert test.query_params["cursor"]
    test.button(key="payments_Newer").click().run()
    assert list(test.dataframe[0].value["reference"]) == [f"R{n}" for n in range(26, 51)]


def test_a_broken_cursor_starts_at_the_newest(filled: Database, open_page: Open) -> None:
    test = open_page("payments.py", cursor="%%%not a cursor%%%")
    assert test.dataframe[0].value["reference"].iloc[0] == "ORD-0001"


def test_rows_remember_which_payment_they_show(filled: Database, open_page: Open) -> None:
    assert open_page("payments.py").session_state["payments_ids"][0] == payment(1)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"q": "colour:red"}, "There is no field “colour”"),
        ({"q": "status:pending", "status": "Refunded"}, "no payment is both. Drop one of them."),
        ({"least": "1.100,00"}, "“1.100,00” is no amount. Use digits and a point for decimals"),
    ],
)
def test_what_is_not_understood_is_said_and_not_downloaded(
    filled: Database, open_page: Open, query: dict[str, str], sentence: str
) -> None:
    test = open_page("payments.py", **query)
    assert sentence in said(test)
    assert test.get("download_button")[0].proto.disabled


def test_the_help_lists_every_field(filled: Database, open_page: Open) -> None:
    [examples] = [list(table.value["Type"]) for table in open_page("payments.py").table]
    assert [example for example in examples if ":" in example] == [f"`{field.example}`" for field in FIELDS.values()]


@pytest.mark.parametrize(
    ("view", "references"),
    [
        ("Refund declined, not retried", ["ORD-0009"]),
        ("Pending over an hour", []),
    ],
)
def test_ready_views(filled: Database, open_page: Open, view: str, references: list[str]) -> None:
    test = opened(open_page("payments.py", status="Captured", cursor="anything"), "views")
    next(button for button in test.button if button.label == view).click().run()
    assert not test.pills(key="status").value
    assert "cursor" not in test.query_params
    assert [reference for table in test.dataframe for reference in table.value["reference"]] == references


def test_a_view_of_ones_own(filled: Database, open_page: Open) -> None:
    address = {"q": "amount:>50", "status": "Captured", "since": "2020-02-03", "refund": "No refund"}
    test = opened(open_page("payments.py", **address), "views")
    test.text_input(key="view_name").input("Large")
    next(button for button in test.button if button.label == "Save view").click().run()
    assert [toast.value for toast in test.toast] == ["Saved as Large."]
    references = list(test.dataframe[0].value["reference"])
    assert references == ["ORD-0008"]

    test.button(key="clear").click().run()
    assert len(test.dataframe[0].value) == 9
    next(button for button in opened(test, "views").button if button.label == "Large").click().run()
    assert test.text_input(key="q").value == "amount:>50"
    assert (test.pills(key="status").value, str(test.date_input(key="since").value)) == (["Captured"], "2020-02-03")
    assert test.pills(key="refund").value == "none"
    assert list(test.dataframe[0].value["reference"]) == references

    views = opened(test, "views").button
    next(button for button in views if str(button.key).startswith("delete_view_")).click().run()
    assert "Large" not in [button.label for button in opened(test, "views").button]


def test_a_view_of_everything_is_not_saved(filled: Database, open_page: Open) -> None:
    test = opened(open_page("payments.py"), "views")
    test.text_input(key="view_name").input("All")
    next(button for button in test.button if button.label == "Save view").click().run()
    assert "This shows all payments" in test.toast[0].value


def test_few_that_are_found_are_links_too(filled: Database, open_page: Open) -> None:
    assert [link.label for link in open_page("payments.py", q="ORD-0003").get("page_link")] == [
        "Open ORD\\-0003, KRW\u00a045,000"
    ]
    assert open_page("payments.py").get("page_link") == []


def test_a_viewer_has_no_download(filled: Database, open_page: Open) -> None:
    test = open_page("payments.py")
    assert test.get("download_button")
    test.session_state[ROLE] = "viewer"
    test.run()
    assert not test.get("download_button")
