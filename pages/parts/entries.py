"""How an entry of the audit log reads."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lib import catalog
from lib.money import Money
from pages.parts import words

_ORIGINS: Mapping[str, str] = {"local": "This machine", "sign-in": "Signed in"}


def action(name: str) -> str:
    """`refund.requested` as `Refund requested`."""
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
        label = name if name.isupper() else name.replace("_", " ")
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
