"""Month close: the figures before and after, what was heard later on both months, and reopening by two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from streamlit.testing.v1 import AppTest

from lib.ledger.calendar import SettlementDays
from lib.ledger.closing import close_period, months
from lib.ledger.database import Database
from lib.ledger.facts import from_webhook
from lib.ledger.record import record
from lib.operators import Operator
from tests.pages.conftest import Open, said
from tests.support.events import event

PAGE = "month_close.py"
DAYS = SettlementDays(ZoneInfo("Asia/Hong_Kong"))
NOW = datetime.now(DAYS.zone)
THIS = NOW.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
LAST = (THIS - timedelta(days=1)).replace(day=1)
NAME = f"{LAST:%B %Y}"


def told(store: Database, kind: str, amount: int, when: datetime, name: str) -> None:
    moment = when.astimezone(UTC)
    data = {"id": f"pay_{name:a<26}", "currency": "HKD", "amount": amount, "action_id": f"act_{kind}{name}"}
    record(store, [from_webhook(event(f"payment_{kind}", f"{kind}{name}", moment, **data), moment)])


def closed(store: Database) -> None:
    told(store, "captured", 10_000, LAST + timedelta(days=2), "one")
    seen = months(store, "HKD", DAYS, datetime.now(UTC))[-1].figures
    close_period(Operator("Ana"), store, DAYS, "HKD", f"{LAST:%Y-%m}", seen=seen, now=datetime.now(UTC))


def amounts(page: AppTest) -> list[str]:
    return [str(row[1]) for row in page.table[0].value.to_numpy()]


def test_an_empty_store_says_what_to_do(open_page: Open) -> None:
    page = open_page(PAGE)
    assert not [*page.error, *page.exception]
    assert "No month to close yet" in said(page)


def test_a_month_is_closed_after_one_more_question(empty: Database, open_page: Open) -> None:
    told(empty, "captured", 10_000, LAST + timedelta(days=2), "one")
    page = open_page(PAGE)
    assert amounts(page) == ["0", "10000", "0", "0", "10000", "10000"]

    page.button(key="close").click().run()
    page.button(key="close_sure").click().run()

    assert [message.value.replace("\\", "") for message in page.success] == [f"HKD {NAME} is closed with 1 row."]
    assert "Closed by Ana" in said(page).replace("*", "")
    [period] = [month.period for month in months(empty, "HKD", DAYS, datetime.now(UTC)) if month.period]
    assert page.code[0].value == period.sha256
    page.button(key="close_prove").click().run()
    assert "Proved: the facts known at the close give the same 1 row" in page.success[0].value.replace("\\", "")


def test_what_was_heard_later_is_shown_on_both_months(empty: Database, open_page: Open) -> None:
    closed(empty)
    told(empty, "refunded", 250, LAST + timedelta(days=3), "one")

    old, new = open_page(PAGE, month=f"{LAST:%Y-%m}"), open_page(PAGE, month=f"{THIS:%Y-%m}")

    assert amounts(old) == ["0", "10000", "0", "0", "10000", "10000"]
    assert "Heard after the close: 1 row, not in the figures above." in said(old).replace("*", "")
    assert list(old.dataframe[0].value["pointer"]) == [f"{THIS:%B %Y}"]
    assert amounts(new) == ["10000", "0", "-250", "0", "-250", "9750"]
    assert "Taken over from closed months: 1 row, in the figures above." in said(new).replace("*", "")
    assert list(new.dataframe[0].value["pointer"]) == [NAME]


def test_the_rows_of_a_day_say_what_settlement_books_elsewhere(empty: Database, open_page: Open) -> None:
    closed(empty)
    late = LAST + timedelta(days=3)
    told(empty, "refunded", 250, late, "one")

    def rows_of(day: datetime) -> AppTest:
        start = day.replace(hour=0)
        span = {"since": start.isoformat(), "until": (start + timedelta(days=1)).isoformat()}
        return open_page("money_rows.py", currency="HKD", **span)

    dated, booked = rows_of(late), rows_of(THIS)

    assert "Booked later in settlement: 1 row, heard of after its month was closed." in said(dated).replace("*", "")
    assert list(dated.dataframe[-1].value["pointer"]) == [f"{THIS:%-d %b %Y}"]
    assert "Booked here in settlement as well: 1 row, of a closed month" in said(booked).replace("*", "")


def test_whoever_asked_cannot_agree(empty: Database, open_page: Open) -> None:
    closed(empty)
    page = open_page(PAGE, month=f"{LAST:%Y-%m}")

    page.text_area(key="reopen_reason").set_value("A capture is missing")
    next(button for button in page.button if button.label == "Ask to reopen").click().run()

    assert "Ana asks to reopen this month" in said(page)
    assert page.button(key="reopen_agree").disabled
    page.button(key="reopen_decline").click().run()
    assert "stays closed" in page.success[0].value


def test_a_viewer_sees_the_months_and_closes_none(empty: Database, open_page: Open) -> None:
    told(empty, "captured", 10_000, LAST + timedelta(days=2), "one")
    page = open_page(PAGE)
    page.selectbox(key="acting_role").set_value("viewer").run()
    assert page.button(key="close").disabled
    assert amounts(page)
