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
_FIELDS: Mapping[str, str] = {"event_seq": "last event", "lines": "rows", "sha256": "SHA-256"}


def action(name: str) -> str:
    """`refund.requested` as `Refund requested`."""
    if name in _ACTIONS:
        return _ACTIONS[name]
    return name.replace(".", " ").replace("_", " ").capitalize()


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
        value = _said(new.get(name))
        label = name if name.isupper() else _FIELDS.get(name, name.replace("_", " "))
        parts.append(f"{label}: {f'{_said(old[name])} → ' if name in old else ''}{value}")
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


def _said(value: object) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
