"""Reconcile: files taken and refused, differences told by class, one of them resolved, payouts proved."""

from __future__ import annotations

from datetime import UTC, datetime

from streamlit.testing.v1 import AppTest

from lib.ledger.books import LineFilter, find_lines
from lib.ledger.database import Database
from lib.ledger.facts import from_webhook
from lib.ledger.record import record
from tests.ledger.test_reports import PAYOUT, ROW, csv_of
from tests.pages.conftest import Open, said
from tests.support.events import event

PAGE = "reconcile.py"
MOMENT = datetime(2026, 3, 2, 4, tzinfo=UTC)
FEE = ROW | {
    "Breakdown Type": "Gateway Fixed Fee",
    "Processing Currency Amount": "-0.5",
    "Holding Currency Amount": "-0.5",
}


def captured(store: Database, amount: int = 110_000) -> None:
    data = {"id": "pay_1", "action_id": "act_1", "currency": "HKD", "amount": amount}
    record(store, [from_webhook(event("payment_captured", 1, MOMENT, **data), MOMENT)])


def take(page: AppTest, *files: bytes) -> AppTest:
    uploads = [(f"report{number}.csv", raw, "text/csv") for number, raw in enumerate(files)]
    page.file_uploader[0].set_value(uploads).run()
    return page.button(key="books_import").click().run()


def messages(page: AppTest) -> str:
    return " ".join(message.value for message in (*page.success, *page.error, *page.warning)).replace("\\", "")


def test_an_empty_store_says_what_to_do(open_page: Open) -> None:
    page = open_page(PAGE)
    assert not [*page.error, *page.exception]
    assert "No report yet" in said(page)


def test_a_report_that_agrees(empty: Database, open_page: Open) -> None:
    captured(empty)

    page = take(open_page(PAGE), csv_of(ROW, FEE))

    assert "1 report imported, with 2 lines." in messages(page)
    assert "The reports and the ledger agree in everything." in messages(page)
    summary = page.dataframe[0].value
    assert summary[["count", "theirs", "ours"]].to_numpy().tolist() == [[1, "1,100.00", "1,100.00"], [1, "−0.50", "—"]]
    again = take(page, csv_of(ROW, FEE))
    assert "report0.csv was imported before, by Ana. Nothing changed." in messages(again)


def test_a_file_that_is_no_good_is_told_with_line_and_column(empty: Database, open_page: Open) -> None:
    page = take(open_page(PAGE), csv_of(ROW, ROW | {"Holding Currency": "?"}))

    assert "report0.csv: Line 3, column “Holding Currency”: expected a currency such as HKD; found “?”." in messages(
        page
    )
    assert "No report yet" in said(page)


def test_a_difference_is_resolved_and_keeps_its_history(empty: Database, open_page: Open) -> None:
    captured(empty, 109_999)
    page = take(open_page(PAGE), csv_of(ROW))
    assert "1 difference in this month." in messages(page)
    assert list(page.dataframe[1].value["ours"]) == ["HKD\u00a01,099.99"]
    [line] = find_lines(empty, LineFilter("2026-03", "amount_differs")).rows

    page.session_state["books_line"] = line.id
    page.run()
    page.text_area(key=f"note_{line.id}").set_value("They rounded")
    page.selectbox(key=f"resolution_{line.id}").set_value("accepted")
    next(button for button in page.button if button.label == "Save").click().run()

    assert list(page.dataframe[1].value["resolution"]) == ["Accepted as it is"]
    assert "Amount differs · Accepted as it is, owner Ana: They rounded" in said(page)


def test_a_payout_that_differs_shows_by_how_much(empty: Database, open_page: Open) -> None:
    captured(empty)
    page = take(open_page(PAGE), csv_of(ROW, FEE), csv_of(PAYOUT | {"Payout Amount": "1099.50"}))

    page.segmented_control(key="books_view").set_value("Payouts").run()
    assert page.dataframe[0].value[["sum", "off"]].to_numpy().tolist() == [["HKD\u00a01,099.50", "—"]]
    page.session_state["payout"] = PAYOUT["Payout ID"]
    page.run()
    assert list(page.dataframe[1].value["held"]) == ["−HKD\u00a00.50", "HKD\u00a01,100.00"]
    page.segmented_control(key="books_view").set_value("Files").run()
    assert list(page.dataframe[0].value["lines"]) == [1, 2]


def test_support_looks_and_imports_nothing(empty: Database, open_page: Open) -> None:
    page = open_page(PAGE)
    page.selectbox(key="acting_role").set_value("support").run()
    assert not page.file_uploader
    assert "No report yet" in said(page)
