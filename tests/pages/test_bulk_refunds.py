"""Bulk refunds: an upload, its verdicts, and the file's own view in each of its states."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from lib.ledger.bulk import batches
from lib.ledger.bulk.batches import Uploaded
from lib.ledger.bulk.runner import Runner
from lib.ledger.bulk.views import newest_bulks, tallies, would_move
from lib.ledger.database import Database
from lib.ledger.desk import Desk, open_desk
from lib.operators import Operator
from tests.pages.conftest import Open, StandIn, payment, said

PAGE = "bulk_refunds.py"
ANA = Operator("Ana")
HEADER = "payment id,amount,currency,reason,customer\n"
ROWS = f"{payment(2)},12.50,HKD,damaged,Kim\n{payment(3)},300,KRW,other,Lee\n{payment(9)},1.00,EUR,other,Kim\n"


def send(page: AppTest, name: str, raw: bytes) -> AppTest:
    return page.file_uploader(key="bulk_file").set_value((name, raw, "text/csv")).run()


def uploaded(rows: str = ROWS) -> tuple[Desk, Uploaded]:
    running = open_desk(port=8501)
    return running, batches.upload(running, ANA, "march.csv", (HEADER + rows).encode())


def start(running: Desk, bulk_id: str) -> None:
    batches.start(running, ANA, bulk_id, confirmed=would_move(tallies(running.database, bulk_id)))


def buttons(page: AppTest) -> list[str]:
    """What can be done with the file, without turning its pages."""
    keys = [button.key or "" for button in page.button]
    return [key for key in keys if key.startswith("bulk_") and not key.startswith("bulk_lines")]


def cursor_of(page: AppTest) -> str:
    cursor = page.query_params["cursor"]
    return cursor if isinstance(cursor, str) else cursor[0]


def test_an_empty_store_says_how_to_begin(open_page: Open) -> None:
    page = open_page(PAGE)
    assert not [*page.error, *page.exception]
    assert "No file yet" in said(page)
    assert "item_returned" in said(page)


def test_a_bad_file_gets_its_sentence_and_leaves_nothing(empty: Database, open_page: Open) -> None:
    page = send(open_page(PAGE), "book.xlsx", b"PK\x03\x04...")
    assert "This is a spreadsheet, not a CSV file." in said(page)
    assert newest_bulks(empty) == []


def test_an_upload_shows_what_would_move_and_what_is_kept_back(filled: Database, open_page: Open) -> None:
    page = send(open_page(PAGE), "march.csv", (HEADER + ROWS).encode())
    assert not [*page.error, *page.exception]
    assert [metric.value.replace("\u00a0", " ") for metric in page.metric] == ["HKD 12.50", "KRW 300"]
    assert "2 refunds would be sent. 1 row kept back: 1 wrong currency." in said(page)
    assert "Columns that mean nothing here: customer." in said(page)
    assert page.dataframe[0].value["why"].tolist()[-1] == "This payment was made in HKD, not in EUR."
    assert {"bulk_ask", "bulk_again", "bulk_leave"} <= set(buttons(page))
    page.button(key="bulk_leave").click().run()
    assert "Files so far" in said(page)
    assert "march.csv" in said(page)


def test_a_file_uploaded_twice_shows_what_became_of_it(filled: Database, checkout: StandIn, open_page: Open) -> None:
    running, first = uploaded()
    start(running, first.bulk.id)
    while Runner(running).round():
        pass
    page = send(open_page(PAGE), "copy of march.csv", (HEADER + ROWS).encode())
    assert "was uploaded before, so nothing of it is refunded a second time" in said(page)
    assert "march.csv" in said(page)
    assert "bulk_ask" not in buttons(page)
    assert [status for [status] in page.dataframe[0].value["status"]] == ["Pending", "Pending", "Wrong currency"]
    assert len(checkout.asked) == 2


def test_stop_and_resume_are_offered_where_they_make_sense(filled: Database, open_page: Open) -> None:
    running, first = uploaded()
    start(running, first.bulk.id)
    page = open_page(PAGE, file=first.bulk.id)
    assert buttons(page) == ["bulk_leave", "bulk_stop"]
    page.button(key="bulk_stop").click().run()
    assert buttons(page) == ["bulk_leave", "bulk_resume", "bulk_again"]
    assert "0 of 2 refunds asked for" in page.get("progress")[0].proto.text
    page.button(key="bulk_resume").click().run()
    assert buttons(page) == ["bulk_leave", "bulk_stop"]


def test_a_click_that_came_too_late_is_said(filled: Database, open_page: Open) -> None:
    running, first = uploaded()
    start(running, first.bulk.id)
    page = open_page(PAGE, file=first.bulk.id)
    batches.stop(running, ANA, first.bulk.id)
    page.button(key="bulk_stop").click().run()
    assert "The file is not running, so there is nothing to stop." in said(page)


def test_rows_come_in_pages_and_groups_that_the_address_keeps(filled: Database, open_page: Open) -> None:
    _, first = uploaded("".join(f"{payment(2)},0.{cents:02},HKD,other,x\n" for cents in range(1, 70)) + ROWS)
    page = open_page(PAGE, file=first.bulk.id)
    assert len(page.dataframe[0].value) == 50
    page.button(key="bulk_lines_Next").click().run()
    assert len(page.dataframe[0].value) == 22
    again = open_page(PAGE, file=first.bulk.id, cursor=cursor_of(page))
    assert list(again.dataframe[0].value["line"]) == list(page.dataframe[0].value["line"])
    kept = open_page(PAGE, file=first.bulk.id, rows="Kept back")
    assert list(kept.dataframe[0].value["line"]) == [73]


@pytest.mark.parametrize("query", [{"file": "nobody"}, {"file": "'; --", "cursor": "a²", "rows": "x"}])
def test_nonsense_in_the_address_is_said(filled: Database, open_page: Open, query: dict[str, str]) -> None:
    page = open_page(PAGE, **query)
    assert not [*page.error, *page.exception]
    assert "There is no such file here." in said(page)


def test_a_viewer_sees_files_and_can_do_nothing_with_them(filled: Database, open_page: Open) -> None:
    _, first = uploaded()
    page = open_page(PAGE)
    page.selectbox(key="acting_role").select("viewer").run()
    assert not page.file_uploader
    assert "Your role may not refund." in said(page)
    page.query_params["file"] = first.bulk.id
    page.run()
    assert buttons(page) == ["bulk_leave"]
