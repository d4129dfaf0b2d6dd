"""Settlement on an empty and on a filled store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from lib.ledger.database import Database
from lib.ledger.facts import from_webhook
from lib.ledger.record import record
from tests.pages.conftest import Open
from tests.support.events import event

PAGE = "settlement.py"
HONG_KONG = ZoneInfo("Asia/Hong_Kong")


def told(store: Database, kind: str, amount: int, when: datetime, name: str, currency: str = "HKD") -> None:
    data = {"id": f"pay_{name:a<26}", "currency": currency, "amount": amount, "action_id": f"act_{kind}{name}"}
    when = when.astimezone(UTC)
    record(store, [from_webhook(event(kind, f"{kind}{name}", when, **data), when)])


def accounts(page: AppTest) -> list[list[str]]:
    """What the statements say, row by row."""
    return [list(map(str, row)) for table in page.table for row in table.value.to_numpy()]


def test_an_empty_store_says_what_to_do(open_page: Open) -> None:
    page = open_page(PAGE)
    assert not [*page.error, *page.exception]
    assert "No money moved" in "".join(text.value for text in page.markdown)
    assert [link.value for link in page.get("page_link")] == ["New payment", "Fill with sample data"]


def test_a_statement_a_currency_in_whole_minor_units(filled: Database, open_page: Open) -> None:
    page = open_page(PAGE, period="Last 30 days")
    assert not [*page.error, *page.exception]
    assert accounts(page) == [
        ["Opening balance", "0"],
        ["Gross captured :gray[:small[· 3 payments]]", "30000"],
        ["Refunded :gray[:small[· 0 refunds]]", "0"],
        ["**Net**", "30000"],
        ["**Closing balance**", "30000"],
        ["Opening balance", "0"],
        ["Gross captured :gray[:small[· 1 payment]]", "1100"],
        ["Refunded :gray[:small[· 1 refund]]", "-1100"],
        ["**Net**", "0"],
        ["**Closing balance**", "0"],
        ["Opening balance", "0"],
        ["Gross captured :gray[:small[· 1 payment]]", "45000"],
        ["Refunded :gray[:small[· 1 refund]]", "-5000"],
        ["**Net**", "40000"],
        ["**Closing balance**", "40000"],
    ]
    assert any("Asia/Hong_Kong (HKT)" in text.value for text in page.caption)


def test_one_currency_day_by_day_newest_first(empty: Database, open_page: Open) -> None:
    midnight = datetime.now(HONG_KONG).replace(hour=0, minute=0, second=0, microsecond=0)
    told(empty, "payment_captured", 1000, midnight - timedelta(seconds=1), "late")
    told(empty, "payment_captured", 500, midnight - timedelta(days=1), "early")
    told(empty, "payment_captured", 2000, midnight, "today")
    told(empty, "payment_refunded", 300, midnight, "late")
    told(empty, "payment_captured", 45000, midnight, "won", "KRW")
    page = open_page(PAGE, period="Last 30 days", account="HKD")
    assert {metric.label: metric.value.replace("\u00a0", " ") for metric in page.metric} == {
        "Opening balance": "HKD 0.00",
        "Gross captured": "HKD 35.00",
        "Refunded": "−HKD 3.00",
        "Net": "HKD 32.00",
        "Closing balance": "HKD 32.00",
    }
    [table] = page.dataframe
    assert table.value[["gross", "refunded", "net", "opening", "closing", "fees"]].to_numpy().tolist() == [
        ["20.00", "−3.00", "17.00", "15.00", "32.00", "not told"],
        ["15.00", "0.00", "15.00", "0.00", "15.00", "not told"],
    ]
    assert list(table.value["day"]) == [f"{midnight:%a %-d %b %Y}", f"{midnight - timedelta(days=1):%a %-d %b %Y}"]
    assert list(table.value["captured_count"]) == [1, 2]


def test_choosing_a_statement_opens_its_days(filled: Database, open_page: Open) -> None:
    page = open_page(PAGE, period="Last 30 days")
    page.button(key="to_KRW_KRW").click().run()
    assert page.query_params["account"] == "KRW"
    [table] = page.dataframe
    assert sum(table.value["captured_count"]) == 1
    page.button(key="to_None_KRW").click().run()
    assert len(page.table) == 3


@pytest.mark.parametrize(
    ("period", "moment", "there"),
    [
        ("This month", "first of this month", True),
        ("This month", "last of last month", False),
        ("Last month", "last of last month", True),
        ("Last month", "first of this month", False),
        ("Last 30 days", "30 days ago", False),
        ("Last 30 days", "29 days ago", True),
    ],
)
def test_periods_begin_and_end_at_local_midnight(
    empty: Database, open_page: Open, period: str, moment: str, there: bool
) -> None:
    midnight = datetime.now(HONG_KONG).replace(hour=0, minute=0, second=0, microsecond=0)
    moments = {
        "first of this month": midnight.replace(day=1),
        "last of last month": midnight.replace(day=1) - timedelta(seconds=1),
        "29 days ago": midnight - timedelta(days=29),
        "30 days ago": midnight - timedelta(days=29, seconds=1),
    }
    told(empty, "payment_captured", 1000, moments[moment], "one")
    assert bool(open_page(PAGE, period=period).metric) is there


def test_days_of_ones_own_choice(filled: Database, open_page: Open) -> None:
    page = open_page(PAGE, period="Custom", between=["2020-02-01", "2020-02-29"])
    assert not [*page.error, *page.exception]
    assert any("1 Feb 2020 – 29 Feb 2020" in text.value for text in page.caption)
    assert "No money moved" in "".join(text.value for text in page.markdown)


def test_nonsense_in_the_address_falls_back(filled: Database, open_page: Open) -> None:
    page = open_page(PAGE, period="Custom", between="yesterday", account="XXX")
    assert not [*page.error, *page.exception]
    assert accounts(page)
