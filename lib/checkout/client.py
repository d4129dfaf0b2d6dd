"""The client of Checkout.com's payments API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlencode

from lib.checkout import errors
from lib.checkout.answer import Answer

if TYPE_CHECKING:
    import httpx

    from lib.checkout.line import Line

__all__ = ["Answer", "CheckoutClient"]

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_VISIBLE_ASCII = re.compile(r"[!-~]+")


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
        self.base_url = base_url

        def dial() -> Line:
            # Loaded at the first call: HTTP and its certificates take longer than the first screen, which calls nobody.
            from lib.checkout.line import Line  # noqa: PLC0415

            return Line(base_url=base_url, secret_key=secret_key, timeout=timeout, transport=transport)

        self._dial = dial  # not the key itself, which no look at this object may show

    @cached_property
    def _line(self) -> Line:
        return self._dial()

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
        self._line.download(path, into)

    def close(self) -> None:
        """Close the connections; the client cannot be used afterwards."""
        self._line.close()

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
        return self._line.call(method, path, headers=headers, content=content, sent=body, shape=shape)


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
