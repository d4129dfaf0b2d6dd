"""What stays of a fact once a customer's personal data is erased: ids, amounts, times and statuses, nothing else.

A list of what is kept, not of what is removed: what a provider sends that we never heard of goes too.
"""

from __future__ import annotations

from typing import Any

import msgspec

_KEPT = frozenset(
    {
        *("id", "type", "version", "created_on", "timestamp", "source", "data", "action_id", "reference", "amount"),
        *("currency", "processed_on", "requested_on", "expires_on", "response_code", "response_summary", "balances"),
        *("total_authorized", "total_voided", "available_to_void", "total_captured", "available_to_capture"),
        *("total_refunded", "available_to_refund", "payment_type", "status", "approved", "capture", "processing"),
        *(
            "terminal_type",
            "os_type",
            "customer",
            "items",
            "name",
            "unit_price",
            "quantity",
            "total_amount",
            "metadata",
        ),
        *("refund_key", "_links", "redirect", "self", "href", "request", "response", "payment", "actions"),
        *("processing_channel_id", "key", "reason", "reason_label", "retry_of", "lines", "limit", "approve_by"),
        *("held_until", "told_before", "by", "requested_by", "note", "text", "why", "sentence", "error_codes"),
        *("error_type", "request_id", "elapsed_ms", "number", "pieces"),
    }
)
_ONLY = {"customer": {"id"}, "metadata": {"refund_key"}, "source": {"id", "type"}}
"""Of these objects no more than that."""
_WRITTEN = frozenset({"note", "text", "why"})
"""What people wrote; the fold reads these names, so they stay, empty."""
_MARK = "erased"


def redacted(text: str) -> str:
    """The JSON of a fact without anything personal. Redacting again changes nothing."""
    body = msgspec.json.decode(text, type=dict[str, Any])
    return msgspec.json.encode({**_object(body, _KEPT), _MARK: True}).decode()


def is_redacted(text: str) -> bool:
    """Whether this JSON went through `redacted`."""
    return text.endswith(f'"{_MARK}":true}}')


def _object(value: dict[str, Any], names: frozenset[str] | set[str]) -> dict[str, Any]:
    return {name: _value(name, inner) for name, inner in value.items() if name in names}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return _object(value, _ONLY.get(name, _KEPT))
    if isinstance(value, list):
        return [_value(name, inner) for inner in value]
    return "" if name in _WRITTEN and isinstance(value, str) else value
