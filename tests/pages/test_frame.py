"""What every screen has around it: the world, the menu, and words for what fails."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import streamlit as st
from sqlalchemy import Engine, event
from streamlit.testing.v1 import AppTest

from lib.ledger.database import Database
from lib.ledger.tables import REFUND_STATUSES, STATUSES
from pages.parts import frame, words
from tests.pages.conftest import ROOT, Open, forget_desk, said, sign_in_is_asked_for
from tests.simulator.house import house

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
NOW = datetime(2026, 10, 14, 6, 2, tzinfo=UTC)


def start() -> AppTest:
    return AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=30).run()


def test_the_world_is_on_every_screen(
    empty: Database, open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with house(tmp_path) as simulator:
        monkeypatch.setenv("CHECKOUT_BASE_URL", simulator.url)
        forget_desk()
        for page in sorted(path.name for path in (ROOT / "pages").glob("*.py") if path.name != "navigation.py"):
            test = open_page(page)
            assert not test.exception, page
            assert "Simulator · no real money" in said(test), page


@pytest.mark.parametrize(
    ("host", "sign"),
    [("x.api.sandbox.checkout.com", "Sandbox · no real money"), ("x.api.checkout.com", "Live · real money")],
)
def test_sandbox_and_live_are_named(empty: Database, monkeypatch: pytest.MonkeyPatch, host: str, sign: str) -> None:
    monkeypatch.setenv("CHECKOUT_BASE_URL", f"https://{host}")
    begins = "sk_sbox_" if "sandbox" in host else "sk_"
    monkeypatch.setenv("CHECKOUT_SECRET_KEY", begins + "a" * 26 + "=")
    monkeypatch.setenv("CHECKOUT_PROCESSING_CHANNEL_ID", "pc_" + "a" * 26)
    monkeypatch.setenv("CHECKOUT_WEBHOOK_KEYS", "key")
    if "sandbox" not in host:
        sign_in_is_asked_for(monkeypatch)
    assert sign in said(start())


def test_the_tab_says_test_wherever_no_money_moves() -> None:
    assert frame.tab_title("Payments", "simulator").startswith("TEST · Payments")
    assert frame.tab_title("Payments", "sandbox").startswith("TEST · ")
    assert frame.tab_title("Payments", "live").startswith("Payments")


def test_wrong_settings_are_said_with_their_cure(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMEZONE", "Mars/Olympus")
    test = start()
    assert not test.exception
    assert "TIMEZONE" in said(test)
    assert "Asia/Hong_Kong" in said(test)


def test_a_database_that_cannot_be_opened_is_said_with_its_cure(
    empty: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path / 'file' / 'ledger.db'}")
    test = start()
    assert not test.exception
    assert "DATABASE_URL" in test.error[0].value


def test_an_unforeseen_failure_shows_a_number_and_no_traceback(
    empty: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("sk_sbox_secret leaks here")

    monkeypatch.setattr("lib.ledger.overview.newest", fail)
    test = start()
    assert not test.exception
    assert "Something went wrong on our side" in test.error[0].value
    assert "secret" not in said(test)
    number = test.error[0].value.split("**")[1]
    assert any(number in record.getMessage() for record in caplog.records)


def test_every_state_has_a_word_an_icon_and_a_colour_of_its_own() -> None:
    assert tuple(words.STATUSES) == STATUSES
    assert tuple(words.REFUND_STATUSES) == REFUND_STATUSES
    for signs in (words.STATUSES, words.REFUND_STATUSES, words.VERDICTS):
        assert len({sign.word for sign in signs.values()}) == len(signs)
        assert len({sign.icon for sign in signs.values()}) == len(signs)
        assert all(sign.meaning.endswith(".") for sign in signs.values())


def test_an_unknown_state_is_shown_as_it_came() -> None:
    assert words.status("Retry Scheduled").word == "Retry Scheduled"
    assert words.refund_status("half_way").word == "half way"
    assert "\\[" in words.status("[x](javascript:1)").badge


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (timedelta(seconds=3), "just now, 14:01 HKT"),
        (timedelta(minutes=4), "4 min ago, 13:58 HKT"),
        (timedelta(minutes=61), "1 h ago, 13:01 HKT"),
        (timedelta(days=2), "2 d ago, 12 Oct 14:02 HKT"),
        (timedelta(days=400), "13 months ago, 9 Sep 2025 14:02 HKT"),
        (timedelta(minutes=-9), "in 9 min, 14:11 HKT"),
        (timedelta(hours=47, minutes=55), "1 d ago, 12 Oct 14:07 HKT"),
        (timedelta(hours=-71, minutes=-55), "in 3 d, 17 Oct 13:57 HKT"),
        (timedelta(minutes=-59, seconds=-50), "in 1 h, 15:01 HKT"),
    ],
)
def test_times_are_said_by_age_and_by_clock(before: timedelta, text: str) -> None:
    assert words.when(NOW - before, HONG_KONG, NOW).replace("\u00a0", " ") == text


def test_times_in_lists_always_name_the_day_and_the_zone() -> None:
    assert words.stamp(NOW, HONG_KONG, NOW) == "14 Oct 14:02 HKT"
    assert words.stamp(NOW - timedelta(days=400), HONG_KONG, NOW) == "9 Sep 2025 14:02 HKT"
    assert words.clock(NOW, HONG_KONG, NOW) == "14:02:00"
    assert words.clock(NOW - timedelta(days=1), HONG_KONG, NOW) == "13 Oct 14:02:00"


@pytest.mark.parametrize(
    ("whole", "short"),
    [
        ("pay_sxzrgliy2w3e5gpnby3chlswwq", "pay_sxzr…swwq"),
        ("ORD-5023", "ORD-5023"),
        ("", ""),
        ("key-of-ben", "key-of-ben"),
        ("176fd767-7768-4aa3-8604-b325b7fd60f7", "176f…60f7"),
    ],
)
def test_long_ids_are_shortened_in_the_middle(whole: str, short: str) -> None:
    assert words.short_id(whole) == short


def test_text_from_outside_cannot_become_markdown() -> None:
    assert words.plain("**a** [b](http://c) :red[d]\n# e") == r"\*\*a\*\* \[b\]\(http\://c\) \:red\[d\] \# e"


def test_response_codes_are_explained() -> None:
    assert "not enough money" in words.response("20051", "Insufficient Funds")
    assert words.response("30999", None).startswith("Declined for good")
    assert words.response("99999", "New") == "99999 New"
    assert words.response(None, None) == ""


def test_what_happens_on_one_screen_runs_no_query_of_another(filled: Database, open_page: Open) -> None:
    pulse = {"delivery", "event", "sample"}  # by which a live screen sees whether to draw again
    own = {
        "settlement.py": pulse | {"fee_quarter", "json_each", "period", "volume"},
        "webhook_events.py": pulse | {"halved"},
        "refunds.py": pulse | {"payment", "refund"},
        "help.py": set(),
    }
    asked: set[str] = set()

    def heard(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.update(re.findall(r"\b(?:FROM|JOIN) (\w+)", statement))

    for page, tables in own.items():
        screen = open_page(page)
        asked.clear()
        event.listen(Engine, "before_cursor_execute", heard)
        try:
            screen.selectbox(key="acting_role").set_value("viewer").run()
        finally:
            event.remove(Engine, "before_cursor_execute", heard)
        assert not screen.exception
        assert asked == tables, page


def test_tables_hand_out_no_files_of_their_own() -> None:
    """Those would ask for no right, be on no record, and leave formulas in cells as they are."""
    assert st.get_option("client.disableDataExport") is True
