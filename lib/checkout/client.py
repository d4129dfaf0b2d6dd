"""The client of Checkout.com's payments API."""

from __future__ import annotations

import ipaddress
import json
import logging
import random
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO, Any
from urllib.parse import urlencode

import httpx
import msgspec
import stamina

from lib.checkout import errors
from lib.checkout.answer import Answer

__all__ = ["Answer", "CheckoutClient"]

_ATTEMPTS = 3
_PATIENCE = 2.5
"""How many time-outs a person waits at most, over all attempts."""
_WORTH_TRYING = 0.2
"""The share of a time-out that must be left for another attempt to be worth starting."""
_JITTER = 0.25
_LARGEST_ANSWER = 8 * 1024 * 1024
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_VISIBLE_ASCII = re.compile(r"[!-~]+")

logger = logging.getLogger(__name__)


class CheckoutClient:
    """Calls Checkout.com, or whatever answers like it at `base_url`, which may have a path.

    Every method returns an `Answer` with a 2xx status and raises a `CheckoutError` otherwise. A call is tried up to
    three times within 2.5 time-outs when no answer came, on 429 and on 5xx: a GET changes nothing, and every POST
    carries an idempotency key, under which Checkout.com acts once (docs, "Idempotency": the key lives for 24 hours;
    in the sandbox it was 120 seconds until 2024, so look at the payment before sending an old key again).
    Safe to share between threads.
    """

    def __init__(
        self, *, base_url: str, secret_key: str, timeout: float = 10.0, transport: httpx.BaseTransport | None = None
    ) -> None:
        """`timeout` in seconds is for one attempt; `transport` replaces the network.

        Raises ValueError on a key that no header can carry.
        """
        if not _VISIBLE_ASCII.fullmatch(secret_key):
            raise ValueError("the secret key is empty or has a character that no key has; copy it again")
        self._timeout = timeout
        self.base_url = base_url
        self._http = httpx.Client(
            base_url=base_url,
            headers={
                "Authorization": f"Bearer {secret_key}",
                "Accept": "application/json",
                "User-Agent": "kakaopay-desk",
            },
            follow_redirects=False,
            # A company's proxy and certificates come from the environment and are often the only way out; no proxy
            # can reach back to the loopback of this machine, where the simulator is.
            trust_env=not _is_loopback(base_url),
            transport=transport,
        )

    def create_payment(self, body: Mapping[str, Any], *, idempotency_key: str) -> Answer:
        """`POST /payments`: 202 with an id and, for a redirect, `_links.redirect`."""
        return self._call("POST", "/payments", body=body, key=idempotency_key)

    def get_payment(self, payment_id: str) -> Answer:
        """`GET /payments/{id}`."""
        return self._call("GET", f"/payments/{_segment(payment_id)}")

    def get_actions(self, payment_id: str) -> Answer:
        """`GET /payments/{id}/actions`: a bare array, newest first."""
        return self._call("GET", f"/payments/{_segment(payment_id)}/actions", shape=list)

    def refund(self, payment_id: str, body: Mapping[str, Any] | None, *, idempotency_key: str) -> Answer:
        """`POST /payments/{id}/refunds`: 202 with an `action_id`. No body refunds all that is left."""
        return self._call("POST", f"/payments/{_segment(payment_id)}/refunds", body=body, key=idempotency_key)

    def find_by_reference(self, reference: str, *, limit: int = 100, skip: int = 0) -> Answer:
        """`GET /payments?reference=`: a page `{limit, skip, total_count, data}`, newest first; `limit` 1 to 100."""
        query = urlencode({"reference": reference, "limit": limit, "skip": skip}, errors="replace")
        return self._call("GET", f"/payments?{query}")

    def get_events_of(self, payment_id: str) -> Answer:
        """`GET /workflows/events/subject/{id}`: the events of one payment, `{data}`."""
        return self._call("GET", f"/workflows/events/subject/{_segment(payment_id)}", shape=(dict, list))

    def get_event(self, event_id: str) -> Answer:
        """`GET /workflows/events/{id}`: one event as it was or would have been delivered."""
        return self._call("GET", f"/workflows/events/{_segment(event_id)}")

    def list_reports(self, *, created_after: str, token: str | None = None) -> Answer:
        """`GET /reports`: a page `{count, limit, data, _links}`, newest first; `token` is the one that `_links.next` names.

        `created_after` is an ISO 8601 time in UTC.
        """
        query = {"created_after": created_after, "limit": 100} | ({"pagination_token": token} if token else {})
        return self._call("GET", f"/reports?{urlencode(query)}")

    def download_report(self, report_id: str, file_id: str, into: IO[bytes]) -> None:
        """`GET /reports/{id}/files/{file}`: the CSV, written to `into` as it comes. It is not tried again by itself."""
        path = f"/reports/{_segment(report_id)}/files/{_segment(file_id)}"
        try:
            with self._http.stream("GET", path, headers={"Accept": "text/csv"}, timeout=self._timeout) as response:
                if response.is_success:
                    for part in response.iter_bytes():
                        into.write(part)
                    return
                body, _ = _parse(_read(response, time.monotonic() + self._timeout))
                request_id = response.headers.get("Cko-Request-Id")
                answer = Answer(response.status_code, request_id, body, "GET", path, None, 0, 1, datetime.now(UTC))
                raise errors.from_answer(answer, acts=False, retry_after=response.headers.get("Retry-After"))
        except (httpx.TransportError, httpx.DecodingError) as error:
            if isinstance(error, httpx.TransportError):
                raise errors.no_answer(error, acts=False) from error
            raise errors.NoAnswer("Checkout.com sent the file broken. Try again in a moment.", acted="no") from error

    def close(self) -> None:
        """Close the connections; the client cannot be used afterwards."""
        self._http.close()

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        key: str | None = None,
        shape: type | tuple[type, ...] = dict,
    ) -> Answer:
        headers = {} if key is None else {"Cko-Idempotency-Key": _header_value(key)}
        content = b""
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body, allow_nan=False).encode()
        call = _Call(self._http, self._timeout, method, path, headers, content, body)
        for attempt in stamina.retry_context(
            on=call.try_again, attempts=_ATTEMPTS, timeout=None, wait_initial=0.25, wait_max=2.0, wait_jitter=_JITTER
        ):
            with attempt:
                answer = call.once(attempt.num)
                if not isinstance(answer.body, shape):
                    raise errors.unreadable(answer, f"{answer.status} with no such body as documented", acts=call.acts)
        return answer


class _Call:
    """One call over its attempts: the deadline they share and whether an earlier one may have acted."""

    def __init__(
        self,
        http: httpx.Client,
        timeout: float,
        method: str,
        path: str,
        headers: dict[str, str],
        content: bytes,
        sent: Mapping[str, Any] | None,
    ) -> None:
        self.acts = method != "GET"
        self._http, self._timeout = http, timeout
        self._method, self._path, self._headers, self._content = method, path, headers, content
        self._sent = None if sent is None else dict(sent)
        self._started = time.monotonic()
        self._deadline = self._started + _PATIENCE * timeout
        self._in_doubt = False

    def once(self, number: int) -> Answer:
        """One attempt; raises the error of its kind unless the status is 2xx."""
        limit = min(self._timeout, max(self._deadline - time.monotonic(), _WORTH_TRYING * self._timeout))
        until = time.monotonic() + limit
        request = self._http.build_request(
            self._method, self._path, headers=self._headers, content=self._content, timeout=limit
        )
        try:
            response = self._http.send(request, stream=True)
            try:
                raw = _read(response, until)
            finally:
                response.close()
        except httpx.TransportError as error:
            self._log(logging.WARNING, "no answer from Checkout.com", number, problem=type(error).__name__)
            raise errors.no_answer(error, acts=self.acts) from error
        except httpx.DecodingError:
            raw = None
        body, readable = _parse(raw)
        answer = Answer(
            status=response.status_code,
            request_id=response.headers.get("Cko-Request-Id"),
            body=body,
            method=self._method,
            path=self._path,
            sent=self._sent,
            elapsed_ms=round((time.monotonic() - self._started) * 1000),
            attempts=number,
            received_at=datetime.now(UTC),
        )
        said = {"status": answer.status, "request_id": answer.request_id, "elapsed_ms": answer.elapsed_ms}
        self._log(logging.INFO if response.is_success else logging.WARNING, "Checkout.com answered", number, **said)
        if not response.is_success:
            raise errors.from_answer(answer, acts=self.acts, retry_after=response.headers.get("Retry-After"))
        if not readable:
            raise errors.unreadable(answer, f"{answer.status} with a body that is not JSON", acts=self.acts)
        return answer

    def _log(self, level: int, words: str, number: int, **more: Any) -> None:
        path, _, _ = self._path.partition("?")  # a query may name a customer's order
        key = self._headers.get("Cko-Idempotency-Key")
        call = {"call": f"{self._method} {path}", "attempt": number, **({"idempotency_key": key} if key else {})}
        logger.log(level, words, extra=call | more)

    def try_again(self, error: Exception) -> bool | float:
        """Stamina's question after each attempt: no, yes after its back-off, or yes after so many seconds."""
        if not isinstance(error, errors.CheckoutError):
            return False
        # A key found revoked, or a payment found missing, after a time-out says nothing of what the time-out hid; a
        # refusal of the request itself does, since under its key an accepted request would have been answered again.
        if self._in_doubt and not isinstance(error, errors.InvalidRequest):
            error.acted = "unknown"
        self._in_doubt = self._in_doubt or error.acted == "unknown"
        if not isinstance(error, errors.NoAnswer | errors.RateLimited | errors.ServiceFailed) or error.status == 501:
            return False
        left = self._deadline - time.monotonic() - _WORTH_TRYING * self._timeout
        if error.retry_after is None:
            return left > 0
        spread = random.uniform(0, _JITTER)  # noqa: S311 - spreads callers out, no secret
        return error.retry_after + spread if error.retry_after < left else False


def _read(response: httpx.Response, until: float) -> bytes | None:
    """The body, None when larger than any answer we know; raises httpx.ReadTimeout when it trickles past `until`."""
    read = bytearray()
    for chunk in response.iter_bytes():
        read += chunk
        if len(read) > _LARGEST_ANSWER:
            return None
        if time.monotonic() > until:
            raise httpx.ReadTimeout("the answer took too long to arrive", request=response.request)
    return bytes(read)


def _parse(raw: bytes | None) -> tuple[Any, bool]:
    """The JSON and whether it could be read; nothing at all reads as None."""
    if raw is None:
        return None, False
    if not raw.strip():
        return None, True
    try:
        return msgspec.json.decode(raw), True
    except (msgspec.DecodeError, RecursionError):
        return None, False


def _segment(identifier: str) -> str:
    """An id as it may stand in a path.

    Ids are a prefix and 26 word characters (Checkout.com's SDKs). Others exist nowhere, and with a slash or dots in
    them would ask for something else, since servers undo percent-encoding before they route.
    """
    if not _ID.fullmatch(identifier):
        raise errors.NotFound(
            f"“{identifier[:60]}” is not an id of Checkout.com's. Check that it was copied whole.", acted="no"
        )
    return identifier


def _header_value(key: str) -> str:
    if not _VISIBLE_ASCII.fullmatch(key):
        raise ValueError("an idempotency key is one or more visible ASCII characters")
    return key


def _is_loopback(url: str) -> bool:
    host = httpx.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
