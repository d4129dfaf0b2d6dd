"""Which money this is: a simulator's, that of Checkout.com's sandbox, or real. The host that is asked tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

World = Literal["simulator", "sandbox", "live"]
WORLD_WORDS: Mapping[World, str] = {
    "simulator": "Simulator · no real money",
    "sandbox": "Sandbox · no real money",
    "live": "Live · real money",
}
"""How each world is called on every screen, export and QR code."""

_KEYS: Mapping[World, str] = {"sandbox": r"sk_sbox_[a-z2-7]{26}[a-z2-7*#$=]", "live": r"sk_[a-z2-7]{26}[a-z2-7*#$=]"}
"""Secret keys by world (Checkout.com's SDKs refuse others before any call)."""


def world_of(base_url: str | None) -> World:
    """The world of the API at this address. A host that is not Checkout.com's is a simulator, ours or somebody's."""
    host = (urlsplit(base_url or "").hostname or "").rstrip(".")
    if host == "api.sandbox.checkout.com" or host.endswith(".api.sandbox.checkout.com"):
        return "sandbox"
    if host == "checkout.com" or host.endswith(".checkout.com"):
        return "live"
    return "simulator"


def opens(world: World, secret_key: str) -> bool:
    """Whether a key looks like a whole one of Checkout.com's for this world; a simulator takes any."""
    return world not in _KEYS or bool(re.fullmatch(_KEYS[world], secret_key))
