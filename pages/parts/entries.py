"""How an entry of the audit log reads."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lib import catalog
from lib.money import Money
from pages.parts import words

_ORIGINS: Mapping[str, str] = {"local": "This machine", "sign-in": "Signed in"}


_ACTIONS: Mapping[str, str] = {
    "bulk.uploaded": "Bulk refunds uploaded",
    "bulk.started": "Bulk refunds started",
    "bulk.stopped": "Bulk refunds stopped",
    "bulk.resumed": "Bulk refunds resumed",
    "payment.reread": "Payment re-read",
    "period.closed": "Month closed",
    "period.reopen_asked": "Reopening asked",
    "period.reopen_declined": "Reopening declined",
    "period.reopened": "Month reopened",
    "period.downloaded": "Month downloaded",
    "sample.begun": "Sample data begun",
    "sample.removed": "Sample data removed",
    "sample.resumed": "Sample data resumed",
    "sample.stopped": "Sample data stopped",
    "sign_in.done": "Signed in",
    "sign_in.ended": "Signed out",
    "sign_in.turned_away": "Turned away",
    "simulator.customer_played": "Customer played",
    "simulator.event_sent_again": "Event sent again",
    "simulator.source_revoked": "Stored source ended",
}
"""Actions whose names do not say it in the words of the screens."""
_SUBJECTS: Mapping[str, str] = {
    "bulk": "File",
    "delivery": "Delivery",
    "difference": "Difference",
    "report": "Report",
    "view": "View",
}
"""What an id is of that does not say so itself, by how the names of its actions begin."""
_PLACES: Mapping[str, str] = {
    "payments": "Payments",
    "proof": "Replay proof",
    "sample data": "Sample data",
    "settings": "Settings",
    "theatre": "Incident theatre",
}
"""What there is one of."""
_ACTS: Mapping[str, str] = {"rows": "Rows", "sign_in": "Sign-in"}
"""What is done to nothing that has an id; what stands in its place is a span of time, or who it was and when."""
_FIELDS: Mapping[str, str] = {"event_seq": "last event", "lines": "rows", "sha256": "SHA-256"}
_IDS = frozenset({"fact", "refund", "sha256"})
"""Fields whose values are told apart by their ends, as ids are everywhere."""


def action(name: str) -> str:
    """`refund.requested` as `Refund requested`."""
    if name in _ACTIONS:
        return _ACTIONS[name]
    return name.replace(".", " ").replace("_", " ").capitalize()


def subject(action: str, value: str) -> str:
    """On what: `File e026…6295`, `pay_6kv6…ywon`, `Settings`."""
    kind = action.partition(".")[0]
    if kind in _ACTS:
        return _ACTS[kind]
    if value in _PLACES or " " in value:
        return _PLACES.get(value, value)
    short = words.short_id(value)
    if kind == "payment" and not value.startswith("pay_"):
        return f"Key {short}"  # of a payment that has no id yet when it is asked for
    return f"{_SUBJECTS[kind]} {short}" if kind in _SUBJECTS else short


def origin(kind: str, address: str | None) -> str:
    """`Signed in, 192.0.2.7`."""
    return ", ".join(filter(None, (_ORIGINS.get(kind, kind), address)))


def change(before: str | None, after: str | None, subject: str = "") -> str:
    """What was before and what is after: `verdict: bad_signature → accepted; amount: HKD 11.00`.

    `subject` is what it was done to: a closed month's names the currency of its figures.
    """
    old, new = _values(before, subject), _values(after, subject)
    parts = []
    for name in {**old, **new}:
        value = _said(name, new.get(name))
        label = name if name.isupper() else _FIELDS.get(name, name.replace("_", " "))
        parts.append(f"{label}: {f'{_said(name, old[name])} → ' if name in old else ''}{value}")
    return "; ".join(parts)


def _values(text: str | None, subject: str) -> dict[str, object]:
    values: dict[str, object] = json.loads(text) if text else {}
    currency = values.get("currency") or subject.partition(" ")[0]
    for name in ("amount", "closing"):
        minor = values.get(name)
        if isinstance(minor, int) and isinstance(currency, str) and currency in catalog.currencies():
            values = {other: value for other, value in values.items() if other != "currency"}
            values[name] = str(Money(minor, currency))
    if isinstance(values.get("reason"), str):
        values["reason"] = words.reason(str(values["reason"]))
    return values


def _said(name: str, value: object) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name != "seed":
        return f"{value:,}"
    if name in _IDS:
        return words.short_id(str(value))
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
