"""Refunds that wait for a second person, and those that are kept back or tried again, as screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from lib.ledger.database import Database
from lib.ledger.facts import payment_requested
from lib.ledger.queries import refunds_of
from lib.ledger.record import record
from lib.ledger.tables import Refund
from tests.pages.conftest import Open, StandIn, payment, said
from tests.pages.test_payment import ask, refund_key
from tests.support.events import at


@pytest.fixture
def acting(monkeypatch: pytest.MonkeyPatch, filled: Database) -> Callable[[AppTest, str], None]:
    """Lets a session be somebody else's, as the chooser in the menu does. Nobody may refund more than HKD 5 alone."""
    monkeypatch.setenv("OPERATOR_NAME", "Ana, Ben")
    monkeypatch.setenv("REFUND_LIMITS", "support HKD 5, approver HKD 5, admin HKD 5")

    def act(test: AppTest, name: str) -> None:
        test.session_state["acting_name"] = name
        test.run()

    return act


def wait_for_approval(open_page: Open, database: Database, amount: str = "25.00") -> Refund:
    test = open_page("payment.py", id=payment(2))
    key = ask(test, 2, amount)
    assert "second person" in said(test)
    test.button(key=f"sure_{key}").click().run()
    assert "once a second person agrees by" in said(test)
    return next(refund for refund in refunds_of(database, payment(2)) if refund.key == key)


def test_without_limits_the_empty_queue_says_how_to_set_them(empty: Database, open_page: Open) -> None:
    assert "REFUND_LIMITS" in said(open_page("approvals.py"))


def test_above_the_limit_somebody_else_approves(
    filled: Database, checkout: StandIn, open_page: Open, acting: Callable[[AppTest, str], None]
) -> None:
    refund = wait_for_approval(open_page, filled)
    assert checkout.asked == []
    queue = open_page("approvals.py")
    assert "You asked for this one" in said(queue)
    with pytest.raises(KeyError):
        queue.button(key=f"approve_{refund.key}")
    acting(queue, "Ben")
    assert "minji.kim@example.com" in said(queue)
    queue.button(key=f"approve_{refund.key}").click().run()
    assert [key for _, key, _ in checkout.asked] == [refund.key]
    assert "Nothing waits for approval" in said(queue)
    assert "approved by Ben" in " ".join(open_page("payment.py", id=payment(2)).table[0].value["Entry"])


def test_a_rejection_needs_a_reason_which_the_asker_reads(
    filled: Database, open_page: Open, acting: Callable[[AppTest, str], None]
) -> None:
    refund = wait_for_approval(open_page, filled)
    queue = open_page("approvals.py")
    acting(queue, "Ben")
    queue.button(key=f"reject_{refund.key}").click().run()
    assert "Say why" in queue.error[0].value
    queue.text_input(key=f"why_{refund.key}").set_value("No receipt").run()
    queue.button(key=f"reject_{refund.key}").click().run()
    assert "Rejected by Ben: No receipt" in " ".join(open_page("payment.py", id=payment(2)).table[0].value["Entry"])


def test_the_asker_withdraws(
    filled: Database, checkout: StandIn, open_page: Open, acting: Callable[[AppTest, str], None]
) -> None:
    refund = wait_for_approval(open_page, filled)
    test = open_page("payment.py", id=payment(2))
    test.button(key=f"cancel_{refund.key}").click().run()
    assert checkout.asked == []
    assert "Cancelled by Ana" in " ".join(test.table[0].value["Entry"])


def test_a_refund_is_kept_back_and_cancelled(
    filled: Database, checkout: StandIn, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFUND_HOLD_SECONDS", "200")
    test = open_page("payment.py", id=payment(2))
    key = ask(test, 2, "10")
    assert "kept back for 200 s" in said(test)
    test.button(key=f"sure_{key}").click().run()
    assert "is sent in" in said(test)
    later = open_page("payment.py", id=payment(2))
    later.button(key=f"cancel_{key}").click().run()
    assert checkout.asked == []
    assert "is sent in" not in said(later)


def test_a_refused_refund_is_tried_again_as_it_was(filled: Database, checkout: StandIn, open_page: Open) -> None:
    checkout.answers = [(422, {"error_type": "processing_error", "error_codes": ["refund_amount_exceeds_balance"]})]
    test = open_page("payment.py", id=payment(2))
    first = ask(test, 2, "10")
    test.button(key=f"sure_{first}").click().run()
    test.button(key=f"again_{first}").click().run()
    second = refund_key(test, 2)
    assert test.text_input(key=f"amount_{second}").value == "10.00"
    test.button(key=f"ask_{second}").click().run()
    test.button(key=f"sure_{second}").click().run()
    by_key = {refund.key: refund for refund in refunds_of(filled, payment(2))}
    assert (by_key[second].retry_of, by_key[second].status) == (first, "pending")
    entries = " ".join(test.table[0].value["Entry"])
    assert "tries again what was asked for" in entries
    assert "tried again just now" in entries
    with pytest.raises(KeyError):
        test.button(key=f"again_{first}")


def test_order_lines_are_chosen_and_the_amount_follows(filled: Database, checkout: StandIn, open_page: Open) -> None:
    items = [{"name": "Cup", "unit_price": 1000, "quantity": 3}, {"name": "Pot", "unit_price": 4000, "quantity": 1}]
    request = {"amount": 10000, "currency": "HKD", "items": items}
    record(filled, [payment_requested("key", payment(2), "Ana", request, at(0))])
    test = open_page("payment.py", id=payment(2))
    key = refund_key(test, 2)
    test.segmented_control(key=f"mode_{key}").set_value("Order lines").run()
    assert test.button(key=f"ask_{key}").disabled
    test.number_input(key=f"line_0_{key}").set_value(2).run()
    assert "Sends 2000 = HKD 20.00" in said(test)
    test.button(key=f"ask_{key}").click().run()
    test.button(key=f"sure_{key}").click().run()
    assert checkout.asked[0][2]["amount"] == 2000
    test.button(key=f"another_{key}").click().run()
    key = refund_key(test, 2)
    test.segmented_control(key=f"mode_{key}").set_value("Order lines").run()
    assert test.number_input(key=f"line_0_{key}").max == 1
    assert "2 × Cup" in " ".join(test.table[0].value["Entry"])
