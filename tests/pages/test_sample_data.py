from __future__ import annotations

from typing import Any

import pytest

from lib.demo import process
from lib.demo.filling import fill
from lib.demo.removal import remove
from lib.ledger.database import Database
from lib.ledger.queries import PaymentFilter, find_payments
from pages.parts.session import desk
from tests.pages.conftest import Open, said


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether a process was asked for, time by time; the test does its work."""
    asked: list[bool] = []
    monkeypatch.setattr(process, "start", lambda: asked.append(True))
    return asked


def test_filled_cancelled_gone_on_with_and_removed(empty: Database, open_page: Open, started: list[bool]) -> None:
    test = open_page("sample_data.py")
    test.number_input(key="sample_payments").set_value(300)
    submit(test)
    assert started == [True]
    assert "0 of 300 payments" in progress(test)
    test.button(key="cancel_sample").click().run()
    assert "300 of 300 are missing: it was cancelled." in said(test)
    test.button(key="resume_sample").click().run()
    assert fill(desk())
    test.run()
    assert "300 sample payments" in said(test)
    assert len(find_payments(empty, PaymentFilter(), limit=25).rows) == 25
    test.button(key="remove_sample").click().run()
    assert remove(desk())
    test.run()
    assert "Fill with sample data" in said(test)
    assert not find_payments(empty, PaymentFilter()).rows
    assert started == [True, True, True]


def test_what_cannot_be_is_said(empty: Database, open_page: Open, started: list[bool]) -> None:
    first, second = open_page("sample_data.py"), open_page("sample_data.py")
    submit(first)
    submit(second)
    assert "There is sample data already. Remove it first." in said(second)
    assert started == [True]


def test_empty_screens_lead_to_it_and_screens_of_other_worlds_do_not(
    empty: Database, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    for page in ("overview.py", "payments.py", "settlement.py"):
        links = [str(each.proto) for each in open_page(page).get("page_link")]
        assert any("Fill with sample data" in link for link in links), page
    monkeypatch.setattr(type(desk().settings), "world", "sandbox")
    for page in ("overview.py", "payments.py", "settlement.py"):
        links = [str(each.proto) for each in open_page(page).get("page_link")]
        assert not any("Fill with sample data" in link for link in links), page


def submit(test: Any) -> None:
    next(button for button in test.button if "Fill with sample data" in button.label).click().run()


def progress(test: Any) -> str:
    return " ".join(str(each.proto) for each in test.get("progress"))
