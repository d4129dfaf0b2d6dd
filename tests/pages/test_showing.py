"""The screens for an audience, without a browser: rights, refusals, where they stand, and the help."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lib import catalog, phone
from lib.ledger.database import Database
from lib.ledger.queries import find_payment
from lib.phone import Check
from pages.parts import customer_state
from tests.pages.conftest import Open, StandIn, payment, said


def test_showing_asks_for_a_payment_once_and_goes_on_in_the_address(
    checkout: StandIn, empty: Database, open_page: Open
) -> None:
    test = open_page("present.py")
    assert "Step 1 of 6" in said(test)
    key = test.query_params["key"]
    test.button(key="on").click().run()
    assert not test.exception
    assert test.query_params["slide"] == "2"
    assert test.query_params["key"] == key
    assert [(path, asked) for path, asked, _ in checkout.asked] == [("/payments", key)]

    again = open_page("present.py", slide="2", key=key)
    assert "Step 2 of 6" in said(again)
    assert "The customer has not decided yet." in [header.value for header in again.header]
    assert len(checkout.asked) == 1


def test_a_refused_request_is_said_and_begun_again(checkout: StandIn, empty: Database, open_page: Open) -> None:
    checkout.answers = [(422, {"error_type": "request_invalid", "error_codes": ["payee_not_onboarded"]})]
    test = open_page("present.py")
    test.button(key="on").click().run()
    assert test.error
    test.button(key="begin_again_instead").click().run()
    assert not test.error
    assert test.button(key="on")


def test_an_address_names_the_step_and_none_goes_without_what_it_needs(empty: Database, open_page: Open) -> None:
    test = open_page("present.py")
    for step in "23456":
        test.query_params["slide"] = step
        test.run()
        assert not test.exception
        assert "Nothing has been asked for yet" in said(test)
    for nonsense in ("0", "7", "two", "²", ""):
        test.query_params["slide"] = nonsense
        test.run()
        assert "Step 1 of 6" in said(test)


@pytest.mark.parametrize(("page", "role"), [("present.py", "approver"), ("phone.py", "viewer")])
def test_whoever_may_not_ask_for_payments_is_told_who_may(
    empty: Database, open_page: Open, page: str, role: str
) -> None:
    test = open_page(page)
    test.selectbox(key="acting_role").select(role).run()
    assert "Not for your role" in said(test)
    assert not [button for button in test.button if "Ask for it" in button.label or "Create" in button.label]


def test_a_phone_is_refused_a_code_that_names_this_machine_and_told_the_command(
    empty: Database, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.lan.addresses", lambda: ("192.168.1.20", "10.0.0.5"))
    test = open_page("phone.py")
    assert not test.exception
    assert "A phone cannot pay here yet" in said(test)
    assert phone.start_command("192.168.1.20", 8501) in said(test)
    test.segmented_control(key="address").set_value("10.0.0.5").run()
    assert phone.start_command("10.0.0.5", 8501) in said(test)
    assert not test.get("image")


def test_without_a_network_the_next_step_is_to_join_one(
    empty: Database, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.lan.addresses", tuple)
    assert "Join the Wi-Fi" in said(open_page("phone.py"))


def test_a_link_that_names_this_machine_gets_no_code_even_when_asked_for_before(
    empty: Database, checkout: StandIn, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone, "refusal", lambda _url: None)
    test = open_page("phone.py")
    [create] = [button for button in test.button if "Create a test payment" in button.label]
    create.click().run()
    assert len(test.get("image")) == 2
    monkeypatch.setattr(phone, "refusal", lambda _url: "It names this machine.")
    test.run()
    assert "No QR code: It names this machine." in said(test)
    assert len(test.get("image")) == 1


def test_all_is_checked_before_a_payment_is_made(
    empty: Database, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        phone, "checks", lambda _settings: [Check("It is set"), Check("It answers", "Nothing listens.")]
    )
    assert "Nothing listens." in said(open_page("phone.py"))
    monkeypatch.setattr(phone, "checks", lambda _settings: [Check("It is set"), Check("It answers")])
    assert "Ready for a phone" in said(open_page("phone.py"))


def test_help_explains_every_word_and_finds_some(empty: Database, open_page: Open) -> None:
    test = open_page("help.py")
    assert not test.exception
    for term in catalog.glossary():
        assert term.word in said(test)
    test.text_input(key="help_word").set_value("IDEMPOT").run()
    assert "Idempotency key" in said(test)
    assert "Holding currency" not in said(test)
    test.text_input(key="help_word").set_value("zebra").run()
    assert "No such word here" in said(test)


def test_help_has_the_whole_test_matrix(empty: Database, open_page: Open) -> None:
    text = said(open_page("help.py"))
    for steps in catalog.kakaopay().test_steps:
        assert f"{steps.device}**, terminal type `{steps.terminal_type}`" in text
    for place in ("Australia", "EU countries", "Hong Kong", "Singapore", "United Kingdom"):
        assert place in text


@pytest.mark.parametrize(
    ("number", "word"), [(2, "Paid"), (4, "Paid"), (5, "Declined"), (6, "Expired"), (7, "Not paid"), (8, "Paid")]
)
def test_the_word_across_the_room_is_what_the_ledger_knows(filled: Database, number: int, word: str) -> None:
    found = find_payment(filled, payment(number))
    assert found
    assert customer_state.state_of(found).word == word


def test_the_time_left_runs_to_the_stored_expiry(filled: Database) -> None:
    found = find_payment(filled, payment(1))
    assert found
    found.expires_at = datetime.now(UTC) + timedelta(minutes=3)
    left, share = customer_state.time_left(found)
    assert timedelta(minutes=2) < left <= timedelta(minutes=3)
    assert 0 < share < 1
    found.expires_at = datetime.now(UTC) - timedelta(minutes=3)
    assert customer_state.time_left(found) == (timedelta(0), 0)
    assert "The time is over" in customer_state.time_words(timedelta(0))
