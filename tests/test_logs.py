"""Lines of the log for people and for machines, without a key in them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import httpx
import pytest

from lib import logs
from lib.checkout.client import CheckoutClient
from lib.checkout.errors import CheckoutError
from lib.settings import Settings

KEY = "sk_sbox_" + "k" * 26 + "="


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("lib", "pages")]
    before = [(logger.level, logger.handlers) for logger in loggers]
    yield
    for logger, (level, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers = handlers


def configured(**settings: str) -> io.StringIO:
    stream = io.StringIO()
    given = {
        "CHECKOUT_SECRET_KEY": KEY,
        "CHECKOUT_WEBHOOK_KEYS": "webhook-key-1,webhook-key-2",
        "DATABASE_URL": "postgresql+psycopg://desk:pass%21word@127.0.0.1/ledger",
        "LOG_LEVEL": "INFO",
    } | settings
    logs.configure(Settings(_env_file=None, **{name.lower(): value for name, value in given.items()}), stream)
    return stream


def call(status: int) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json={"id": "pay_1"}, headers={"Cko-Request-Id": "req-77"})

    client = CheckoutClient(base_url="https://checkout.example", secret_key=KEY, transport=httpx.MockTransport(answer))
    client.find_by_reference("Kim Minji")


def test_every_call_is_a_line_of_json_with_its_ids() -> None:
    stream = configured(LOG_FORMAT="json")
    call(200)
    line = json.loads(stream.getvalue())
    assert line["message"] == "Checkout.com answered"
    assert (line["call"], line["status"], line["request_id"]) == ("GET /payments", 200, "req-77")
    assert (line["level"], line["logger"]) == ("INFO", "lib.checkout.line")
    assert "Kim" not in stream.getvalue()


def test_for_people_the_ids_stand_behind_the_words() -> None:
    stream = configured()
    call(200)
    assert "Checkout.com answered call=GET /payments attempt=1 status=200 request_id=req-77" in stream.getvalue()


def test_what_went_well_can_be_left_out() -> None:
    stream = configured(LOG_LEVEL="WARNING")
    call(200)
    assert stream.getvalue() == ""
    with pytest.raises(CheckoutError):
        call(404)
    assert "status=404" in stream.getvalue()


@pytest.mark.parametrize("kind", ["text", "json"])
def test_no_secret_is_in_any_line_or_traceback(kind: str) -> None:
    stream = configured(LOG_FORMAT=kind)
    logger = logging.getLogger("lib.something")
    logger.info("with %s and %s", KEY, "webhook-key-2", extra={"header": f"Bearer {KEY}"})
    try:
        raise RuntimeError("cannot reach desk:pass!word@127.0.0.1 or pass%21word")
    except RuntimeError:
        logger.exception("it failed")
    said = stream.getvalue()
    assert "RuntimeError" in said
    for secret in (KEY, "webhook-key-2", "pass!word", "pass%21word"):
        assert secret not in said
