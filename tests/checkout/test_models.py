"""Answers read leniently: nothing that Checkout.com adds or leaves out breaks a reader, save a missing id."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.checkout import models
from lib.checkout.answer import Answer
from lib.checkout.errors import UnreadableAnswer


def answer(body: Any, *, method: str = "GET", status: int = 200) -> Answer:
    return Answer(
        status=status,
        request_id="req-1",
        body=body,
        method=method,
        path="/payments",
        sent=None,
        elapsed_ms=1,
        attempts=1,
        received_at=datetime(2026, 3, 2, tzinfo=UTC),
    )


ACCEPTED = {
    "id": "pay_1",
    "status": "Pending",
    "reference": "SEOUL-1",
    "customer": {"id": "cus_1", "email": "minji@example.com", "name": "Kim Minji", "tier": "gold"},
    "source": {"id": "src_1", "type": "kakaopay"},
    "_links": {"self": {"href": "https://internal.example"}, "redirect": {"href": "https://wallet.example/pay?code=1"}},
    "added_next_year": [1, 2],
}

DETAILS = {
    "id": "pay_1",
    "requested_on": "2026-03-02T04:11:09.1234567Z",
    "source": {"type": "kakaopay"},
    "amount": 45000,
    "currency": "KRW",
    "payment_type": "Regular",
    "reference": "SEOUL-1",
    "status": "Partially Refunded",
    "approved": True,
    "balances": {"total_captured": 45000, "total_refunded": 5000, "available_to_refund": 40000},
    "actions": [{"id": "act_1", "type": "Capture", "response_code": "10000"}, {"type": "no id"}, 7],
    "metadata": {"store": "gangnam", "floor": 3},
}


def test_an_accepted_payment() -> None:
    read = models.read(models.PaymentAccepted, answer(ACCEPTED, method="POST", status=202))
    assert (read.id, read.status, read.reference) == ("pay_1", "Pending", "SEOUL-1")
    assert (read.customer.id, read.customer.email, read.customer.name) == ("cus_1", "minji@example.com", "Kim Minji")
    assert (read.source.id, read.source.type) == ("src_1", "kakaopay")
    assert read.redirect_url == "https://wallet.example/pay?code=1"


def test_an_accepted_charge_of_a_stored_source_has_no_redirect() -> None:
    read = models.read(models.PaymentAccepted, answer({"id": "pay_1", "_links": {"self": {"href": "x"}}}))
    assert (read.redirect_url, read.customer.id, read.source.id, read.status) == (None, None, None, None)


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "data:text/html,x", "//wallet.example", "", None, 7, {"a": 1}, "https://a\x00b"]
)
def test_a_redirect_that_no_customer_should_follow_is_left_out(href: Any) -> None:
    body = {**ACCEPTED, "_links": {"redirect": {"href": href}}, "redirect_url": "javascript:alert(2)"}
    assert models.read(models.PaymentAccepted, answer(body)).redirect_url is None


@pytest.mark.parametrize("links", [None, [], "x", {"redirect": "https://x"}, {"redirect": None}])
def test_links_of_another_shape(links: Any) -> None:
    assert models.read(models.PaymentAccepted, answer({**ACCEPTED, "_links": links})).redirect_url is None


def test_payment_details() -> None:
    read = models.read(models.PaymentDetails, answer(DETAILS))
    assert (read.amount, read.currency, read.status, read.approved) == (45000, "KRW", "Partially Refunded", True)
    assert read.requested_on == datetime(2026, 3, 2, 4, 11, 9, 123456, UTC)
    assert read.balances is not None
    assert (read.balances.total_captured, read.balances.available_to_refund) == (45000, 40000)
    assert read.balances.total_voided is None
    assert [action.id for action in read.actions] == ["act_1"]
    assert read.metadata == {"store": "gangnam", "floor": 3}


@pytest.mark.parametrize(
    ("field", "odd", "reads"),
    [
        ("amount", "45000", None),
        ("amount", 450.5, None),
        ("amount", True, None),
        ("amount", -1, None),
        ("amount", 2**63, None),
        ("amount", None, None),
        ("status", 7, None),
        ("status", "Brand New Status", "Brand New Status"),
        ("currency", ["KRW"], None),
        ("reference", "a\x00b", None),
        ("approved", "yes", None),
        ("requested_on", "2023-06-34T00:00:00Z", None),
        ("requested_on", 1685786400, None),
        ("balances", [], None),
        ("balances", "none", None),
        ("actions", {"id": "act_1"}, ()),
        ("metadata", "x", {}),
        ("source", "kakaopay", models.Source()),
        ("customer", None, models.Customer()),
    ],
)
def test_an_optional_field_of_the_wrong_type_reads_as_absent(field: str, odd: Any, reads: Any) -> None:
    read = models.read(models.PaymentDetails, answer({**DETAILS, field: odd}))
    assert getattr(read, field) == reads
    assert read.id == "pay_1"


def test_one_odd_balance_leaves_the_others() -> None:
    body = {**DETAILS, "balances": {"total_captured": 45000, "total_refunded": "many"}}
    balances = models.read(models.PaymentDetails, answer(body)).balances
    assert balances is not None
    assert (balances.total_captured, balances.total_refunded) == (45000, None)


@pytest.mark.parametrize("body", [None, {}, [], {"id": 7}, {"id": None}, "pay_1", {"action_id": ""[:0] or None}])
@pytest.mark.parametrize("model", [models.PaymentAccepted, models.PaymentDetails, models.RefundAccepted])
def test_without_its_id_an_answer_is_unreadable(model: type[models.M], body: Any) -> None:
    with pytest.raises(UnreadableAnswer) as caught:
        models.read(model, answer(body, method="POST", status=202))
    assert (caught.value.acted, caught.value.request_id) == ("unknown", "req-1")
    with pytest.raises(UnreadableAnswer) as caught:
        models.read(model, answer(body))
    assert caught.value.acted == "no"


def test_a_refund_accepted() -> None:
    read = models.read(models.RefundAccepted, answer({"action_id": "act_1"}, method="POST", status=202))
    assert (read.action_id, read.reference) == ("act_1", None)


def test_actions_are_a_bare_array_and_payments_by_reference_a_page() -> None:
    actions = models.read_list(
        models.Action,
        answer([{"id": "act_2", "type": "Refund", "amount": 5000, "processed_on": "2026-03-03T00:00:00Z"}, None, {}]),
    )
    assert [(action.id, action.type, action.amount) for action in actions] == [("act_2", "Refund", 5000)]
    page = models.read_list(
        models.PaymentDetails, answer({"limit": 10, "total_count": 2, "data": [DETAILS, {"id": "pay_0"}]})
    )
    assert [payment.id for payment in page] == ["pay_1", "pay_0"]
    assert models.read_list(models.Action, answer({"data": None})) == ()


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(sorted(models.PaymentDetails.model_fields)), json))
def test_no_body_with_an_id_breaks_a_reader(body: dict[str, Any]) -> None:
    assert models.read(models.PaymentDetails, answer({**body, "id": "pay_1"})).id == "pay_1"
