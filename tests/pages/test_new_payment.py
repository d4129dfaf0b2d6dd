"""The form of a new payment, and the link with its code."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from lib.ledger.database import Database
from lib.ledger.facts import from_webhook
from lib.ledger.queries import find_payment
from lib.ledger.record import record
from tests.pages.conftest import Open, StandIn, said
from tests.support.events import NOON, event


def example(test: AppTest) -> Button:
    return next(button for button in test.button if button.label == "Tea set in Seoul")


def send(test: AppTest) -> Button:
    """The button of the form that is open now."""
    return test.button(key=f"new_send_{test.session_state['new_payment_key']}")


def preview(test: AppTest) -> dict[str, object]:
    return dict(json.loads(test.json[0].value))


def test_the_form_shows_the_request_it_will_send(empty: Database, open_page: Open) -> None:
    test = open_page("new_payment.py")
    assert not test.exception
    body = preview(test)
    assert body["amount"] == 1100
    assert body["source"] == {"type": "kakaopay"}
    assert body["processing"] == {"terminal_type": "APP", "os_type": "IOS"}
    assert body["success_url"] == f"http://127.0.0.1:8501/payment?reference={body['reference']}"
    assert "Sends 1100 = HKD 11.00" in said(test)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("new_amount", "0", "more than zero"),
        ("new_amount", "-5", "minus sign"),
        ("new_amount", "1.001", "HKD has 2 decimals"),
        ("new_amount", "99999999999", "at most nine digits"),
        ("new_amount", "eleven", "is not an amount"),
        ("new_reference", "", "Enter a reference"),
        ("new_customer_email", "nobody", "not an e-mail address"),
        ("new_success_url", "javascript:alert(1)", "https://"),
    ],
)
def test_what_cannot_be_sent_is_explained_beside_its_field_and_not_sent(
    checkout: StandIn, open_page: Open, field: str, value: str, sentence: str
) -> None:
    test = open_page("new_payment.py")
    test.text_input(key=field).set_value(value).run()
    assert sentence in said(test)
    send(test).click().run()
    assert "Not sent yet" in said(test)
    assert ("also under Items and return addresses" in said(test)) == (field == "new_success_url")
    assert checkout.asked == []


def test_the_phone_system_is_asked_for_only_where_it_matters(empty: Database, open_page: Open) -> None:
    test = open_page("new_payment.py")
    test.segmented_control(key="new_terminal_type").set_value("WEB").run()
    assert "os_type" not in preview(test)["processing"]  # type: ignore[operator]
    with pytest.raises(KeyError):
        test.segmented_control(key="new_os_type")
    test.segmented_control(key="new_terminal_type").set_value("WAP").run()
    assert preview(test)["processing"] == {"terminal_type": "WAP", "os_type": "IOS"}


def test_an_example_fills_the_form(empty: Database, open_page: Open) -> None:
    test = open_page("new_payment.py")
    example(test).click().run()
    body = preview(test)
    assert (body["amount"], body["currency"], body["shipping"]) == (45000, "KRW", {"address": {"country": "KR"}})
    assert "Sends 45000 = KRW 45,000" in said(test)


def test_an_example_is_not_written_over_what_is_typed_after(empty: Database, open_page: Open) -> None:
    test = open_page("new_payment.py")
    example(test).click().run()
    test.text_input(key="new_amount").set_value("46000").run()
    assert test.text_input(key="new_amount").value == "46000"


def test_won_have_no_decimals(empty: Database, open_page: Open) -> None:
    test = open_page("new_payment.py")
    test.selectbox(key="new_currency").set_value("KRW").run()
    assert "KRW has no decimals" in said(test)


def test_sending_leads_to_the_link_and_survives_a_reload(checkout: StandIn, empty: Database, open_page: Open) -> None:
    test = open_page("new_payment.py")
    expected = preview(test)
    send(test).click().run()
    assert not test.exception
    key = test.query_params["key"]
    [(path, sent_key, body)] = checkout.asked
    assert (path, sent_key, body) == ("/payments", key, expected)
    again = open_page("new_payment.py", key=key)
    assert again.get("link_button")[0].proto.url == "https://wallet.example/1?code=1"
    assert "https://wallet.example/1?code=1" in said(again)
    assert "Select **Pay Now**." in said(again)
    assert "Answered `202`" in said(again)
    assert len(checkout.asked) == 1


def test_a_late_second_click_cannot_press_the_button_of_the_next_form(
    checkout: StandIn, empty: Database, open_page: Open
) -> None:
    test = open_page("new_payment.py")
    used = send(test).key
    send(test).click().run()
    with pytest.raises(KeyError):
        test.button(key=used)
    test.query_params.clear()  # as when the click was on its way before the address had changed
    test.run()
    assert send(test).key != used
    assert len(checkout.asked) == 1


def test_the_result_changes_when_the_customer_pays(checkout: StandIn, empty: Database, open_page: Open) -> None:
    test = open_page("new_payment.py")
    send(test).click().run()
    key = test.query_params["key"]
    paid = event("payment_captured", 1, NOON, id="pay_made1", action_id="act_1", amount=1100, currency="HKD")
    record(empty, [from_webhook(paid, NOON)])
    test.run()
    assert "Paid" in said(test)
    assert not test.get("link_button")
    assert test.query_params["key"] == key


def test_a_refusal_is_explained_and_can_be_corrected(checkout: StandIn, empty: Database, open_page: Open) -> None:
    checkout.answers = [(422, {"error_type": "invalid_request", "error_codes": ["currency_not_supported"]})]
    test = open_page("new_payment.py")
    test.text_input(key="new_customer_name").set_value("Kim Minji").run()
    reference = test.text_input(key="new_reference").value
    send(test).click().run()
    first = test.query_params["key"]
    assert "Refused" in said(test)
    assert "No payment was made" in said(test)
    reloaded = open_page("new_payment.py", key=first)
    reloaded.button(key="correct").click().run()
    assert reloaded.text_input(key="new_reference").value == reference
    assert reloaded.text_input(key="new_customer_name").value == "Kim Minji"
    send(reloaded).click().run()
    assert reloaded.query_params["key"] != first
    assert find_payment(empty, "pay_made2") is not None


def test_an_unclear_answer_is_not_called_a_failure(
    checkout: StandIn, empty: Database, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lib.checkout.line.time.sleep", lambda _: None, raising=False)
    checkout.answers = [(500, {})] * 9
    test = open_page("new_payment.py")
    send(test).click().run(timeout=60)
    assert "has not answered yet" in said(test)
    assert {key for _, key, _ in checkout.asked} == {test.query_params["key"]}


def test_starting_again_proposes_the_same_under_a_new_reference(
    checkout: StandIn, empty: Database, open_page: Open
) -> None:
    test = open_page("new_payment.py")
    test.text_input(key="new_amount").set_value("25.50").run()
    reference = test.text_input(key="new_reference").value
    send(test).click().run()
    test.button(key="start_again").click().run()
    assert test.text_input(key="new_amount").value == "25.50"
    assert test.text_input(key="new_reference").value != reference
    assert "key" not in test.query_params
    send(test).click().run()
    assert len({key for _, key, _ in checkout.asked}) == 2


def test_an_unknown_key_in_the_address_opens_an_empty_form(empty: Database, open_page: Open) -> None:
    test = open_page("new_payment.py", key="nonsense")
    assert "No payment was sent under this address" in said(test)
    assert preview(test)["amount"] == 1100


def test_items_are_sent_as_typed_and_come_back_when_corrected(
    checkout: StandIn, empty: Database, open_page: Open
) -> None:
    checkout.answers = [(422, {"error_type": "invalid_request", "error_codes": ["amount_invalid"]})]
    test = open_page("new_payment.py")
    for _ in range(2):
        test.button(key="new_add").click().run()
    assert "Item 1 has no name" in said(test)
    test.text_input(key="new_item_1_name").set_value("Tea set").run()
    test.text_input(key="new_item_1_unit_price").set_value("0.10").run()
    test.button(key="new_remove_2").click().run()
    assert preview(test)["items"] == [{"name": "Tea set", "unit_price": 10, "quantity": 1}]
    send(test).click().run()
    test.button(key="correct").click().run()
    assert preview(test)["items"] == [{"name": "Tea set", "unit_price": 10, "quantity": 1}]
