"""Overview on an empty and on a filled store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from lib.ledger.database import Database
from lib.ledger.facts import from_webhook
from lib.ledger.record import record
from lib.ledger.volumes import adopt_zone
from tests.pages.conftest import charts
from tests.support.events import event

START = Path(__file__).parents[2] / "pages" / "navigation.py"


def open_overview(**query: str) -> AppTest:
    """The start page, opened at an address with these parameters."""
    test = AppTest.from_file(str(START), default_timeout=30)
    for name, value in query.items():
        test.query_params[name] = value
    return test.run()


def captured(store: Database, amount: int, currency: str, days_ago: float, name: str) -> None:
    when = datetime.now(UTC) - timedelta(days=days_ago)
    data: dict[str, Any] = {
        "id": f"pay_{name:a<26}",
        "reference": f"ORD-{name}",
        "currency": currency,
        "amount": amount,
    }
    kinds = {"payment_pending": "a", "payment_captured": "b"}
    record(store, [from_webhook(event(kind, f"{name}{mark}", when, **data), when) for kind, mark in kinds.items()])


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value.replace("\u00a0", " ") for metric in page.metric}


def test_an_empty_store_welcomes_and_names_the_next_step(empty: Database) -> None:
    page = open_overview()
    assert not [*page.error, *page.exception]
    assert "Create a payment" in "".join(text.value for text in page.markdown)
    assert [button.label for button in page.button if "New payment" in button.label]
    assert not page.metric


def test_a_card_a_currency_and_no_sum_across_them(filled: Database) -> None:
    page = open_overview()
    assert not [*page.error, *page.exception]
    assert metrics(page) == {"HKD net": "HKD 300.00", "EUR net": "EUR 0.00", "KRW net": "KRW 40,000"}
    said = [text.value for text in page.caption]
    assert any("HKT" in text for text in said)
    assert "Captured KRW 45,000 in 1 payment  \nRefunded −KRW 5,000 in 1 refund" in [
        text.replace("\u00a0", " ") for text in said
    ]
    assert len(charts(page)) == 4


def test_the_newest_payments_are_listed(filled: Database) -> None:
    [table] = open_overview().dataframe
    assert list(table.value["reference"])[:2] == ["ORD-0001", "ORD-0002"]
    assert table.value["amount"][0] == "HKD\u00a0100.00"
    assert list(table.value["status"][0]) == ["Pending"]


def test_the_period_comes_from_the_address_and_the_change_from_the_period_before(empty: Database) -> None:
    captured(empty, 1000, "HKD", 10, "before")
    captured(empty, 1124, "HKD", 1, "now")
    week = open_overview(span="7 days")
    [card] = week.metric
    assert (card.value, card.delta) == ("HKD\u00a011.24", "+12.4%")
    month = open_overview()
    [card] = month.metric
    assert (card.value, card.delta) == ("HKD\u00a021.24", "nothing")


def test_a_quiet_period_says_so_and_still_shows_what_happened_last(empty: Database) -> None:
    captured(empty, 1000, "HKD", 40, "old")
    page = open_overview(span="7 days")
    assert "Nothing in these 7 days" in "".join(text.value for text in page.markdown)
    assert not page.metric
    assert list(page.dataframe[0].value["reference"]) == ["ORD-old"]


def test_an_unknown_period_in_the_address_falls_back(filled: Database) -> None:
    page = open_overview(span="8000 days")
    assert not [*page.error, *page.exception]
    assert page.metric


def test_today_by_the_hour_in_another_zone(filled: Database) -> None:
    page = open_overview(span="Today", zone="Asia/Kathmandu")
    assert not [*page.error, *page.exception]
    [line] = [text.value for text in page.caption if "Asia/Kathmandu" in text.value]
    assert "A bar is an hour" in line
    assert "+0545" in line


@pytest.mark.parametrize(
    ("query", "line"),
    [
        ({"span": "Custom", "between": ["2020-02-01", "2020-02-29"]}, "1 Feb – 29 Feb 2020"),
        ({"span": "Custom", "between": ["2017-01-01", "2020-02-29"]}, "2017 – 29 Feb 2020"),
        ({"span": "Custom", "between": "nonsense", "zone": "Mars", "step": "Century"}, "Asia/Hong_Kong"),
        ({"span": "Whole month", "month": "1999-01"}, "HKT"),
    ],
)
def test_whatever_the_address_asks_for_is_answered(filled: Database, query: dict[str, Any], line: str) -> None:
    page = open_overview(**query)
    assert not [*page.error, *page.exception]
    assert any(line in text.value for text in page.caption)


def test_what_is_behind_the_figures(filled: Database) -> None:
    adopt_zone(filled, ZoneInfo("Asia/Hong_Kong"))
    page = open_overview(zone="Europe/London")
    assert not [*page.error, *page.exception]
    words = " ".join(element.value for kind in (page.caption, page.markdown, page.subheader) for element in kind)
    words = words.replace("\u00a0", " ")
    assert "in Asia/Hong_Kong, as the ledger keeps its days" in words
    assert "HKD 0.0%" in words
    assert "EUR 100.0%" in words
    assert "Refund made elsewhere: EUR 11.00, KRW 5,000" in words
    assert "Half of them paid within 2 min of asking" in words
    assert len(charts(page)) == 8
