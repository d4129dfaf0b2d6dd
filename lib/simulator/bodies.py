"""Bodies of requests: JSON objects, read as strictly as Checkout.com reads them."""

from __future__ import annotations

from typing import Any

import msgspec

from lib.simulator.problem import Refusal

_DEEPEST = 32


def read_object(raw: bytes, *, empty: bool = False) -> dict[str, Any]:
    """Parse a JSON object. 400 `request_json_invalid` for anything else, also for broken UTF-8 and bottomless nesting."""
    if empty and not raw.strip():
        return {}
    try:
        body = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        raise Refusal(400, "request_json_invalid") from None
    if not isinstance(body, dict) or _depth(body) > _DEEPEST:
        raise Refusal(400, "request_json_invalid")
    return body


def write_object(body: dict[str, Any]) -> str:
    """The reverse of `read_object`."""
    return msgspec.json.encode(body).decode()


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level:
        deepest += 1
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]
    return deepest
