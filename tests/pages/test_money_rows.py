"""The rows behind a figure: a bar or a settlement day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from lib.ledger.database import Database
from tests.pages.conftest import Open, said

PAGE = "money_rows.py"


def span(**more: str) -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "currency": "KRW",
        "since": f"{now - timedelta(days=5):%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        **more,
    }


def test_the_rows_sum_to_the_bar_and_can_be_taken_away(filled: Database, open_page: Open) -> None:
    page = open_page(PAGE, **span())
    assert not [*page.error, *page.exception]
    words = said(page)
    assert "The rows add up to the figure" in words
    assert "captured KRW 45,000 in 1 payment, refunded −KRW 5,000 in 1 refund, net KRW 40,000" in words.replace(
        "\u00a0", " "
    )
    [table] = page.dataframe
    assert [amount.replace("\u00a0", " ") for amount in table.value["amount"]] == ["−KRW 5,000", "KRW 45,000"]
    assert [list(kind) for kind in table.value["kind"]] == [["Refunded"], ["Captured"]]
    assert len(page.get("download_button")) == 3


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        ("2026-10-13T16:00:00Z", "2026-10-14T16:00:00Z", "KRW, Wed 14 Oct 2026, HKT"),
        ("2026-10-13T16:00:00Z", "2026-10-20T16:00:00Z", "KRW, Wed 14 Oct – Tue 20 Oct 2026, HKT"),
        ("2025-12-29T16:00:00Z", "2026-01-01T16:00:00Z", "KRW, Tue 30 Dec 2025 – Thu 1 Jan 2026, HKT"),
        ("2026-10-14T05:00:00Z", "2026-10-14T06:00:00Z", "KRW, Wed 14 Oct 2026 13:00 – Wed 14 Oct 2026 14:00 HKT"),
        ("2026-10-14T15:00:00Z", "2026-10-14T16:00:00Z", "KRW, Wed 14 Oct 2026 23:00 – Thu 15 Oct 2026 00:00 HKT"),
    ],
)
def test_whole_days_are_said_as_days_and_other_times_to_the_minute(
    empty: Database, open_page: Open, since: str, until: str, words: str
) -> None:
    page = open_page(PAGE, currency="KRW", since=since, until=until, tz="Asia/Hong_Kong")
    assert words in page.subheader[0].value


def test_a_figure_that_its_rows_do_not_make_is_named_and_makes_no_file(filled: Database, open_page: Open) -> None:
    with filled.write() as connection:
        connection.execute(text("UPDATE volume SET captured = captured + 1 WHERE currency = 'KRW' AND captured > 0"))
    page = open_page(PAGE, **span())
    [error] = page.error
    assert "lib.ledger.rebuild" in error.value
    assert not page.get("download_button")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"currency": "KRW", "since": "yesterday", "until": "today"},
        {"currency": "KRW", "since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"},
        {"currency": "KRW", "since": "2026-01-01T00:00:00", "until": "2026-01-02T00:00:00"},
        {"currency": "%", "since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"},
        {"currency": "KRW", "since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z", "tz": "../x"},
    ],
)
def test_an_address_that_names_no_figure_says_where_to_find_one(
    empty: Database, open_page: Open, query: dict[str, str]
) -> None:
    page = open_page(PAGE, **query)
    assert not [*page.error, *page.exception]
    assert "No figure is chosen" in said(page)


def test_a_time_in_which_nothing_moved(filled: Database, open_page: Open) -> None:
    page = open_page(PAGE, currency="XXX", since="2020-01-01T00:00:00Z", until="2020-01-02T00:00:00Z", cursor="?")
    assert not [*page.error, *page.exception]
    assert "No money moved" in said(page)
