"""Every rule of a request, with the status, the `error_type` and the code it is refused with."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.simulator.house import CHANNEL, House, order

GATEWAY, WALLET = "request_invalid", "invalid_request"
IDENTIFIER = r"[a-z2-7]{26}"
DEEP = b'{"metadata":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001

REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("no source", {"source": None}, GATEWAY, "payment_source_required"),
    ("source no object", {"source": "kakaopay"}, GATEWAY, "source_invalid"),
    ("source without type", {"source": {}}, GATEWAY, "source_type_required"),
    ("source of unknown type", {"source": {"type": "barter"}}, GATEWAY, "source_invalid"),
    ("source type no word", {"source": {"type": []}}, GATEWAY, "source_invalid"),
    (
        "source id of wrong shape",
        {"source": {"type": "id", "id": "src_1"}, "payment_type": "Recurring"},
        GATEWAY,
        "source_id_invalid",
    ),
    (
        "source id unknown",
        {"source": {"type": "id", "id": "src_" + "a" * 26}, "payment_type": "Recurring"},
        GATEWAY,
        "source_id_unknown",
    ),
    (
        "stored source, but not recurring",
        {"source": {"type": "id", "id": "src_" + "a" * 26}},
        GATEWAY,
        "payment_type_invalid",
    ),
    ("no amount", {"amount": None}, GATEWAY, "amount_invalid"),
    ("amount zero", {"amount": 0}, GATEWAY, "amount_invalid"),
    ("amount negative", {"amount": -1}, GATEWAY, "amount_invalid"),
    ("amount decimal", {"amount": 11.5}, GATEWAY, "amount_invalid"),
    ("amount a whole decimal", {"amount": 11.0}, GATEWAY, "amount_invalid"),
    ("amount a word", {"amount": "1100"}, GATEWAY, "amount_invalid"),
    ("amount a truth", {"amount": True}, GATEWAY, "amount_invalid"),
    ("amount of ten digits", {"amount": 1_000_000_000}, GATEWAY, "amount_invalid"),
    ("no currency", {"currency": None}, GATEWAY, "currency_required"),
    ("currency in lower case", {"currency": "hkd"}, GATEWAY, "currency_invalid"),
    ("currency no word", {"currency": 344}, GATEWAY, "currency_invalid"),
    ("currency not on the list", {"currency": "USD"}, WALLET, "currency_not_supported"),
    ("payment type of cards", {"payment_type": "MOTO"}, GATEWAY, "payment_type_invalid"),
    ("payment type no word", {"payment_type": 1}, GATEWAY, "payment_type_invalid"),
    ("capture later", {"capture": False}, GATEWAY, "parameter_invalid"),
    ("capture a number", {"capture": 1}, GATEWAY, "parameter_invalid"),
    ("no success URL", {"success_url": None}, GATEWAY, "success_url_required"),
    ("success URL a script", {"success_url": "javascript:alert(1)"}, GATEWAY, "success_url_invalid"),
    ("success URL without host", {"success_url": "https://"}, GATEWAY, "success_url_invalid"),
    ("success URL too long", {"success_url": "https://shop.example/" + "a" * 1024}, GATEWAY, "success_url_invalid"),
    ("no failure URL", {"failure_url": None}, GATEWAY, "fail_url_invalid"),
    ("failure URL of wrong scheme", {"failure_url": "ftp://shop.example"}, GATEWAY, "fail_url_invalid"),
    ("failure URL with a line break", {"failure_url": "https://shop.example/\r\nX: 1"}, GATEWAY, "fail_url_invalid"),
    ("customer no object", {"customer": "minji"}, GATEWAY, "parameter_invalid"),
    ("customer id of wrong shape", {"customer": {"id": "minji"}}, GATEWAY, "customer_id_invalid"),
    ("customer unknown", {"customer": {"id": "cus_" + "a" * 26}}, GATEWAY, "customer_not_found"),
    ("e-mail no address", {"customer": {"email": "minji"}}, GATEWAY, "customer_email_invalid"),
    ("country unknown", {"shipping": {"address": {"country": "ZZ"}}}, GATEWAY, "country_invalid"),
    ("address no object", {"shipping": {"address": "Seoul"}}, GATEWAY, "parameter_invalid"),
    ("items no list", {"items": {}}, GATEWAY, "parameter_invalid"),
    ("item price no number", {"items": [{"unit_price": "10"}]}, GATEWAY, "parameter_invalid"),
    ("metadata no object", {"metadata": []}, GATEWAY, "metadata_key_invalid"),
    ("metadata nested", {"metadata": {"a": {"b": 1}}}, GATEWAY, "metadata_key_invalid"),
    ("description too long", {"description": "a" * 101}, GATEWAY, "parameter_invalid"),
    ("payment IP no address", {"payment_ip": "300.1.1.1"}, GATEWAY, "parameter_invalid"),
    ("no reference", {"reference": None}, WALLET, "reference_invalid"),
    ("reference blank", {"reference": "  "}, WALLET, "reference_invalid"),
    ("reference too long", {"reference": "a" * 81}, WALLET, "reference_invalid"),
    ("reference with a zero byte", {"reference": "a\0"}, WALLET, "reference_invalid"),
    ("no processing", {"processing": {}}, WALLET, "processing_value_required"),
    ("app without system", {"processing": {"terminal_type": "APP"}}, WALLET, "processing_value_required"),
    ("mobile web without system", {"processing": {"terminal_type": "WAP"}}, WALLET, "processing_value_required"),
    ("terminal unknown", {"processing": {"terminal_type": "WATCH"}}, WALLET, "parameter_invalid"),
    ("system unknown", {"processing": {"terminal_type": "WEB", "os_type": "DOS"}}, WALLET, "parameter_invalid"),
    ("no channel", {"processing_channel_id": None}, WALLET, "processing_channel_id_required"),
    ("channel of wrong shape", {"processing_channel_id": "pc_1"}, WALLET, "parameter_invalid"),
    ("a method the account lacks", {"source": {"type": "gcash"}}, WALLET, "payee_not_onboarded"),
    ("below the least in won", {"currency": "KRW", "amount": 49}, WALLET, "amount_invalid"),
    ("above the most in won", {"currency": "KRW", "amount": 2_000_001}, WALLET, "amount_limit_exceeded"),
]


@pytest.mark.parametrize(("changes", "kind", "code"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED])
def test_a_bad_payment_request_is_refused(shared: House, changes: dict[str, Any], kind: str, code: str) -> None:
    answer = shared.post("/payments", order(**changes))

    assert answer.status_code == 422
    body = answer.json()
    assert body["error_codes"] == [code]
    assert body["error_type"] == kind
    assert body["request_id"] == answer.headers["Cko-Request-Id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": 1},
        {"amount": 999_999_999},
        {"currency": "KRW", "amount": 50},
        {"currency": "KRW", "amount": 2_000_000},
        {"payment_type": None},
        {"payment_type": "recurring"},
        {"payment_type": "REGULAR"},
        {"capture": "true"},
        {"capture": None},
        {"processing": {"terminal_type": "WEB"}},
        {"processing": {"terminal_type": "WAP", "os_type": "ANDROID"}},
        {"customer": None},
        {"customer": {"name": "Kim Minji"}},
        {"items": None, "shipping": None, "metadata": None},
        {"reference": "주문 " + "a" * 77},
        {"success_url": "http://localhost:8501/ok?a=1#b", "failure_url": "http://127.0.0.1/"},
    ],
)
def test_a_good_payment_request_is_accepted(shared: House, changes: dict[str, Any]) -> None:
    answer = shared.post("/payments", order(**changes))

    assert answer.status_code == 202
    body = answer.json()
    assert body["status"] == "Pending"
    assert re.fullmatch(f"pay_{IDENTIFIER}", body["id"])
    assert re.fullmatch(f"cus_{IDENTIFIER}", body["customer"]["id"])
    assert body["_links"]["self"]["href"] == f"{shared.url}/payments/{body['id']}"


def test_several_faults_are_named_together(shared: House) -> None:
    answer = shared.post("/payments", order(amount=0, currency="?", success_url="no"))

    assert answer.json()["error_codes"] == ["amount_invalid", "currency_invalid", "success_url_invalid"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"amount": NaN}',
        b"[" * 10_000,
        DEEP,
        b"[]",
        b'"text"',
        b'{"a":"\\ud800"}',
        b"1" * 5000,
    ],
)
def test_a_body_that_is_no_object_is_refused_before_anything_else(shared: House, raw: bytes) -> None:
    answer = shared.http.post("/payments", content=raw)

    assert answer.status_code == 400
    assert answer.json()["error_codes"] == ["request_json_invalid"]


def test_a_body_that_is_too_long_is_refused(shared: House) -> None:
    assert shared.http.post("/payments", content=b" " * 10_000_000).status_code == 413


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic abc", "Bearer schlüssel"])
@pytest.mark.parametrize("path", ["/payments/pay_1", "/payments?reference=a", "/reports", "/workflows/event-types"])
def test_without_the_key_there_is_401_and_nothing_else(shared: House, header: str, path: str) -> None:
    answer = httpx.get(shared.url + path, headers=[(b"authorization", header.encode())])

    assert (answer.status_code, answer.content) == (401, b"")
    assert answer.headers["Cko-Request-Id"]
    assert answer.headers["Cko-Version"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/payments/pay_unknown"),
        ("GET", "/payments/pay_unknown/actions"),
        ("POST", "/payments/pay_unknown/refunds"),
        ("POST", "/payments/pay_unknown/reversals"),
        ("POST", "/payments/pay_unknown/captures"),
        ("GET", "/workflows/events/evt_unknown"),
        ("GET", "/workflows/events/subject/pay_unknown"),
        ("POST", "/workflows/events/evt_unknown/reflow"),
        ("GET", "/reports/rpt_unknown"),
        ("GET", "/balances/ent_unknown"),
        ("GET", "/no/such/path"),
    ],
)
def test_what_is_unknown_is_404_with_an_empty_body(shared: House, method: str, path: str) -> None:
    answer = shared.http.request(method, path)

    assert (answer.status_code, answer.content) == (404, b"")
    assert answer.headers["Cko-Request-Id"]


def test_another_method_is_405(shared: House) -> None:
    assert shared.http.put("/payments").status_code == 405


@pytest.mark.parametrize("step", ["captures", "voids", "authorizations", "cancellations"])
def test_what_only_cards_can_do_is_not_allowed(shared: House, step: str) -> None:
    answer = shared.post(f"/payments/{shared.paid()['id']}/{step}", {})

    assert (answer.status_code, answer.content) == (403, b"")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"amount": 0}, "amount_invalid"),
        ({"amount": -5}, "amount_invalid"),
        ({"amount": 1.5}, "amount_invalid"),
        ({"amount": "100"}, "amount_invalid"),
        ({"amount": 1_000_000_000}, "amount_invalid"),
        ({"amount": 1101}, "refund_amount_exceeds_balance"),
        ({"amount": 1, "reference": ""}, "reference_invalid"),
        ({"amount": 1, "metadata": "x"}, "metadata_key_invalid"),
    ],
)
def test_a_bad_refund_request_is_refused_and_reserves_nothing(shared: House, body: dict[str, Any], code: str) -> None:
    payment = shared.paid()

    answer = shared.post(f"/payments/{payment['id']}/refunds", body)

    assert (answer.status_code, answer.json()["error_codes"]) == (422, [code])
    assert shared.details(payment)["balances"]["available_to_refund"] == 1100


@pytest.mark.parametrize("end", [None, "decline", "cancel"])
def test_what_was_not_captured_cannot_be_refunded(shared: House, end: str | None) -> None:
    payment = shared.create()
    if end:
        shared.decide(payment, end)

    answer = shared.refund(payment, 100)

    assert (answer.status_code, answer.content) == (403, b"")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "reference_invalid"),
        ("reference=a&limit=0", "parameter_invalid"),
        ("reference=a&limit=101", "parameter_invalid"),
        ("reference=a&limit=x", "parameter_invalid"),
        ("reference=a&skip=-1", "parameter_invalid"),
    ],
)
def test_a_bad_look_up_is_refused(shared: House, query: str, code: str) -> None:
    answer = shared.http.get(f"/payments?{query}")

    assert (answer.status_code, answer.json()["error_codes"]) == (422, [code])


def test_the_pages_of_a_look_up_are_newest_first(shared: House) -> None:
    made = [shared.create(reference="TWICE-AND-MORE")["id"] for _ in range(3)]

    page = shared.http.get("/payments", params={"reference": "TWICE-AND-MORE", "limit": 2, "skip": 1}).json()

    assert (page["total_count"], page["limit"], page["skip"]) == (3, 2, 1)
    assert [each["id"] for each in page["data"]] == [made[1], made[0]]


@pytest.mark.parametrize(
    ("account", "currency", "code"),
    [
        ({"currencies": "2022-08"}, "KRW", "currency_not_supported"),
        ({"currencies": "2022-08"}, "AUD", None),
        ({"currencies": "2024-07"}, "EUR", "currency_not_supported"),
        ({"currencies": "2024-07"}, "KRW", None),
        ({"kakaopay": False}, "HKD", "payee_not_onboarded"),
    ],
)
def test_the_account_decides_what_may_be_taken(
    own: House, account: dict[str, Any], currency: str, code: str | None
) -> None:
    assert own.http.put("/_control/account", json=account).status_code == 200

    answer = own.post("/payments", order(currency=currency))

    assert answer.status_code == (422 if code else 202)
    if code:
        assert (answer.json()["error_codes"], answer.json()["error_type"]) == ([code], WALLET)


def test_the_example_of_the_kakaopay_page_works_as_printed(shared: House) -> None:
    answer = shared.post(
        "/payments",
        {
            "amount": 1100,
            "currency": "HKD",
            "source": {"type": "kakaopay"},
            "processing": {"terminal_type": "APP", "os_type": "IOS"},
            "success_url": "https://google.com/success",
            "failure_url": "https://google.com/failure",
            "payment_type": "Regular",
            "reference": "ORD-5023-4E89",
            "capture": "true",
            "customer": {"email": "test@test.com"},
            "shipping": {"address": {"country": "GB"}},
            "items": [{"reference": "1st item reference", "name": "1st item name", "unit_price": 10}],
            "processing_channel_id": CHANNEL,
        },
    )

    assert answer.status_code == 202
    assert answer.json()["_links"]["redirect"]["href"].endswith("?pspName=KAKAOPAY&loadMode=2")
