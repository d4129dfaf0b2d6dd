"""How an entry of the audit log reads."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lib.money import Money

_ORIGINS: Mapping[str, str] = {"local": "This machine", "sign-in": "Signed in"}


def action(name: str) -> str:
    """`refund.requested` as `Refund requested`."""
    return name.replace(".", " ").replace("_", " ").capitalize()


def origin(kind: str, address: str | None) -> str:
    """`Signed in, 192.0.2.7`."""
    return ", ".join(filter(None, (_ORIGINS.get(kind, kind), address)))


def change(before: str | None, after: str | None) -> str:
    """What was before and what is after: `verdict: bad_signature → accepted; amount: HKD 11.00`."""
    old, new = _values(before), _values(after)
    parts = []
    for name in {**old, **new}:
        value = _said(new.get(name))
        label = name if name.isupper() else name.replace("_", " ")
        parts.append(f"{label}: {f'{_said(old[name])} → ' if name in old else ''}{value}")
    return "; ".join(parts)


def _values(text: str | None) -> dict[str, object]:
    values: dict[str, object] = json.loads(text) if text else {}
    amount, currency = values.get("amount"), values.get("currency")
    if isinstance(amount, int) and isinstance(currency, str):
        values = {name: value for name, value in values.items() if name != "currency"}
        values["amount"] = str(Money(amount, currency))
    return values


def _said(value: object) -> str:
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
