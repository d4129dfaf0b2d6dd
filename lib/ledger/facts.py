"""Facts: what a webhook said, the API answered, a poll found or a person asked for, each with an id of its own.

The id is the same whenever the same fact comes again, so that storing it twice stores it once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from lib.checkout.answer import Answer
from lib.checkout.times import parse_time

Source = Literal["webhook", "api", "poll", "human", "clock"]
"""Who says it. `clock`: nobody, a time that was set has come."""

Decision = Literal["approved", "rejected", "cancelled", "lapsed", "released"]
"""About a refund that is not sent yet: `lapsed` when nobody approved it in time, `released` when its hold ended and it goes out."""

KNOWN_TYPES = frozenset(
    {
        "payment_pending",
        "payment_approved",
        "payment_capture_pending",
        "payment_captured",
        "payment_declined",
        "payment_expired",
        "payment_canceled",
        "payment_refund_pending",
        "payment_refunded",
        "payment_refund_declined",
    }
)
"""Webhook types that the fold understands: the eight of the KakaoPay page and two that live systems send beside them."""

_ID_LENGTH = 100
_MAXIMUM_DEPTH = 64


class NotReadable(ValueError):
    """Bytes that are not a JSON object in UTF-8 of sensible depth."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """One fact. `text` is its JSON as received or as we write it, `body` the same parsed."""

    id: str
    type: str
    source: Source
    occurred_at: datetime
    recorded_at: datetime
    body: dict[str, Any]
    text: str
    payment_id: str | None = None
    action_id: str | None = None

    @property
    def data(self) -> dict[str, Any]:
        """An event's `data`: the part that speaks of the payment."""
        inner = self.body.get("data")
        return inner if isinstance(inner, dict) else {}


def from_webhook(raw: bytes, recorded_at: datetime) -> Fact:
    """Read a webhook whose signature holds. Raises `NotReadable`.

    The envelope's time is `created_on` or `timestamp`; a time that cannot be is passed over for the next best one. An
    event without an id of its own is told by its bytes.
    """
    body, text = _read_object(raw)
    inner = body.get("data")
    data: dict[str, Any] = inner if isinstance(inner, dict) else {}
    times = (body.get("created_on"), body.get("timestamp"), data.get("processed_on"))
    occurred_at = next((moment for moment in map(parse_time, times) if moment), recorded_at)
    kind = _identifier(body.get("type")) or "unknown"
    payment_id = _identifier(data.get("id"))
    if payment_id and not payment_id.startswith("pay_") and not kind.startswith("payment_"):
        payment_id = None  # a report's or an account's id, not a payment's
    return Fact(
        id=_identifier(body.get("id")) or "sha256:" + hashlib.sha256(raw).hexdigest(),
        type=kind[:80],
        source="webhook",
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        body=body,
        text=text,
        payment_id=payment_id,
        action_id=_identifier(data.get("action_id")),
    )


def from_lookup(answer: Answer) -> Fact | None:
    """The event that `GET /workflows/events/{id}` told of: the same fact as its webhook would have been. None if unreadable."""
    try:
        fact = from_webhook(msgspec.json.encode(answer.body), answer.received_at)
    except NotReadable:
        return None
    return msgspec.structs.replace(fact, source="poll") if not fact.id.startswith("sha256:") else None


def from_row(row: Mapping[str, Any]) -> Fact:
    """The fact a row of `event` holds."""
    return Fact(
        id=row["id"],
        type=row["type"],
        source=row["source"],
        occurred_at=row["occurred_at"],
        recorded_at=row["recorded_at"],
        body=msgspec.json.decode(row["body"], type=dict[str, Any]),
        text=row["body"],
        payment_id=row["payment_id"],
        action_id=row["action_id"],
    )


def payment_requested(key: str, payment_id: str, by: str, request: dict[str, Any], at: datetime) -> Fact:
    """A person asked for a payment here."""
    return _own(
        f"human:{key}", "payment_requested", "human", payment_id, None, at, {"requested_by": by, "request": request}
    )


def payment_accepted(key: str, payment_id: str, answer: Answer) -> Fact:
    """Checkout.com's 202 to `POST /payments`."""
    body = _exchange(key, answer)
    return _own(f"api:{key}", "payment_accepted", "api", payment_id, None, answer.received_at, body)


def refund_requested(
    key: str,
    payment_id: str,
    *,
    amount: int,
    currency: str,
    reason: str,
    note: str,
    by: str,
    at: datetime,
    terms: Mapping[str, Any] | None = None,
) -> Fact:
    """A person asked for a refund here; from now on the amount is reserved.

    `terms`, each only where it applies: `reason_label`, the reason in the words of that day; `retry_of`, the key of the
    refund tried again; `lines`, the order lines given back (`{line, name, quantity, amount}`); `limit`, minor units,
    and `approve_by`, an ISO time, when a second person must agree; `held_until`, before which it is not sent;
    `told_before`, actions of this amount already known, which can therefore not be what becomes of this one.
    """
    body = {
        "key": key,
        "amount": amount,
        "currency": currency,
        "reason": reason,
        "note": note,
        "requested_by": by,
        **(terms or {}),
    }
    return _own(f"human:{key}", "refund_requested", "human", payment_id, None, at, body)


def refund_decided(
    decision: Decision, key: str, payment_id: str, at: datetime, *, by: str | None = None, **said: Any
) -> Fact:
    """What was decided here about the refund `key` before it was sent, once for each kind of decision.

    `by` is the person, None when a time that was set has come. `said`: `why` a rejection was made in; `held_until` and
    `told_before` as in `refund_requested`, with an approval or a release.
    """
    who = {"by": by} if by else {}
    source: Source = "human" if by else "clock"
    return _own(f"{decision}:{key}", f"refund_{decision}", source, payment_id, None, at, {"key": key, **who, **said})


def refund_accepted(key: str, payment_id: str, action_id: str, answer: Answer) -> Fact:
    """Checkout.com's 202 to the refund sent under `key`: accepted, not yet decided."""
    body = _exchange(key, answer)
    return _own(f"api:{key}", "refund_accepted", "api", payment_id, action_id, answer.received_at, body)


def refund_refused(key: str, payment_id: str, at: datetime, problem: dict[str, Any]) -> Fact:
    """Checkout.com refused the refund sent under `key`; nothing moved. `problem` holds `sentence`, `status`, `error_codes`
    and the `request` that was refused."""
    return _own(f"refused:{key}", "refund_refused", "api", payment_id, None, at, {"key": key, **problem})


def note_added(key: str, payment_id: str, *, text: str, by: str, at: datetime) -> Fact:
    """A person wrote a note for colleagues. It says nothing of the payment itself."""
    return _own(f"human:{key}", "note_added", "human", payment_id, None, at, {"key": key, "text": text, "by": by})


def customer_erased(payment_id: str, *, by: str, at: datetime) -> Fact:
    """A person, or a setting, had the customer's personal data erased from this payment."""
    return _own(f"erased:{payment_id}"[: _ID_LENGTH + 20], "customer_erased", "human", payment_id, None, at, {"by": by})


def payment_read(payment_id: str, answer: Answer) -> Fact:
    """What `GET /payments/{id}` said. Reading the same again is the same fact."""
    return _found("payment_read", payment_id, answer, {"payment": answer.body})


def actions_read(payment_id: str, answer: Answer) -> Fact:
    """What `GET /payments/{id}/actions` said. Reading the same again is the same fact."""
    return _found("actions_read", payment_id, answer, {"actions": answer.body})


def _found(kind: str, payment_id: str, answer: Answer, body: dict[str, Any]) -> Fact:
    digest = hashlib.sha256(msgspec.json.encode(body, order="sorted")).hexdigest()[:32]
    return _own(
        f"poll:{kind}:{payment_id[:40]}:{digest}"[: _ID_LENGTH + 20],
        kind,
        "poll",
        payment_id,
        None,
        answer.received_at,
        body,
    )


def _exchange(key: str, answer: Answer) -> dict[str, Any]:
    return {
        "key": key,
        "request": answer.sent,
        "response": answer.body,
        "status": answer.status,
        "request_id": answer.request_id,
        "elapsed_ms": answer.elapsed_ms,
    }


def _own(
    identity: str, kind: str, source: Source, payment_id: str, action_id: str | None, at: datetime, body: dict[str, Any]
) -> Fact:
    return Fact(
        id=identity,
        type=kind,
        source=source,
        occurred_at=at,
        recorded_at=at,
        body=body,
        text=msgspec.json.encode(body).decode(),
        payment_id=payment_id,
        action_id=action_id,
    )


def _read_object(raw: bytes) -> tuple[dict[str, Any], str]:
    try:
        text = raw.decode("utf-8")
        body = msgspec.json.decode(text)
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError) as error:
        raise NotReadable("not JSON in UTF-8") from error
    if not isinstance(body, dict):
        raise NotReadable("JSON, but not an object")
    if raw.count(b"{") + raw.count(b"[") > _MAXIMUM_DEPTH and _deeper_than(body, _MAXIMUM_DEPTH):
        raise NotReadable(f"nested deeper than {_MAXIMUM_DEPTH} levels")
    return body, text


def _deeper_than(value: object, levels: int) -> bool:
    inner: list[object] = [value]
    for _ in range(levels):
        inner = [
            child
            for node in inner
            for child in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
            if isinstance(child, (dict, list))
        ]
        if not inner:
            return False
    return True


def _identifier(value: object) -> str | None:
    """A text usable as an id: not empty, of bearable length, with characters every database takes."""
    if isinstance(value, str) and 0 < len(value) <= _ID_LENGTH and value.isprintable():
        return value
    return None
