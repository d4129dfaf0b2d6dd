"""What the simulator's control board says of itself and of what it did."""

from __future__ import annotations

import zlib
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """One thing that can go wrong on purpose. It strikes with probability `rate`, at most `times` times more (None: no end)."""

    where: str
    """`webhook`, `api` or `wallet`."""
    title: str
    effect: str
    on: bool
    rate: float
    times: int | None = None
    seconds: float | None = None
    """None where a duration means nothing; so `code`, a response code."""
    code: str | None = None


class Account(msgspec.Struct, frozen=True):
    """What the simulated account may do. `currencies` names one of `offers`, each a list of currencies."""

    currencies: str
    kakaopay: bool
    offers: dict[str, tuple[str, ...]]
    zone: str
    """Time zone in which settlement days are cut."""

    @property
    def timezone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


class Clock(msgspec.Struct, frozen=True):
    """The simulator's one clock: the real time and an offset, or a time that stands until it is moved."""

    now: datetime
    standing: bool
    ahead_seconds: int
    next_happening: datetime | None = None
    """When something will happen by itself, such as a link's expiry."""
    next_delivery: datetime | None = None


class Run(msgspec.Struct, frozen=True):
    """The present run. `seed` is from what everything random in it is drawn."""

    seed: str


class State(msgspec.Struct, frozen=True):
    """What the board shows at one moment; `faults` by name, in the board's order; `deliveries` only if asked for."""

    faults: dict[str, Fault]
    account: Account
    clock: Clock
    run: Run
    deliveries: tuple[Parcel, ...] = ()

    @property
    def pulse(self) -> int:
        """A number that changes whenever a switch, the account, the clock's setting or what comes next does."""
        clock = self.clock
        rest = (clock.standing and clock.now, clock.ahead_seconds, clock.next_happening, clock.next_delivery)
        return zlib.crc32(msgspec.json.encode((self.faults, self.account)) + repr(rest).encode())


class Try(msgspec.Struct, frozen=True):
    """One try to deliver an event. `status` is what the receiver answered, None when it did not."""

    at: datetime
    outcome: str
    status: int | None
    faults: tuple[str, ...]


class Parcel(msgspec.Struct, frozen=True):
    """An event and how its delivery stands: `state` is waiting, delivered, failed or kept (nobody to tell)."""

    id: str
    type: str
    payment_id: str
    state: str
    occurred_at: datetime
    next_at: datetime | None
    attempts: tuple[Try, ...]


class Replayed(msgspec.Struct, frozen=True):
    """What came of living a saved run again; `same`: every event as before, to the byte."""

    inputs: int
    events: int
    same: bool


class Visit(msgspec.Struct, frozen=True):
    """When a customer first opened a payment's wallet page; None: not yet."""

    opened_on: datetime | None = None


class StoredSource(msgspec.Struct, frozen=True):
    """A stored source that recurring payments are charged to, with the newest payment that used it."""

    id: str
    customer: str
    reference: str


class Taken(msgspec.Struct, frozen=True):
    """Payments that were made elsewhere and taken over: `count` of the lot `label`; None when there are none."""

    label: str | None
    count: int
