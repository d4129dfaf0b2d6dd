"""The state of one payment: what its facts add up to, and its one written form."""

from __future__ import annotations

import msgspec


class _Values(msgspec.Struct, frozen=True, array_like=True, order=True, gc=False):
    """A few values in a row. Thousands are made a second, so it is neither a named tuple nor looked at for cycles."""


class Mark(_Values, frozen=True):
    """What one fact said of one thing; the latest by the provider's time stands, the id breaks ties."""

    at: str
    fact: str
    amount: int | None = None
    currency: str | None = None
    code: str | None = None
    summary: str | None = None
    key: str | None = None


class Said(_Values, frozen=True):
    """A describing value. The higher `rank` speaks with more authority (payment facts before refund facts), then the first."""

    rank: int
    at: str
    fact: str
    value: str | int


class Intent(_Values, frozen=True):
    """A refund that a person asked for here."""

    at: str
    amount: int
    currency: str
    reason: str
    note: str
    by: str


class Terms(_Values, frozen=True):
    """What else was settled when that refund was asked for; empty where it does not apply. See `facts.refund_requested`."""

    at: str
    reason_label: str
    retry_of: str
    lines: str
    limit: int
    approve_by: str
    held_until: str
    told_before: tuple[str, ...]


class Decided(_Values, frozen=True):
    """One decision about a refund that is not sent yet. See `facts.refund_decided`."""

    at: str
    fact: str
    by: str
    why: str
    held_until: str
    told_before: tuple[str, ...]


class Balances(_Values, frozen=True):
    """Checkout.com's own totals, as one fact told them."""

    at: str
    refunded: int
    captured: int
    fact: str


class PaymentState(msgspec.Struct, kw_only=True):
    """All that the facts of one payment add up to. Change it only through `fold`."""

    said: dict[str, Said] = {}
    captures: dict[str, Mark] = {}
    """By action id; under "" what came without one."""
    closings: dict[str, Mark] = {}
    pending: dict[str, Mark] = {}
    refunded: dict[str, Mark] = {}
    declined: dict[str, Mark] = {}
    intents: dict[str, Intent] = {}
    accepted: dict[str, Mark] = {}
    """By intent key; `key` holds the action id."""
    refused: dict[str, Mark] = {}
    # Most payments have neither; left out of the encoded state, they cost nothing.
    terms: dict[str, Terms] | msgspec.UnsetType = msgspec.UNSET
    """By intent key."""
    decided: dict[str, dict[str, Decided]] | msgspec.UnsetType = msgspec.UNSET
    """By intent key, then by the type of the fact."""
    erased_at: str | msgspec.UnsetType = msgspec.UNSET
    """When the customer's personal data was erased; from then on none is taken up."""
    balances: Balances | None = None
    requested_at: str = "9"
    first_at: str = "9"
    updated_at: str = ""
    facts: int = 0


def encode(state: PaymentState) -> str:
    """The state as JSON; equal states give equal text."""
    return msgspec.json.encode(state, order="deterministic").decode()


def decode(text: str) -> PaymentState:
    """The state that `encode` wrote."""
    return _decoder.decode(text)


def capture_actions(text: str) -> list[str]:
    """The ids of the captures in what `encode` wrote, without reading the rest."""
    return [action for action in _captures.decode(text).captures if action]


class _Captures(msgspec.Struct):
    captures: dict[str, msgspec.Raw] = {}


_decoder = msgspec.json.Decoder(PaymentState)
_captures = msgspec.json.Decoder(_Captures)
