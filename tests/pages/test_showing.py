"""The screens for an audience, without a browser: rights, refusals, where they stand, and the help."""

from __future__ import annotations

import pytest

from lib import catalog, phone
from lib.ledger.database import Database
from lib.phone import Check
from tests.pages.conftest import Open, StandIn, said


def test_showing_asks_for_a_payment_once_and_goes_on_in_the_address(
    checkout: StandIn, empty: Database, open_page: Open
) -> None:
    test = open_page("present.py")
    assert "Step 1 of 6" in said(test)
    key = test.query_params["key"]
    test.button(key="on_1_send").click().run()
    assert not test.exception
    assert test.query_params["slide"] == "2"
    assert test.query_params["key"] == key
    assert [(path, asked) for path, asked, _ in checkout.asked] == [("/payments", key)]

    again = open_page("present.py", slide="2", key=key)
    assert "Step 2 of 6" in said(again)
    assert "The customer has not decided yet." in [header.value for header in again.header]
    assert len(checkout.asked) == 1


@pytest.mark.parametrize("step", ["2", "3", "4", "5", "6"])
def test_a_step_before_anything_was_asked_for_says_where_to_begin(empty: Database, open_page: Open, step: str) -> None:
    test = open_page("present.py", slide=step)
    assert not test.exception
    assert "Nothing has been asked for yet" in said(test)


@pytest.mark.parametrize("step", ["0", "7", "two", "²", ""])
def test_an_address_that_names_no_step_is_the_first(empty: Database, open_page: Open, step: str) -> None:
    assert "Step 1 of 6" in said(open_page("present.py", slide=step))


@pytest.mark.parametrize("page", ["present.py", "phone.py"])
def test_whoever_may_not_ask_for_payments_is_told_who_may(empty: Database, open_page: Open, page: str) -> None:
    test = open_page(page)
    test.selectbox(key="acting_role").select("viewer").run()
    assert "Not for your role" in said(test)
    assert not [button for button in test.button if "Ask for it" in button.label or "Create" in button.label]


def test_an_approver_may_refund_but_not_ask(empty: Database, open_page: Open) -> None:
    test = open_page("present.py")
    test.selectbox(key="acting_role").select("approver").run()
    assert "Not for your role" in said(test)


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
