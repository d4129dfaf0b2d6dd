"""The audit log and the settings on screen."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from lib.ledger import audit
from lib.ledger.database import Database
from lib.operators import Operator
from lib.settings import Settings
from pages.parts import entries
from tests.pages.conftest import Open, forget_desk, said


@pytest.fixture
def recorded(empty: Database) -> Database:
    ana = Operator("Ana", frozenset({"support"}), "sign-in", "192.0.2.7")
    with empty.write() as connection:
        audit.note(connection, ana, "refund.requested", "pay_1", None, {"amount": 1100, "currency": "HKD"})
        audit.note(
            connection, Operator("Ben"), "delivery.tried_again", "7", {"verdict": "not_json"}, {"verdict": "accepted"}
        )
    return empty


def test_the_log_says_who_did_what_from_where(recorded: Database, open_page: Open) -> None:
    test = open_page("audit_log.py")
    assert "The chain is whole: 2 entries" in test.success[0].value
    newest, first = test.dataframe[0].value.to_dict("records")
    assert (newest["who"], newest["action"], newest["change"]) == (
        "Ben",
        "Delivery tried again",
        "verdict: not_json → accepted",
    )
    assert first["change"].replace("\u00a0", " ") == "amount: HKD 11.00"
    assert (first["role"], first["origin"]) == ("Support", "Signed in, 192.0.2.7")


def test_the_log_is_filtered_and_an_empty_one_says_what_will_be_here(recorded: Database, open_page: Open) -> None:
    test = open_page("audit_log.py")
    test.selectbox(key="who").select("Ana").run()
    assert list(test.dataframe[0].value["who"]) == ["Ana"]
    test.text_input(key="subject").input("pay_9").run()
    assert "No such entry" in said(test)


def test_the_first_broken_link_is_named(recorded: Database, open_page: Open) -> None:
    with recorded.write() as connection:
        connection.execute(text("DROP TRIGGER audit_no_update"))
        connection.execute(text("UPDATE audit SET who = 'Nobody' WHERE seq = 2"))
    assert "broken at entry **2**: its content was changed" in open_page("audit_log.py").error[0].value


def test_settings_are_shown_masked_and_with_their_source(
    empty: Database, monkeypatch: pytest.MonkeyPatch, open_page: Open
) -> None:
    monkeypatch.setenv("CHECKOUT_SECRET_KEY", "sk_sbox_" + "s" * 26 + "z")
    monkeypatch.setenv("PUBLIC_URL", "")
    forget_desk()
    screen = open_page("settings.py")
    shown = {}
    told = [cell.value for cell in screen.markdown if "  \n:small[" in cell.value]
    for setting, value in zip(told[::2], told[1::2], strict=True):
        name, meaning = setting.split("  \n")
        shown[name] = (meaning, value)
    assert shown.keys() == {f"`{name.upper()}`" for name in Settings.model_fields}
    assert shown["`CHECKOUT_SECRET_KEY`"] == (
        ":small[Bearer key; needed for Checkout.com.]",
        r"sk\_sbox\_…sssz  " + "\n:small[:gray[from the environment]]",
    )
    assert "default" in shown["`ROLES_CLAIM`"][1]
    assert shown["`PUBLIC_URL`"][1] == ":gray[left empty]  \n:small[:gray[from the environment]]"
    assert shown["`SIGN_IN_METADATA_URL`"][1].startswith(":gray[")


@pytest.mark.parametrize(("page", "role"), [("audit_log.py", "support"), ("settings.py", "finance")])
def test_a_role_that_may_not_is_told_who_may(recorded: Database, open_page: Open, page: str, role: str) -> None:
    test = open_page("overview.py")
    test.selectbox(key="acting_role").select(role)
    test.run().switch_page(page).run()
    assert "Not for your role" in said(test)
    assert not test.dataframe
    assert not test.table


def test_an_entry_reads_as_words() -> None:
    assert entries.change(None, None) == ""
    told = entries.change('{"reason":"damaged"}', '{"closing":2122640}', "KRW 2026-08")
    assert told.replace("\u00a0", " ") == "reason: Damaged or faulty → —; closing: KRW 2,122,640"
    assert entries.change('{"on":false,"TIME_ZONE":""}', '{"on":true,"TIME_ZONE":null,"several_words":[1]}') == (
        "on: no → yes; TIME_ZONE: — → —; several words: [1]"
    )
    identifier = "0123456789abcdef0123456789abcdef"
    assert entries.change(None, f'{{"payments":3000,"seed":3000,"refund":"{identifier}"}}') == (
        "payments: 3,000; seed: 3000; refund: 0123…cdef"
    )


@pytest.mark.parametrize(
    ("action", "subject", "words"),
    [
        ("refund.requested", "pay_6kv6aaaaaaaaaaaaaaaaaaywon", "pay_6kv6…ywon"),
        ("payment.requested", "0123456789abcdef0123456789abcdef", "Key 0123…cdef"),
        ("bulk.uploaded", "0123456789abcdef0123456789abcdef", "File 0123…cdef"),
        ("delivery.tried_again", "12", "Delivery 12"),
        ("settings.changed", "settings", "Settings"),
        ("sample.begun", "sample data", "Sample data"),
        ("theatre.played", "theatre", "Incident theatre"),
        ("sign_in.done", "Mina Park 2026-10-14T13:43:00+00:00", "Sign-in"),
        ("period.closed", "KRW 2026-08", "KRW 2026-08"),
    ],
)
def test_an_entry_says_what_an_id_is_of(action: str, subject: str, words: str) -> None:
    assert entries.subject(action, subject) == words
