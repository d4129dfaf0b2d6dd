"""The screen of one payment, and refunding on it."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from lib.ledger.database import Database
from lib.ledger.deliveries import Incoming, receive
from lib.ledger.facts import from_webhook
from lib.ledger.queries import find_payment, find_payment_by_reference, refunds_of
from lib.ledger.record import record
from lib.settings import load
from tests.pages.conftest import Open, StandIn, charts, payment, said
from tests.support.events import NOON, at, event


def refund_key(test: AppTest, number: int) -> str:
    return str(test.session_state[f"refund_key_{payment(number)}"])


def ask(test: AppTest, number: int, amount: str) -> str:
    """Fill in the refund form and open its confirmation."""
    key = refund_key(test, number)
    test.text_input(key=f"amount_{key}").set_value(amount).run()
    test.button(key=f"ask_{key}").click().run()
    return key


def test_an_unknown_payment_leads_to_the_list(empty: Database, open_page: Open) -> None:
    for query in ({}, {"id": "pay_nothing"}, {"reference": "nothing"}):
        test = open_page("payment.py", **query)
        assert not test.exception
        assert test.page_link[0].value == "Go to Payments"


@pytest.mark.parametrize("number", range(1, 10))
def test_every_kind_of_payment_opens(filled: Database, open_page: Open, number: int) -> None:
    test = open_page("payment.py", id=payment(number))
    assert not test.exception
    assert not test.error
    assert payment(number) in said(test)


def test_the_wallet_leads_back_by_reference(filled: Database, open_page: Open) -> None:
    assert payment(4) in said(open_page("payment.py", reference="ORD-0004"))


def test_the_account_adds_up(filled: Database, open_page: Open) -> None:
    test = open_page("payment.py", id=payment(3))
    figures = {metric.label.split("] ")[-1].split("} ")[-1]: metric.value for metric in test.metric}
    assert figures == {"Captured": "45,000", "Refunded": "5,000", "On its way": "10,000", "Remaining": "30,000"}
    entries = test.table[0].value["Amount"]
    assert list(entries) == [45000, -5000, -10000, 30000]
    assert sum(entries[:-1]) == entries.iloc[-1]
    [account] = charts(test)
    assert [bar.x[0] for bar in account.data] == [5000, 10000, 30000]


def test_a_refund_that_did_not_move_is_listed_but_not_counted(filled: Database, open_page: Open) -> None:
    test = open_page("payment.py", id=payment(9))
    assert "do not count" in said(test)
    assert {metric.value for metric in test.metric} == {"100.00", "0.00"}


def test_what_a_person_should_look_at_is_said_in_words(filled: Database, open_page: Open) -> None:
    [warning] = open_page("payment.py", id=payment(8)).warning
    assert "ended unpaid and that it was captured" in warning.value


def test_a_decline_is_explained(filled: Database, open_page: Open) -> None:
    test = open_page("payment.py", id=payment(5))
    assert "not enough money" in said(test)
    assert not test.metric


def test_nothing_is_offered_that_kakaopay_does_not_have(filled: Database, open_page: Open) -> None:
    labels = " ".join(button.label for button in open_page("payment.py", id=payment(2)).button)
    assert not any(word in labels for word in ("Capture", "Void", "Dispute"))


def test_a_refund_is_asked_for_once_and_the_form_gives_way(
    filled: Database, checkout: StandIn, open_page: Open
) -> None:
    test = open_page("payment.py", id=payment(2))
    key = ask(test, 2, "25.00")
    assert "minji.kim@example.com" in said(test)
    assert checkout.asked == []
    test.button(key=f"sure_{key}").click().run()
    [(path, sent_key, body)] = checkout.asked
    assert (path, sent_key, body["amount"]) == (f"/payments/{payment(2)}/refunds", key, 2500)
    assert "Tell the customer" in said(test)
    with pytest.raises(KeyError):
        test.button(key=f"ask_{key}")
    mine = [refund for refund in refunds_of(filled, payment(2)) if refund.key == key]
    assert [(refund.amount, refund.status, refund.requested_by) for refund in mine] == [(2500, "pending", "Ana")]


def test_another_refund_is_another_intent(filled: Database, checkout: StandIn, open_page: Open) -> None:
    test = open_page("payment.py", id=payment(2))
    first = ask(test, 2, "10")
    test.button(key=f"sure_{first}").click().run()
    test.button(key=f"another_{first}").click().run()
    second = ask(test, 2, "10")
    test.button(key=f"sure_{second}").click().run()
    assert [key for _, key, _ in checkout.asked] == [first, second]
    assert first != second


def test_keeping_it_sends_nothing_and_keeps_the_form(filled: Database, checkout: StandIn, open_page: Open) -> None:
    test = open_page("payment.py", id=payment(2))
    key = ask(test, 2, "10")
    test.button(key=f"keep_{key}").click().run()
    assert checkout.asked == []
    assert test.text_input(key=f"amount_{key}").value == "10"


def test_two_people_with_the_same_figures_before_them(filled: Database, checkout: StandIn, open_page: Open) -> None:
    ana, ben = open_page("payment.py", id=payment(2)), open_page("payment.py", id=payment(2))
    first, second = ask(ana, 2, "60"), ask(ben, 2, "60")
    ana.button(key=f"sure_{first}").click().run()
    ben.button(key=f"sure_{second}").click().run()
    assert [key for _, key, _ in checkout.asked] == [first]
    assert "meanwhile" in said(ben)
    row = find_payment(filled, payment(2))
    assert row is not None
    assert row.refundable.minor == 10000 - 3000 - 6000


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        ("70.01", "Only HKD 70.00 is left"),
        ("0", "more than zero"),
        ("1.001", "HKD has 2 decimals"),
        ("x", "not an amount"),
    ],
)
def test_what_cannot_be_refunded_is_said_beside_the_field(
    filled: Database, open_page: Open, amount: str, sentence: str
) -> None:
    test = open_page("payment.py", id=payment(2))
    key = refund_key(test, 2)
    test.text_input(key=f"amount_{key}").set_value(amount).run()
    assert sentence in said(test)
    assert test.button(key=f"ask_{key}").disabled


def test_a_share_fills_in_the_amount_and_typing_lets_go_of_it(filled: Database, open_page: Open) -> None:
    test = open_page("payment.py", id=payment(2))
    key = refund_key(test, 2)
    shares(test).set_value("25%").run()
    assert test.text_input(key=f"amount_{key}").value == "17.50"
    test.text_input(key=f"amount_{key}").set_value("20").run()
    assert shares(test).value is None
    shares(test).set_value("50%").run()
    assert test.text_input(key=f"amount_{key}").value == "35.00"


def test_a_share_let_go_of_is_not_written_over_what_is_typed(filled: Database, open_page: Open) -> None:
    test = open_page("payment.py", id=payment(2))
    shares(test).set_value("25%").run()
    shares(test).set_value("25%")
    amount = test.text_input(key=f"amount_{refund_key(test, 2)}")
    amount.set_value("2").run()
    amount.set_value("20").run()  # sends all that the screen before showed: the share was still chosen there
    assert test.text_input(key=amount.key).value == "20"
    assert shares(test).value is None


def shares(test: AppTest) -> Any:
    """The choice of shares of what is left."""
    [choice] = [each for each in test.segmented_control if each.key and each.key.startswith("share_")]
    return choice


def test_a_refused_refund_says_why_and_gives_the_amount_back(
    filled: Database, checkout: StandIn, open_page: Open
) -> None:
    checkout.answers = [(422, {"error_type": "processing_error", "error_codes": ["refund_amount_exceeds_balance"]})]
    test = open_page("payment.py", id=payment(2))
    key = ask(test, 2, "10")
    test.button(key=f"sure_{key}").click().run()
    assert "Checkout.com refused the request" in said(test)
    row = find_payment(filled, payment(2))
    assert row is not None
    assert row.refundable.minor == 7000


def test_a_fully_refunded_payment_has_no_form(filled: Database, open_page: Open) -> None:
    test = open_page("payment.py", id=payment(4))
    assert "Nothing is left to refund" in said(test)


def test_a_stored_source_is_charged_once_a_form(filled: Database, checkout: StandIn, open_page: Open) -> None:
    form = open_page("new_payment.py")
    form.segmented_control(key="new_payment_type").set_value("Recurring").run()
    form.button(key=f"new_send_{form.session_state['new_payment_key']}").click().run()
    paid = event("payment_captured", 77, NOON, id="pay_made1", action_id="act_1", amount=1100, currency="HKD")
    record(filled, [from_webhook(paid, NOON)])
    test = open_page("payment.py", id="pay_made1")
    key = test.session_state["charge_key_pay_made1"]
    test.text_input(key=f"charge_{key}").set_value("4.40").run()
    test.button(key=f"charge_now_{key}").click().run()
    [_, (path, sent_key, body)] = checkout.asked
    assert (path, sent_key) == ("/payments", key)
    assert (body["amount"], body["source"]) == (440, {"type": "id", "id": "src_stored"})
    assert find_payment_by_reference(filled, body["reference"]) is not None
    with pytest.raises(KeyError):
        test.button(key=f"charge_now_{key}")


def axis(test: AppTest) -> list[str]:
    """The labels of the timeline's entries, the latest first, in plain letters."""
    return [" ".join(entry.label.replace("\\", "").split()) for entry in test.expander]


def happened(database: Database, *raws: tuple[bytes, int]) -> None:
    """Webhooks, each with the seconds after noon at which it came."""
    deliveries = [
        Incoming(raw=raw, received_at=at(seconds), signature=None, sender=None, size=len(raw), key_index=0)
        for raw, seconds in raws
    ]
    receive(database, deliveries)


def test_the_axis_says_what_each_entry_changed_and_what_was_late(empty: Database, open_page: Open) -> None:
    details = {"id": "pay_1", "currency": "HKD", "amount": 10000}
    pending = event("payment_pending", 1, at(0), **details)
    captured = event("payment_captured", 2, at(20), action_id="act_c", **details)
    happened(empty, (pending, 1), (captured, 260), (captured, 300))
    late, started = axis(open_page("payment.py", id="pay_1"))
    assert "**Webhook** the payment was captured · captured HKD 100.00; status Pending → Captured" in late
    assert "4 min late" in late
    assert "a repeat" in late
    assert "a new payment of HKD 100.00, Pending" in started


def test_a_call_can_be_repeated_from_a_terminal_without_its_secret(
    filled: Database, checkout: StandIn, open_page: Open
) -> None:
    test = open_page("payment.py", id=payment(2))
    key = ask(test, 2, "25.00")
    test.button(key=f"sure_{key}").click().run()
    [command] = [code.value for code in test.code if code.value.startswith("curl")]
    assert shlex.split(command)[-1] == json.dumps(checkout.asked[0][2])
    assert key in command
    everything = " ".join([said(test), *axis(test), *(str(body.value) for body in test.json)])
    assert load().secret_key not in everything


def test_the_sentence_for_the_customer_is_there_in_both_languages(filled: Database, open_page: Open) -> None:
    test = open_page("payment.py", id=payment(9), part="Customer")
    english, korean = [code.value for code in test.code if code.value != payment(9)]
    assert english.startswith("KakaoPay could not process your refund of HKD 25.00 for order ORD-0009.")
    assert korean.startswith("주문 ORD-0009의 25.00 홍콩달러 환불이 카카오페이에서 처리되지 않았습니다.")


def test_the_other_payments_of_the_customer(filled: Database, open_page: Open) -> None:
    same = {"id": "pay_other", "currency": "KRW", "amount": 5000, "reference": "ORD-77"}
    record(
        filled,
        [from_webhook(event("payment_pending", 77, NOON, customer={"email": "MINJI.KIM@example.com"}, **same), NOON)],
    )
    test = open_page("payment.py", id=payment(2), part="Customer")
    assert "1 other payment" in said(test)
    [others] = [table.value for table in test.table if "Status" in table.value]
    assert "ORD" in others["Payment"].iloc[0]
    assert "payment?id=pay_other" in others["Payment"].iloc[0]


def test_a_note_is_written_once_and_stands_beside_the_head_and_on_the_axis(filled: Database, open_page: Open) -> None:
    test = open_page("payment.py", id=payment(2), part="Notes")
    key = test.session_state[f"note_key_{payment(2)}"]
    test.text_area(key=f"new_note_{key}").set_value("Call back *Monday*")
    test.button(key=f"add_note_{key}").click().run()
    assert not test.exception
    assert "Ana just now: Call back *Monday*" in said(test).replace("**", "")
    assert test.session_state[f"note_key_{payment(2)}"] != key
    again = open_page("payment.py", id=payment(2))
    assert any("Ana** wrote: Call back *Monday*" in entry for entry in axis(again))


def test_a_note_without_words_says_so(filled: Database, open_page: Open) -> None:
    test = open_page("payment.py", id=payment(2), part="Notes")
    test.button(key=f"add_note_{test.session_state[f'note_key_{payment(2)}']}").click().run()
    assert [error.value for error in test.error] == ["Write something first\\."]


def test_asking_says_in_words_why_nothing_was_learned(filled: Database, open_page: Open) -> None:
    test = open_page("payment.py", id=payment(2))
    test.button(key="ask_now").click().run()
    [error] = test.error
    assert "could not be reached" in error.value


def test_a_long_history_comes_in_pages_and_few_queries(empty: Database, open_page: Open) -> None:
    details = {"id": "pay_1", "currency": "HKD"}
    raws = [(event("payment_captured", "c", at(0), amount=10**6, action_id="act_c", **details), 0)]
    for number in range(150):
        refund = {"amount": 100, "action_id": f"act_{number}", **details}
        raws.append((event("payment_refund_pending", f"p{number}", at(100 + number), **refund), 100 + number))
        raws.append((event("payment_refunded", f"r{number}", at(100.5 + number), **refund), 101 + number))
    happened(empty, *raws)
    test = open_page("payment.py", id="pay_1")
    asked: list[str] = []

    def note(*said: Any) -> None:
        asked.append(said[2])

    sqlalchemy.event.listen(Engine, "before_cursor_execute", note)
    test.run()
    sqlalchemy.event.remove(Engine, "before_cursor_execute", note)
    assert len(test.expander) == 25
    entries = test.table[0].value["Amount"]
    assert list(entries[:3]) == [10**6, -13800, -100]
    assert sum(entries[:-1]) == entries.iloc[-1] == 10**6 - 15000
    assert sum(query.startswith("SELECT") for query in asked) < 12
    test.session_state["timeline_page_pay_1"] = 13
    test.run()
    assert "payment was captured" in axis(test)[-1]
