"""The signature on webhooks: HMAC-SHA256 of the raw body, in lower-case hex, in the header `Cko-Signature`.

The key is the workflow action's own `signature.key`, taken as UTF-8. There is no prefix, time or nonce in it
(Checkout.com docs, "Manage webhooks"), so a replay is caught by the event's id, not here.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

Refusal = Literal["no header", "not hex", "no key matches"]

_HEX = re.compile(r"[0-9a-fA-F]{64}")


class Signature(NamedTuple):
    """The verdict on one delivery: true when `key_index` names the key that matched, else `refusal` says why not."""

    key_index: int | None = None
    refusal: Refusal | None = None

    def __bool__(self) -> bool:
        return self.key_index is not None


def sign(raw: bytes, key: str) -> str:
    """The header's value for these bytes: 64 lower-case hex digits."""
    return _digest(raw, key).hex()


def verify(raw: bytes, header: str | None, keys: Sequence[str]) -> Signature:
    """Check the header against every key; nothing of the body is parsed.

    Every key is tried whichever matches, each in constant time, so that timing tells neither how near a forgery came
    nor which key is in use. An empty key matches nothing, because anybody could sign with it.
    """
    if not header:
        return Signature(refusal="no header")
    if not _HEX.fullmatch(header):
        return Signature(refusal="not hex")
    claimed = bytes.fromhex(header)
    matches = [index for index, key in enumerate(keys) if hmac.compare_digest(_digest(raw, key), claimed) and key]
    return Signature(key_index=matches[0]) if matches else Signature(refusal="no key matches")


def _digest(raw: bytes, key: str) -> bytes:
    return hmac.digest(key.encode(), raw, "sha256")
