"""What each status and failure becomes, and whether Checkout.com may have acted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from lib.checkout import errors, refusals

from .conftest import SECRET, Checkout

PAYMENT = "pay_" + "b" * 26


@pytest.mark.parametrize(
    ("status", "kind", "acted_post"),
    [
        (400, errors.InvalidRequest, "no"),
        (401, errors.Unauthorized, "no"),
        (403, errors.ActionNotAllowed, "no"),
        (404, errors.NotFound, "no"),
        (405, errors.InvalidRequest, "no"),
        (409, errors.InvalidRequest, "no"),
        (413, errors.InvalidRequest, "no"),
        (422, errors.InvalidRequest, "no"),
        (408, errors.ServiceFailed, "unknown"),
        (425, errors.ServiceFailed, "unknown"),
        (429, errors.RateLimited, "unknown"),
        (500, errors.ServiceFailed, "unknown"),
        (501, errors.ServiceFailed, "unknown"),
        (502, errors.ServiceFailed, "unknown"),
        (503, errors.ServiceFailed, "unknown"),
        (504, errors.ServiceFailed, "unknown"),
    ],
)
@pytest.mark.parametrize(
    "body", [b"", b"<html>Bad gateway</html>", b"null", b"[1]", b'{"error_codes": 3, "error_type": []}']
)
def test_a_status_is_told_apart_whatever_its_body(
    checkout: Checkout, status: int, kind: type[errors.CheckoutError], acted_post: str, body: bytes
) -> None:
    client = checkout.client(lambda request: httpx.Response(status, content=body, headers={"Cko-Request-Id": "req-7"}))
    with pytest.raises(errors.CheckoutError) as caught:
        client.refund(PAYMENT, None, idempotency_key="k")
    error = caught.value
    assert type(error) is kind
    assert (error.status, error.request_id, error.acted) == (status, "req-7", acted_post)
    assert (error.error_type, error.error_codes) == (None, ())
    assert error.answer is not None
    assert (error.answer.status, error.answer.path) == (status, f"/payments/{PAYMENT}/refunds")
    assert str(error) == error.sentence
    _is_for_a_person(error.sentence)
    with pytest.raises(kind) as caught:
        client.get_payment(PAYMENT)
    assert caught.value.acted == "no"


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (httpx.ReadTimeout("x"), "did not answer in time"),
        (httpx.WriteTimeout("x"), "did not answer in time"),
        (httpx.PoolTimeout("x"), "did not answer in time"),
        (httpx.ReadError("x"), "broke the connection off"),
        (httpx.RemoteProtocolError("x"), "broke the connection off"),
        (httpx.ConnectError("x"), "could not be reached"),
        (httpx.ConnectTimeout("x"), "could not be reached"),
        (httpx.ProxyError("x"), "could not be reached"),
    ],
)
def test_no_answer_leaves_a_post_open_and_a_get_not(checkout: Checkout, failure: Exception, words: str) -> None:
    with pytest.raises(errors.NoAnswer, match=words) as caught:
        checkout.in_turn(failure, failure, failure).create_payment({}, idempotency_key="k")
    error = caught.value
    assert (error.acted, error.status, error.request_id, error.answer) == ("unknown", None, None, None)
    _is_for_a_person(error.sentence)
    with pytest.raises(errors.NoAnswer) as caught:
        checkout.in_turn(failure, failure, failure).get_payment(PAYMENT)
    assert caught.value.acted == "no"


def test_an_error_body_is_read_and_its_request_id_is_the_second_choice(checkout: Checkout) -> None:
    body = {"request_id": "in-body", "error_type": "invalid_request", "error_codes": ["reference_invalid", 7]}
    with pytest.raises(errors.InvalidRequest) as caught:
        checkout.answering(422, body).create_payment({"amount": 1}, idempotency_key="k")
    error = caught.value
    assert (error.error_type, error.error_codes, error.request_id) == (
        "invalid_request",
        ("reference_invalid",),
        "in-body",
    )
    assert error.answer is not None
    assert (error.answer.body, error.answer.sent) == (body, {"amount": 1})
    with pytest.raises(errors.InvalidRequest) as caught:
        checkout.answering(422, body, Cko_Request_Id="in-header").create_payment({}, idempotency_key="k")
    assert caught.value.request_id == "in-header"


@pytest.mark.parametrize("code", sorted(refusals.SENTENCES))
def test_every_code_a_merchant_meets_says_what_to_do(checkout: Checkout, code: str) -> None:
    with pytest.raises(errors.InvalidRequest) as caught:
        checkout.answering(422, {"error_type": "request_invalid", "error_codes": [code]}).create_payment(
            {}, idempotency_key="k"
        )
    assert str(caught.value) == refusals.SENTENCES[code]
    _is_for_a_person(str(caught.value))


def test_several_codes_are_all_said_once_and_unknown_ones_are_named() -> None:
    both = refusals.sentence(("amount_exceeds_balance", "refund_amount_exceeds_balance", "brand_new_code"), None)
    assert both.count("more than what is left") == 1
    assert "brand_new_code" in both
    assert "(processing_error)" in refusals.sentence((), "processing_error")
    _is_for_a_person(refusals.sentence((), None))


def test_a_403_with_a_code_says_the_code(checkout: Checkout) -> None:
    with pytest.raises(errors.ActionNotAllowed, match="not activated"):
        checkout.answering(403, {"error_codes": ["payee_not_onboarded"]}).create_payment({}, idempotency_key="k")


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("7", 7, 7),
        ("0", 0, 0),
        ("99999999999999", 86400, 86400),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0, 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(checkout: Checkout, header: str, low: float, high: float) -> None:
    with pytest.raises(errors.RateLimited) as caught:
        checkout.answering(429, None, Retry_After=header).get_payment(PAYMENT)
    assert caught.value.retry_after is not None
    assert low <= caught.value.retry_after <= high


def test_retry_after_may_be_a_date_to_come(checkout: Checkout) -> None:
    header = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
    test_retry_after_is_seconds_or_a_date(checkout, header, 500, 601)


@pytest.mark.parametrize("header", ["soon", "-1", "1.5", "²", "Thu, 99 Foo 1970"])
def test_an_unreadable_retry_after_is_as_good_as_none(checkout: Checkout, header: str) -> None:
    client = checkout.client(lambda request: httpx.Response(503, headers=[(b"Retry-After", header.encode())]))
    with pytest.raises(errors.ServiceFailed) as caught:
        client.get_payment(PAYMENT)
    assert caught.value.retry_after is None


def _is_for_a_person(sentence: str) -> None:
    """Starts like a sentence, ends like one, has something to do in it, and holds nothing secret."""
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert len(sentence) > 30
    assert SECRET not in sentence
