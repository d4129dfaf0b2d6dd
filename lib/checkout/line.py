"""The line to Checkout.com: one call over its attempts, or a file as it comes, on connections that are kept."""

from __future__ import annotations

import ipaddress
import logging
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO, Any

import httpx
import msgspec
import stamina

from lib.checkout import errors
from lib.checkout.answer import Answer

_ATTEMPTS = 3
_PATIENCE = 2.5
"""How many time-outs a person waits at most, over all attempts."""
_WORTH_TRYING = 0.2
"""The share of a time-out that must be left for another attempt to be worth starting."""
_JITTER = 0.25
_LARGEST_ANSWER = 8 * 1024 * 1024

logger = logging.getLogger(__name__)


class Line:
    """What `CheckoutClient` calls over; its arguments are explained there. Safe to share between threads."""

    def __init__(
        self, *, base_url: str, secret_key: str, timeout: float, transport: httpx.BaseTransport | None
    ) -> None:
        self._timeout = timeout
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

    def call(
        self,
        method: str,
        path: str,
        *,
        headers: dict[str, str],
        content: bytes,
        sent: Mapping[str, Any] | None,
        shape: type | tuple[type, ...],
    ) -> Answer:
        """Ask, again and again while that may help. `content` is `sent` as JSON; `shape` is what the answer must be."""
        call = _Call(self._http, self._timeout, method, path, headers, content, sent)
        for attempt in stamina.retry_context(
            on=call.try_again, attempts=_ATTEMPTS, timeout=None, wait_initial=0.25, wait_max=2.0, wait_jitter=_JITTER
        ):
            with attempt:
                answer = call.once(attempt.num)
                if not isinstance(answer.body, shape):
                    raise errors.unreadable(answer, f"{answer.status} with no such body as documented", acts=call.acts)
        return answer

    def download(self, path: str, into: IO[bytes]) -> None:
        """A CSV, written to `into` as it comes. It is not tried again by itself."""
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
                raise _no_answer(error, acts=False) from error
            raise errors.NoAnswer("Checkout.com sent the file broken. Try again in a moment.", acted="no") from error

    def close(self) -> None:
        """Close the connections; nothing can be asked afterwards."""
        self._http.close()


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
            raise _no_answer(error, acts=self.acts) from error
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


def _no_answer(error: httpx.TransportError, *, acts: bool) -> errors.NoAnswer:
    """The error for a call that ended without an answer."""
    acted: errors.Acted = "unknown" if acts else "no"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError | httpx.UnsupportedProtocol):
        words = (
            "Checkout.com could not be reached. Check the internet connection and CHECKOUT_BASE_URL, then try again."
        )
        return errors.NoAnswer(words, acted=acted)
    what = "did not answer in time" if isinstance(error, httpx.TimeoutException) else "broke the connection off"
    done = (
        " It may still have acted; trying again with the same request is safe." if acts else " Try again in a moment."
    )
    return errors.NoAnswer(f"Checkout.com {what}.{done}", acted=acted)


def _is_loopback(url: str) -> bool:
    host = httpx.URL(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
