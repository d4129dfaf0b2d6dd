"""Checkout.com's own Python SDK, unmodified, against the simulator over HTTP."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from checkout_sdk.balances.balances import BalancesQuery
from checkout_sdk.checkout_sdk import CheckoutSdk
from checkout_sdk.common.common import Address
from checkout_sdk.common.enums import Country, Currency
from checkout_sdk.environment import Environment
from checkout_sdk.exception import CheckoutApiException
from checkout_sdk.financial.financial import FinancialActionsQuery
from checkout_sdk.payments.payment_apm import RequestAlipayPlusSource
from checkout_sdk.payments.payments import (
    OsType,
    PaymentCustomerRequest,
    PaymentRequest,
    PaymentRequestSource,
    PaymentsQueryFilter,
    PaymentType,
    ProcessingSettings,
    RefundRequest,
    ShippingDetails,
    TerminalType,
)
from checkout_sdk.reports.reports import ReportsQuery
from checkout_sdk.workflows.workflows import ReflowByEventsRequest

from lib.simulator.options import ENTITY, PROCESSING_CHANNEL, SECRET_KEY
from tests.simulator.house import House, house
from tests.support.waiting import until


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("sdk")) as home:
        yield home


def connect(home: House, secret_key: str = SECRET_KEY) -> Any:
    base = f"{home.url}/"
    environment = Environment(
        base_uri=base,
        authorization_uri=base,
        files_uri=base,
        transfers_uri=base,
        balances_uri=base,
        forward_uri=base,
        identity_uri=base,
        is_sandbox=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return CheckoutSdk.builder().secret_key(secret_key).environment(environment).use_legacy_domain().build()


@pytest.fixture(scope="module")
def api(home: House) -> Any:
    return connect(home)


def request(reference: str, amount: int = 1100) -> PaymentRequest:
    processing = ProcessingSettings()
    processing.terminal_type = TerminalType.APP
    processing.os_type = OsType.ANDROID
    customer = PaymentCustomerRequest()
    customer.email = "minji@example.com"
    address = Address()
    address.country = Country.KR
    shipping = ShippingDetails()
    shipping.address = address
    payment = PaymentRequest()
    payment.source = RequestAlipayPlusSource.request_alipay_plus_kakao_pay_source()
    payment.amount = amount
    payment.currency = Currency.HKD
    payment.payment_type = PaymentType.REGULAR
    payment.reference = reference
    payment.capture = True
    payment.success_url = "https://shop.example/thanks"
    payment.failure_url = "https://shop.example/sorry"
    payment.customer = customer
    payment.shipping = shipping
    payment.processing = processing
    payment.processing_channel_id = PROCESSING_CHANNEL
    return payment


def pay(home: House, created: Any) -> None:
    answer = home.http.post(created._links.redirect.href.partition("?")[0], data={"decision": "pay"})
    assert (answer.status_code, answer.headers["location"]) == (303, "https://shop.example/thanks")


def refund(amount: int) -> RefundRequest:
    wanted = RefundRequest()
    wanted.amount = amount
    wanted.reference = "RF-1"
    return wanted


def test_a_whole_life(home: House, api: Any) -> None:
    created = api.payments.request_payment(request("SDK-LIFE"), "sdk-create")
    assert created.http_metadata.status_code == 202
    assert created.status == "Pending"
    assert created.http_metadata.headers["Cko-Request-Id"]
    assert api.payments.request_payment(request("SDK-LIFE"), "sdk-create").id == created.id
    pay(home, created)

    details = api.payments.get_payment_details(created.id)
    assert (details.status, details.balances.available_to_refund) == ("Captured", 1100)
    [capture] = api.payments.get_payment_actions(created.id).items
    assert capture.type == "Capture"
    asked = PaymentsQueryFilter()
    asked.reference, asked.limit, asked.skip = "SDK-LIFE", 10, 0
    listed = api.payments.get_payments_list(asked)
    assert (listed.total_count, listed.data[0].id) == (1, created.id)

    partial = api.payments.refund_payment(created.id, refund(100), "sdk-refund")
    again = api.payments.refund_payment(created.id, refund(100), "sdk-refund")
    assert partial.http_metadata.status_code == 202
    assert again.action_id == partial.action_id
    assert partial.reference == "RF-1"
    until(lambda: api.payments.get_payment_details(created.id).status == "Partially Refunded")
    with pytest.raises(CheckoutApiException) as refused:
        api.payments.refund_payment(created.id, refund(1001))
    assert refused.value.http_metadata.status_code == 422
    assert refused.value.error_details == ["refund_amount_exceeds_balance"]
    assert refused.value.request_id

    api.payments.refund_payment(created.id)
    until(lambda: api.payments.get_payment_details(created.id).status == "Refunded")
    amounts = [(each.type, each.amount) for each in api.payments.get_payment_actions(created.id).items]
    assert amounts == [("Refund", 1000), ("Refund", 100), ("Capture", 1100)]


def test_a_stored_source_is_charged_again(home: House, api: Any) -> None:
    first = request("SDK-FIRST")
    first.payment_type = PaymentType.RECURRING
    created = api.payments.request_payment(first)
    pay(home, created)
    stored = PaymentRequestSource("id")
    stored.id = created.source.id
    later = PaymentRequest()
    later.source, later.amount, later.currency = stored, 44, Currency.HKD
    later.payment_type, later.reference = PaymentType.RECURRING, "SDK-LATER"
    later.processing_channel_id = PROCESSING_CHANNEL

    charged = api.payments.request_payment(later)

    assert not hasattr(charged._links, "redirect")
    until(lambda: api.payments.get_payment_details(charged.id).status == "Captured")


def test_a_wallet_request_without_reference_is_refused_as_live(api: Any) -> None:
    bare = PaymentRequest()
    bare.source = RequestAlipayPlusSource.request_alipay_plus_kakao_pay_source()
    bare.amount, bare.currency, bare.capture = 100, Currency.EUR, True
    bare.success_url, bare.failure_url = "https://shop.example/ok", "https://shop.example/no"

    with pytest.raises(CheckoutApiException) as refused:
        api.payments.request_payment(bare)

    assert (refused.value.error_type, refused.value.error_details) == ("invalid_request", ["reference_invalid"])


def test_empty_bodies_keep_their_status_and_request_id(home: House, api: Any) -> None:
    other = connect(home, "sk_sbox_" + "a" * 26 + "$")
    for call, status in (
        (lambda: other.payments.get_payment_details("pay_1"), 401),
        (lambda: api.payments.get_payment_details("pay_unknown"), 404),
        (lambda: api.payments.capture_payment(api.payments.request_payment(request("SDK-CAPTURE")).id), 403),
        (lambda: api.payments.void_payment(api.payments.request_payment(request("SDK-VOID")).id), 403),
    ):
        with pytest.raises(CheckoutApiException) as refused:
            call()
        assert refused.value.http_metadata.status_code == status
        assert refused.value.request_id


def test_events_are_read_and_sent_again(home: House, api: Any) -> None:
    created = api.payments.request_payment(request("SDK-EVENTS"))
    pay(home, created)
    home.told("payment_captured", {"id": created.id})

    listed = api.workflows.get_subject_events(created.id).data
    assert [each.type for each in listed] == ["payment_captured", "payment_capture_pending", "payment_pending"]
    event = api.workflows.get_event(listed[0].id)
    assert (event.id, event.data.balances.total_captured) == (listed[0].id, 1100)
    before = len(home.receiver.deliveries)
    api.workflows.reflow_by_event(event.id)
    api.workflows.reflow_by_subject(created.id)
    several = ReflowByEventsRequest()
    several.events = [event.id]
    api.workflows.reflow(several)
    until(lambda: len(home.receiver.deliveries) >= before + 5)
    assert api.workflows.get_event_types().items[0].events


def test_reversal(home: House, api: Any) -> None:
    created = api.payments.request_payment(request("SDK-REVERSE"))
    pay(home, created)

    assert api.payments.reverse_payment(created.id).http_metadata.status_code == 202
    until(lambda: api.payments.get_payment_details(created.id).status == "Refunded")
    assert api.payments.reverse_payment(created.id).http_metadata.status_code == 200


def test_the_finance_side(home: House, api: Any) -> None:
    created = api.payments.request_payment(request("SDK-MONEY", 100_000))
    pay(home, created)
    asked = FinancialActionsQuery()
    asked.payment_id, asked.limit = created.id, 5
    [action] = api.financial.query(asked).data
    assert (action.action_type, action.payment_method) == ("Capture", "KAKAOPAY")
    assert action.breakdown[0].holding_currency_amount == 1000
    wanted = BalancesQuery()
    wanted.query, wanted.with_currency_account_id = "currency:HKD", True
    [account] = api.balances.retrieve_entity_balances(ENTITY, wanted).data
    assert account.balances.available > 0
    assert account.currency_account_id == action.currency_account_id

    home.advance(days=1)

    query = ReportsQuery()
    query.entity_id, query.limit = ENTITY, 50
    query.created_after = datetime.now(UTC) - timedelta(days=1)
    reports = {each.type: each for each in api.reports.get_all_reports(query).data}
    payouts = reports["Payouts"]
    assert api.reports.get_report_details(payouts.id).files[0].id == payouts.files[0].id
    content = api.reports.get_report_file(payouts.id, payouts.files[0].id).contents
    assert [row["Holding Currency"] for row in csv.DictReader(io.StringIO(content))] == ["HKD"]
