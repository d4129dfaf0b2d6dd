"""When a call is tried again, how long it waits, and what it then knows."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
import stamina

from lib.checkout import errors
from lib.checkout.client import CheckoutClient

from .conftest import SECRET, Checkout

PAYMENT = "pay_" + "b" * 26
OK = {"id": PAYMENT}


def _ok() -> httpx.Response:
    return httpx.Response(202, json=OK)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_passing_trouble_is_tried_again_under_the_same_key_with_the_same_bytes(
    checkout: Checkout, status: int
) -> None:
    client = checkout.in_turn(httpx.Response(status), httpx.ReadTimeout("x"), _ok())
    answer = client.create_payment({"amount": 1, "reference": "한"}, idempotency_key="one-key")
    assert (answer.status, answer.attempts) == (202, 3)
    assert {request.headers["Cko-Idempotency-Key"] for request in checkout.requests} == {"one-key"}
    assert len({request.content for request in checkout.requests}) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 501, 302])
def test_a_refusal_is_not_tried_again(checkout: Checkout, status: int) -> None:
    with pytest.raises(errors.CheckoutError):
        checkout.in_turn(httpx.Response(status), _ok()).create_payment({}, idempotency_key="k")
    assert len(checkout.requests) == 1


def test_three_attempts_are_the_most(checkout: Checkout) -> None:
    with pytest.raises(errors.NoAnswer):
        checkout.in_turn(*[httpx.ReadTimeout("x")] * 9).get_payment(PAYMENT)
    assert len(checkout.requests) == 3


@pytest.mark.parametrize(
    ("last", "acted"),
    [(401, "unknown"), (403, "unknown"), (404, "unknown"), (422, "no"), (400, "no")],
)
def test_what_a_refusal_says_of_a_time_out_before_it(checkout: Checkout, last: int, acted: str) -> None:
    """A revoked key says nothing about what the time-out hid; a refused request under the same key does."""
    with pytest.raises(errors.CheckoutError) as caught:
        checkout.in_turn(httpx.ReadTimeout("x"), httpx.Response(last)).refund(PAYMENT, None, idempotency_key="k")
    assert (caught.value.status, caught.value.acted) == (last, acted)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Real waits, recorded and not slept."""
    slept: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", slept.append)
    with stamina.set_testing(False):
        yield slept


def test_retry_after_is_honoured(checkout: Checkout, waits: list[float]) -> None:
    busy = httpx.Response(429, headers={"Retry-After": "3"})
    assert checkout.in_turn(busy, busy, _ok()).create_payment({}, idempotency_key="k").attempts == 3
    assert len(waits) == 2
    assert all(3 <= wait <= 3.3 for wait in waits)


def test_a_retry_after_beyond_a_persons_patience_is_handed_to_the_caller(
    checkout: Checkout, waits: list[float]
) -> None:
    client = checkout.in_turn(httpx.Response(429, headers={"Retry-After": "30"}), _ok())
    with pytest.raises(errors.RateLimited) as caught:
        client.create_payment({}, idempotency_key="k")
    assert (caught.value.retry_after, caught.value.acted, waits) == (30, "unknown", [])


def test_back_off_grows_with_jitter(checkout: Checkout, waits: list[float]) -> None:
    for _ in range(10):
        checkout.in_turn(httpx.Response(502), httpx.Response(502), _ok()).create_payment({}, idempotency_key="k")
    first, second = waits[::2], waits[1::2]
    assert all(0.25 <= wait <= 0.5 for wait in first)
    assert all(0.5 <= wait <= 0.75 for wait in second)
    assert len(set(waits)) > 10


class Clock:
    """Time that passes only where somebody waits; in place of `time` where calls are made."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """The waits between attempts take their time on it, and so does whatever a test lets Checkout.com take."""
    clock = Clock()
    monkeypatch.setattr("lib.checkout.line.time", clock)
    monkeypatch.setattr("tenacity.nap.time", clock)
    with stamina.set_testing(False):
        yield clock


def test_a_person_waits_at_most_two_and_a_half_time_outs(checkout: Checkout, clock: Clock) -> None:
    """Two whole attempts, the waits between them, and a third that has what is left."""
    given: list[float] = []

    def silent(request: httpx.Request) -> httpx.Response:
        given.append(request.extensions["timeout"]["read"])
        clock.sleep(given[-1])
        raise httpx.ReadTimeout("x")

    with pytest.raises(errors.NoAnswer, match="in time") as caught:
        checkout.client(silent, timeout=10).create_payment({}, idempotency_key="k")
    assert given[:2] == [10, 10]
    assert len(given) == 3
    assert given[2] < 10
    assert clock.now == pytest.approx(25)
    assert caught.value.acted == "unknown"


def test_an_answer_that_trickles_is_given_up_on_too(checkout: Checkout, clock: Clock) -> None:
    """Each read comes in time, the whole does not."""
    sent: list[int] = []

    def trickle() -> Iterator[bytes]:
        sent.append(0)
        while True:
            clock.sleep(3)
            sent[-1] += 1
            yield b" "

    with pytest.raises(errors.NoAnswer, match="in time"):
        checkout.client(lambda _: httpx.Response(200, content=trickle()), timeout=10).get_payment(PAYMENT)
    assert sent == [4, 4]


@pytest.mark.parametrize("trickles", [False, True])
def test_a_real_connection_is_given_up_on_as_well(*, trickles: bool) -> None:
    """Where nothing ever comes, and where something always does: either would go on for longer than any test may."""
    stop = threading.Event()

    def answer(server: socket.socket) -> None:
        while not stop.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                try:
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                    while not stop.wait(0.05):
                        connection.sendall(b" ")
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as server:
        if trickles:
            threading.Thread(target=answer, args=(server,), daemon=True).start()
        client = CheckoutClient(base_url=f"http://127.0.0.1:{server.getsockname()[1]}", secret_key=SECRET, timeout=0.3)
        with pytest.raises(errors.NoAnswer, match="in time"):
            client.get_payment(PAYMENT)
        stop.set()
        client.close()
