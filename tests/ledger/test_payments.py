"""Asking for a payment: what the form refuses, what is sent, and what becomes of no answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from lib import catalog
from lib.ledger import payments, queries
from lib.ledger.customers import chain_of
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.drafts import BadDraft, ItemDraft, PaymentDraft, new_reference
from lib.ledger.record import record
from lib.money import Money
from lib.operators import Operator
from lib.settings import Settings
from tests.support.events import balances, webhook
from tests.support.provider import desk_with

ANA = Operator("Ana")
SETTINGS = Settings(_env_file=None)  # type: ignore[call-arg]
DRAFT = PaymentDraft(
    amount="11.00",
    currency="HKD",
    reference="ORD-1",
    customer_email="ana@example.com",
    country="GB",
    items=(ItemDraft(name="Tea", unit_price="5.50", quantity="2"),),
    success_url="https://shop.example/ok",
    failure_url="https://shop.example/no",
)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"amount": "0"}, "amount", "more than zero"),
        ({"amount": "-5"}, "amount", "minus sign"),
        ({"amount": "1.234"}, "amount", "2 decimals"),
        ({"amount": ""}, "amount", "Enter an amount"),
        ({"amount": "12345678.90"}, "amount", "nine digits"),
        ({"amount": "100.5", "currency": "KRW"}, "amount", "no decimals"),
        ({"amount": "49", "currency": "KRW"}, "amount", "no less than KRW\u00a050"),
        ({"amount": "2000001", "currency": "KRW"}, "amount", "no more than"),
        ({"currency": "USD"}, "currency", "not offered in USD"),
        ({"currency": ""}, "currency", "no currency"),
        ({"reference": " "}, "reference", "without one"),
        ({"reference": "x" * 51}, "reference", "50 characters"),
        ({"terminal_type": "APP"}, "os_type", "Android or iOS"),
        ({"terminal_type": "APP", "os_type": "SYMBIAN"}, "os_type", "ANDROID, IOS"),
        ({"terminal_type": "TV"}, "terminal_type", "WEB, APP, WAP"),
        ({"payment_type": "Never"}, "payment_type", "Regular, Recurring"),
        ({"customer_email": "ana"}, "customer_email", "e-mail"),
        ({"country": "US"}, "country", "shipping country"),
        ({"success_url": "javascript:alert(1)"}, "success_url", "https://"),
        ({"success_url": "https://"}, "success_url", "https://"),
        ({"failure_url": "http://[bad"}, "failure_url", "https://"),
        ({"failure_url": ""}, "failure_url", "missing"),
        ({"failure_url": "https://x.example/" + "a" * 1024}, "failure_url", "1024 characters"),
        ({"items": (ItemDraft(name="", unit_price="1"),)}, "items", "Item 1 has no name"),
        ({"items": (ItemDraft(name="Tea", unit_price="x"),)}, "items", "Item 1, price"),
        ({"items": (ItemDraft(name="Tea", unit_price="1", quantity="0.5"),)}, "items", "whole number"),
    ],
)
def test_a_draft_that_cannot_be_sent_says_why_beside_its_field(change: dict[str, Any], field: str, words: str) -> None:
    draft = replace(DRAFT, **{"items": (), **change})
    problems = draft.problems(SETTINGS)
    assert list(problems) == [field]
    assert words in problems[field]
    with pytest.raises(BadDraft):
        draft.body(SETTINGS)


def test_the_request_is_the_one_of_the_kakaopay_page() -> None:
    body = replace(DRAFT, terminal_type="APP", os_type="IOS").body(SETTINGS)
    assert body == {
        "amount": 1100,
        "currency": "HKD",
        "source": {"type": "kakaopay"},
        "processing": {"terminal_type": "APP", "os_type": "IOS"},
        "success_url": "https://shop.example/ok",
        "failure_url": "https://shop.example/no",
        "payment_type": "Regular",
        "reference": "ORD-1",
        "capture": True,
        "customer": {"email": "ana@example.com"},
        "shipping": {"address": {"country": "GB"}},
        "items": [{"name": "Tea", "unit_price": 550, "quantity": 2}],
        "processing_channel_id": SETTINGS.processing_channel_id,
    }


def test_the_os_is_left_out_on_the_web() -> None:
    assert replace(DRAFT, os_type="IOS").body(SETTINGS)["processing"] == {"terminal_type": "WEB"}


@pytest.mark.parametrize("preset", catalog.kakaopay().presets, ids=lambda preset: preset.name)
def test_every_preset_can_be_sent(preset: catalog.Preset) -> None:
    draft = replace(
        DRAFT,
        amount=preset.amount,
        currency=preset.currency,
        terminal_type=preset.terminal_type,
        os_type=preset.os_type,
        payment_type=preset.payment_type,
        country=preset.country,
        reference=new_reference(),
        items=(),
    )
    assert draft.problems(SETTINGS) == {}


class Provider:
    """Checkout.com as far as payments are made: it keeps keys, lists by reference, and can be told to misbehave."""

    def __init__(self) -> None:
        self.made: dict[str, dict[str, Any]] = {}
        self.after: Callable[[], httpx.Response | None] = lambda: None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and request.url.params.get("reference"):
            found = [made for made in self.made.values() if made["reference"] == request.url.params["reference"]]
            return httpx.Response(200, json={"data": found, "total_count": len(found)})
        if request.method == "GET":
            return httpx.Response(
                200, json=next(made for made in self.made.values() if request.url.path.endswith(made["id"]))
            )
        body = json.loads(request.content)
        key = request.headers["Cko-Idempotency-Key"]
        made = {name: body.get(name) for name in ("amount", "currency", "reference")}
        source = {"id": "src_1", "type": "kakaopay"} if body["payment_type"] == "Recurring" else {}
        links = {"redirect": {"href": "https://wallet.example/x"}} if body["source"]["type"] == "kakaopay" else {}
        made = {"id": f"pay_{len(self.made)}", "status": "Pending", "source": source, "_links": links, **made}
        made = self.made.setdefault(key, made)
        return self.after() or httpx.Response(202, json=made)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def desk(database: Database, provider: Provider) -> Iterator[Desk]:
    with desk_with(database, provider) as desk:
        yield desk


def later() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1)


def lose() -> httpx.Response:
    raise httpx.ReadTimeout("lost")


def test_a_payment_is_asked_for_and_known_at_once(desk: Desk) -> None:
    creation = payments.request_payment(desk, ANA, DRAFT, key="k")
    assert (creation.status, creation.payment_id, creation.problem) == ("accepted", "pay_0", None)
    payment = queries.find_payment(desk.database, "pay_0")
    assert payment is not None
    assert (payment.status, payment.money, payment.reference) == ("Pending", Money(1100, "HKD"), "ORD-1")
    assert (payment.customer_email, payment.requested_by) == ("ana@example.com", "Ana")
    assert payment.redirect_url == "https://wallet.example/x"
    assert payment.expires_at is not None


def test_the_same_key_asks_once(desk: Desk, provider: Provider) -> None:
    first = payments.request_payment(desk, ANA, DRAFT, key="k")
    assert payments.request_payment(desk, ANA, replace(DRAFT, amount="99"), key="k") == first
    assert len(provider.made) == 1


def test_a_refusal_is_kept_with_its_sentence_and_no_payment(desk: Desk, provider: Provider) -> None:
    refusal = {"request_id": "r", "error_type": "invalid_request", "error_codes": ["payee_not_onboarded"]}
    provider.after = lambda: httpx.Response(422, json=refusal)
    creation = payments.request_payment(desk, ANA, DRAFT, key="k")
    assert creation.status == "refused"
    assert "KakaoPay" in (creation.problem or "")
    assert queries.find_payments(desk.database, queries.PaymentFilter()).rows == []
    assert payments.resume_creations(desk, older_than=later()) == 0


def test_a_lost_answer_is_asked_for_again_under_the_same_key(desk: Desk, provider: Provider) -> None:
    provider.after = lose
    assert payments.request_payment(desk, ANA, DRAFT, key="k").status == "sending"
    provider.after = lambda: None
    assert payments.resume_creations(desk, older_than=later()) == 1
    creation = payments.find_creation(desk.database, "k")
    assert creation is not None
    assert (creation.status, creation.payment_id) == ("accepted", "pay_0")
    assert len(provider.made) == 1


def test_under_a_forgotten_key_it_is_looked_for_first(
    desk: Desk, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.after = lose
    payments.request_payment(desk, ANA, DRAFT, key="k")
    provider.after = lambda: None
    provider.made = {"forgotten": provider.made["k"]}
    monkeypatch.setattr(payments, "KEY_LIFE", timedelta(0))
    payments.resume_creations(desk, older_than=later())
    creation = payments.find_creation(desk.database, "k")
    assert creation is not None
    assert (creation.status, creation.payment_id, len(provider.made)) == ("accepted", "pay_0", 1)
    payment = queries.find_payment(desk.database, "pay_0")
    assert payment is not None
    assert payment.requested_by == "Ana"


def test_a_stored_source_is_charged_again_without_the_customer(desk: Desk, provider: Provider) -> None:
    first = payments.request_payment(desk, ANA, replace(DRAFT, payment_type="Recurring"), key="k")
    assert first.payment_id is not None
    with pytest.raises(payments.CannotCharge, match="not captured"):
        payments.charge_again(desk, ANA, first.payment_id, Money(500, "HKD"), "ORD-2", key="k2")
    captured = webhook("payment_captured", 1, 0, "pay_0", amount=1100, action_id="a", balances=balances(1100, 0))
    record(desk.database, [captured])
    again = payments.charge_again(desk, ANA, first.payment_id, Money(500, "HKD"), "ORD-2", key="k2")
    assert json.loads(again.body) == {
        "amount": 500,
        "currency": "HKD",
        "source": {"type": "id", "id": "src_1"},
        "payment_type": "Recurring",
        "reference": "ORD-2",
        "customer": {"email": "ana@example.com"},
        "processing_channel_id": SETTINGS.processing_channel_id,
    }
    made = queries.find_payment(desk.database, again.payment_id or "")
    assert made is not None
    chain = chain_of(desk.database, made)
    assert chain is not None
    assert (chain.first.reference, [each.reference for each in chain.newest]) == ("ORD-1", ["ORD-2", "ORD-1"])


def test_a_regular_payment_has_no_source_to_charge(desk: Desk) -> None:
    creation = payments.request_payment(desk, ANA, DRAFT, key="k")
    with pytest.raises(payments.CannotCharge, match="no stored source"):
        payments.charge_again(desk, ANA, creation.payment_id or "", Money(500, "HKD"), "ORD-2", key="k2")
