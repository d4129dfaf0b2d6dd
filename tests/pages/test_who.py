"""Who gets in and who acts: sign-in before every screen, roles, and the choice of a person without sign-in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from streamlit.testing.v1 import AppTest

from lib.ledger.audit import AUDIT
from lib.ledger.database import Database
from tests.pages.conftest import ROOT, said, sign_in_is_asked_for

ALWAYS_THERE = {path.name for path in (ROOT / "pages").glob("*.py")} - {"navigation.py", "simulator_board.py"}


def visit(page: str = "overview.py", **claims: Any) -> AppTest:
    """Somebody of whom the provider says `claims` opens a page; nobody, when it says nothing."""
    test = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=30)
    now = int(datetime.now(UTC).timestamp())
    test.user = {"is_logged_in": True, "sub": "1", "iat": now, **claims} if claims else {"is_logged_in": False}
    return test.run().switch_page(page).run()


def noted(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        rows = connection.execute(select(AUDIT.c.who, AUDIT.c.roles, AUDIT.c.action).order_by(AUDIT.c.seq))
        return [tuple(row) for row in rows]


def test_sign_in_stands_before_every_screen(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in_is_asked_for(monkeypatch)
    for page in sorted(ALWAYS_THERE):
        test = visit(page)
        assert [title.value for title in test.title] == ["Sign in"], page
        assert [button.label for button in test.button if "Sign in at id.example" in button.label], page
        assert "Please sign in" in said(test)
        assert not test.dataframe, page


def test_whoever_has_a_role_gets_in_and_is_shown_with_it(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in_is_asked_for(monkeypatch, ROLES="mina@shop.example=support")
    test = visit(email="mina@shop.example", roles=["viewer"])
    assert test.title[0].value == "Overview"
    assert [caption.value.replace("\\", "") for caption in test.sidebar.caption] == [
        "mina@shop.example  \nViewer, support"
    ]
    test.run()
    assert noted(empty) == [("mina@shop.example", "support,viewer", "sign_in.done")]
    test.button(key="sign_out").click().run()
    assert test.title[0].value == "Sign in"
    assert noted(empty)[1:] == [("mina@shop.example", "support,viewer", "sign_in.ended")]


def test_one_sign_in_is_noted_once_in_however_many_tabs(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in_is_asked_for(monkeypatch, ROLES="*@shop.example=viewer")
    claims = {"email": "mina@shop.example", "iat": int(datetime.now(UTC).timestamp())}
    visit(**claims)
    visit(**claims)
    assert len(noted(empty)) == 1


def test_nobody_without_a_role_gets_in(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in_is_asked_for(monkeypatch, ROLES="mina@shop.example=support")
    test = visit("payments.py", email="eve@else.example")
    assert test.title[0].value == "Sign in"
    assert "eve@else.example, who has no role here" in said(test)
    assert noted(filled) == [("eve@else.example", "", "sign_in.turned_away")]


def test_a_sign_in_that_is_too_old_is_asked_for_again(filled: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in_is_asked_for(monkeypatch, ROLES="*@shop.example=viewer", SIGN_IN_HOURS="8")
    test = visit(email="mina@shop.example")
    assert test.title[0].value == "Overview"
    test.user = {**test.user, "iat": int((datetime.now(UTC) - timedelta(hours=9)).timestamp())}
    test.run()
    assert test.title[0].value == "Sign in"
    assert "Your sign-in has ended" in said(test)


def test_without_sign_in_the_person_and_the_role_are_chosen(empty: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPERATOR_NAME", "Mina Park, Jun Lee")
    test = visit()
    assert test.title[0].value == "Overview"
    assert test.selectbox(key="acting_name").options == ["Mina Park", "Jun Lee"]
    assert test.selectbox(key="acting_role").options[0] == "Every role"
    test.selectbox(key="acting_name").select("Jun Lee")
    test.selectbox(key="acting_role").select("viewer").run()
    assert (test.session_state["acting_name"], test.session_state["acting_role"]) == ("Jun Lee", "viewer")
    assert noted(empty) == []
