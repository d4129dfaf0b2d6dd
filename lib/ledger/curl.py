"""A call that was made to Checkout.com, as a command line for a terminal; the secret key is never in it."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from lib.ledger.tables import Event

_KIND_OF_KEY = re.compile(r"sk_(sbox_)?")


def curl_of(fact: Event, *, base_url: str, secret_key: str) -> str | None:
    """The call that a fact is the answer to; None for what was no call of ours, or was not kept whole.

    Of `secret_key` only what it begins with, which everybody knows, is shown. The body is what was sent, to the byte.
    Split as a shell does, the command is `curl` and its arguments: nothing in a body can end its quotes.
    """
    call = _call(fact)
    if call is None:
        return None
    method, path, key, body = call
    kind = _KIND_OF_KEY.match(secret_key)
    parts = [
        f"curl -X {method} {shlex.quote(base_url + path)}",
        _header(f"Authorization: Bearer {kind.group() if kind else ''}…"),
        _header("Accept: application/json"),
    ]
    if key is not None:
        parts.append(_header(f"Cko-Idempotency-Key: {key}"))
    if body is not None:
        parts += [_header("Content-Type: application/json"), f"--data-raw {shlex.quote(json.dumps(body))}"]
    return " ".join(parts)


def _header(text: str) -> str:
    return f"-H {shlex.quote(text)}"


def _call(fact: Event) -> tuple[str, str, str | None, Any] | None:
    """Method, path, idempotency key and body."""
    payment = f"/payments/{fact.payment_id}"
    if fact.source == "poll":
        reads = {"payment_read": payment, "actions_read": f"{payment}/actions"}
        return "GET", reads.get(fact.type, f"/workflows/events/{fact.id}"), None, None
    posts = {
        "payment_accepted": "/payments",
        "refund_accepted": f"{payment}/refunds",
        "refund_refused": f"{payment}/refunds",
    }
    if fact.source != "api" or fact.type not in posts:
        return None
    exchange = json.loads(fact.body)
    if "request" not in exchange:
        return None
    return "POST", posts[fact.type], str(exchange["key"]), exchange["request"]
