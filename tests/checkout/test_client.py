"""The client through its public methods, in front of a callable that stands in for the API."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from lib.checkout import errors
from lib.checkout.client import CheckoutClient

from .conftest import SECRET, Checkout

PAYMENT = "pay_" + "b" * 26
KEY = "5e0c9d3c-6f0e-4f39-8a52-7c1d8ce1f0aa"
ACCEPTED = {"id": PAYMENT, "status": "Pending"}


def test_a_payment_is_sent_as_json_with_its_key_and_said_back_whole(checkout: Checkout) -> None:
    body = {"amount": 45000, "currency": "KRW", "reference": "서울-10042"}
    before = datetime.now(UTC)
    client = checkout.answering(202, ACCEPTED, Cko_Request_Id="req-1")
    answer = client.create_payment(body, idempotency_key=KEY)

    (request,) = checkout.requests
    assert request.method == "POST"
    assert str(request.url) == "https://ab12cd34.api.sandbox.checkout.com/payments"
    assert request.headers["Authorization"] == f"Bearer {SECRET}"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Cko-Idempotency-Key"] == KEY
    assert request.headers["User-Agent"] == "kakaopay-desk"
    assert json.loads(request.content) == body

    assert (answer.status, answer.request_id, answer.body) == (202, "req-1", ACCEPTED)
    assert (answer.method, answer.path, answer.sent, answer.attempts) == ("POST", "/payments", body, 1)
    assert answer.elapsed_ms >= 0
    assert before <= answer.received_at <= datetime.now(UTC)
    assert answer.received_at.utcoffset() == timedelta(0)


def test_a_refund_without_a_body_sends_none_because_that_refunds_all_that_is_left(checkout: Checkout) -> None:
    answer = checkout.answering(202, {"action_id": "act_1"}).refund(PAYMENT, None, idempotency_key=KEY)
    (request,) = checkout.requests
    assert request.url.path == f"/payments/{PAYMENT}/refunds"
    assert request.content == b""
    assert request.headers["Content-Length"] == "0"
    assert "Content-Type" not in request.headers
    assert answer.sent is None


def test_reads_go_to_their_paths(checkout: Checkout) -> None:
    client = checkout.client(
        lambda request: httpx.Response(200, json=[] if request.url.path.endswith("/actions") else {"data": []})
    )
    assert client.get_payment(PAYMENT).path == f"/payments/{PAYMENT}"
    assert client.get_actions(PAYMENT).body == []
    client.find_by_reference("A&B=1/2 ü", limit=10, skip=20)
    client.get_events_of(PAYMENT)
    client.get_event("evt_1")
    assert [request.url.path for request in checkout.requests] == [
        f"/payments/{PAYMENT}",
        f"/payments/{PAYMENT}/actions",
        "/payments",
        f"/workflows/events/subject/{PAYMENT}",
        "/workflows/events/evt_1",
    ]
    assert dict(checkout.requests[2].url.params) == {"reference": "A&B=1/2 ü", "limit": "10", "skip": "20"}
    assert all("Cko-Idempotency-Key" not in request.headers for request in checkout.requests)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("http://127.0.0.1:8501/simulator", f"http://127.0.0.1:8501/simulator/payments/{PAYMENT}/actions"),
        ("http://127.0.0.1:8501/simulator/", f"http://127.0.0.1:8501/simulator/payments/{PAYMENT}/actions"),
        ("https://ab12.api.checkout.com", f"https://ab12.api.checkout.com/payments/{PAYMENT}/actions"),
    ],
)
def test_base_urls_with_a_path_and_with_a_prefix(checkout: Checkout, base_url: str, expected: str) -> None:
    checkout.client(lambda request: httpx.Response(200, json=[]), base_url=base_url).get_actions(PAYMENT)
    assert str(checkout.requests[0].url) == expected


@pytest.mark.parametrize(
    "odd", ["", ".", "..", "../balances", "pay_x/actions", "pay_x?limit=1", "a%2Fb", "pay ", "päy", "p\n"]
)
def test_an_id_that_could_change_the_path_is_never_sent(checkout: Checkout, odd: str) -> None:
    client = checkout.answering(200, {"id": odd})
    for call in (client.get_payment, client.get_actions, client.get_events_of, client.get_event):
        with pytest.raises(errors.NotFound) as caught:
            call(odd)
        assert caught.value.acted == "no"
    with pytest.raises(errors.NotFound):
        client.refund(odd, None, idempotency_key=KEY)
    assert checkout.requests == []


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX: y", "schlüssel"])
def test_keys_that_no_header_can_carry_are_refused_without_repeating_them(checkout: Checkout, key: str) -> None:
    with pytest.raises(ValueError, match="secret key") as caught:
        CheckoutClient(base_url="https://api.checkout.com", secret_key=key)
    assert not key or key not in str(caught.value)
    with pytest.raises(ValueError, match="idempotency key"):
        checkout.answering(202, ACCEPTED).create_payment({}, idempotency_key=key)
    assert checkout.requests == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(checkout: Checkout, status: int) -> None:
    client = checkout.answering(status, None, Location="https://elsewhere.example/payments")
    with pytest.raises(errors.UnreadableAnswer) as caught:
        client.create_payment({}, idempotency_key=KEY)
    assert (len(checkout.requests), caught.value.status, caught.value.acted) == (1, status, "unknown")


@pytest.mark.parametrize(
    "content",
    [b"", b"  ", b"<html>", b"[]", b'"text"', b"\xff", b"[" * 100_000, b'{"a": NaN}', b'{"a": "\\ud800"}', b"null"],
    ids=lambda content: repr(content[:12]),
)
def test_a_2xx_that_cannot_be_read_leaves_it_open_whether_it_acted(checkout: Checkout, content: bytes) -> None:
    client = checkout.client(lambda request: httpx.Response(202, content=content, headers={"Cko-Request-Id": "req-9"}))
    with pytest.raises(errors.UnreadableAnswer) as caught:
        client.refund(PAYMENT, {"amount": 1}, idempotency_key=KEY)
    assert (caught.value.acted, caught.value.status, caught.value.request_id) == ("unknown", 202, "req-9")
    with pytest.raises(errors.UnreadableAnswer) as caught:
        client.get_payment(PAYMENT)
    assert caught.value.acted == "no"


def test_an_answer_larger_than_any_is_not_kept(checkout: Checkout) -> None:
    client = checkout.client(lambda request: httpx.Response(200, content=b'"' + b"x" * 9_000_000 + b'"'))
    with pytest.raises(errors.UnreadableAnswer):
        client.get_payment(PAYMENT)


def test_a_broken_compression_is_an_unreadable_answer(checkout: Checkout) -> None:
    class Broken(httpx.SyncByteStream):
        def __iter__(self) -> Any:
            yield b"not gzip at all"

    client = checkout.client(lambda request: httpx.Response(202, stream=Broken(), headers={"Content-Encoding": "gzip"}))
    with pytest.raises(errors.UnreadableAnswer) as caught:
        client.create_payment({}, idempotency_key=KEY)
    assert caught.value.acted == "unknown"


def test_a_company_proxy_is_used_for_checkout_com_and_never_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with _listening() as (port, answered):
        for host in ("127.0.0.1", "localhost"):
            client = CheckoutClient(base_url=f"http://{host}:{port}/simulator", secret_key=SECRET, timeout=5)
            assert client.get_payment(PAYMENT).status == 200
            client.close()
        assert len(answered) == 2
    client = CheckoutClient(base_url="https://api.sandbox.checkout.com", secret_key=SECRET, timeout=1)
    with pytest.raises(errors.NoAnswer, match="could not be reached"):
        client.get_payment(PAYMENT)
    client.close()


def test_one_client_serves_many_threads(checkout: Checkout) -> None:
    def app(request: httpx.Request) -> httpx.Response:
        return httpx.Response(202, json={"id": json.loads(request.content)["reference"]})

    client = checkout.client(app)
    with ThreadPoolExecutor(16) as threads:
        answers = threads.map(
            lambda number: client.create_payment({"reference": f"r{number}"}, idempotency_key=f"k{number}"), range(200)
        )
        assert [answer.body["id"] for answer in answers] == [f"r{number}" for number in range(200)]
    assert {request.headers["Cko-Idempotency-Key"] for request in checkout.requests} == {f"k{n}" for n in range(200)}


def test_the_secret_key_is_in_no_answer_and_no_error(checkout: Checkout) -> None:
    answer = checkout.answering(200, ACCEPTED).get_payment(PAYMENT)
    assert SECRET not in repr(answer)
    for status in (400, 401, 403, 404, 422, 429, 500):
        with pytest.raises(errors.CheckoutError) as caught:
            checkout.answering(status).create_payment({}, idempotency_key=KEY)
        assert SECRET not in repr(caught.value) + str(vars(caught.value))
    assert SECRET not in repr(checkout.clients) + repr(vars(checkout.clients[0]))


def _listening() -> Any:
    """A plain HTTP server on a free port of the loopback; every GET is answered with `{}`."""
    import threading
    from contextlib import contextmanager
    from http.server import BaseHTTPRequestHandler, HTTPServer

    answered: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answered.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: object) -> None:
            pass

    @contextmanager
    def serve() -> Any:
        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1], answered
        finally:
            server.shutdown()
            server.server_close()

    return serve()
