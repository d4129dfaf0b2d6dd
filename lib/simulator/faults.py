"""The fault board: what can go wrong on purpose, how often, and whether it strikes this time."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from threading import Lock
from typing import Any, Final, Literal

from lib.simulator.chance import Chance
from lib.simulator.problem import Mistake

Where = Literal["webhook", "api", "wallet"]


@dataclass(frozen=True)
class Kind:
    """One thing that can go wrong. `seconds` and `code` are the values to begin with, None where they mean nothing."""

    where: Where
    title: str
    effect: str
    seconds: float | None = None
    code: str | None = None


KINDS: Final[dict[str, Kind]] = {
    "duplicate": Kind("webhook", "Duplicate", "An event that was acknowledged is sent once more."),
    "reorder": Kind(
        "webhook",
        "Reorder",
        "An event is held back so that later ones overtake it.",
        seconds=2,
    ),
    "delay": Kind("webhook", "Delay", "An event is sent late.", seconds=30),
    "drop": Kind(
        "webhook",
        "Drop",
        "A try is lost on the way; the event comes again with the next retry.",
    ),
    "bad_signature": Kind("webhook", "Bad signature", "A try carries a signature that fits no key."),
    "old_key": Kind(
        "webhook",
        "Old key",
        "A try is signed with the key being rotated out, or one the receiver never knew.",
    ),
    "slow_acknowledgement": Kind(
        "webhook",
        "Slow acknowledgement",
        "An answer counts as later than the limit, so the event is sent again on schedule.",
    ),
    "too_many_requests": Kind("api", "Too many requests", "A request is refused with 429."),
    "bad_gateway": Kind("api", "Bad gateway", "A request fails with 502: trouble at the acquirer. Nothing was done."),
    "timeout_before": Kind(
        "api",
        "Time-out before acting",
        "A request gets no answer, and nothing was done.",
        seconds=30,
    ),
    "timeout_after": Kind(
        "api",
        "Time-out after acting",
        "A request is carried out, but gets no answer.",
        seconds=30,
    ),
    "slow_answer": Kind("api", "Slow answer", "A request is carried out and answered late.", seconds=3),
    "payment_declined": Kind(
        "wallet",
        "Payment declined",
        "A payment the customer agreed to is declined.",
        code="20051",
    ),
    "refund_declined_late": Kind(
        "wallet",
        "Refund declined late",
        "An accepted refund is declined in the end.",
        seconds=5,
        code="20006",
    ),
    "late_capture": Kind(
        "wallet",
        "Capture after expiry",
        "Paying a link that has expired still takes the money.",
    ),
}


@dataclass(frozen=True)
class Switch:
    """How one fault is set. It strikes with probability `rate`, at most `times` times more (None: no end)."""

    on: bool = False
    rate: float = 1.0
    times: int | None = None
    seconds: float | None = None
    code: str | None = None


class Board:
    """All switches. Safe from any thread, since deliveries and requests ask it side by side."""

    def __init__(self, chance: Chance, saved: dict[str, Any] | None = None) -> None:
        self._chance = chance
        self._lock = Lock()
        self._switches = _off()
        self.change({name: values for name, values in (saved or {}).items() if name in KINDS})

    def strikes(self, name: str, *subject: str | int) -> Switch | None:
        """The switch, if this fault strikes this subject; a strike counts against `times`."""
        with self._lock:
            switch = self._switches[name]
            if not switch.on or switch.times == 0 or self._chance.draw(name, *subject) >= switch.rate:
                return None
            if switch.times is not None:
                self._switches[name] = replace(switch, times=switch.times - 1)
            return switch

    def change(self, patch: dict[str, Any], *, clear: bool = False) -> None:
        """Set some switches, after putting all back if `clear`. Raises `Mistake`, and then changes nothing."""
        with self._lock:
            changed = _off() if clear else dict(self._switches)
            for name, values in patch.items():
                if name not in KINDS:
                    raise Mistake(f"There is no fault “{name}”. Choose from {', '.join(KINDS)}.")
                if not isinstance(values, dict):
                    raise Mistake(f"“{name}” needs an object such as {{'on': true, 'rate': 0.5}}.")
                changed[name] = replace(changed[name], **_checked(name, values))
            self._switches = changed

    def save(self) -> dict[str, Any]:
        with self._lock:
            return {name: asdict(switch) for name, switch in self._switches.items()}

    def describe(self) -> dict[str, Any]:
        """Every switch with its words, for the control board."""
        return {name: {**asdict(KINDS[name]), **values} for name, values in self.save().items()}


def _off() -> dict[str, Switch]:
    return {name: Switch(seconds=kind.seconds, code=kind.code) for name, kind in KINDS.items()}


def _checked(name: str, values: dict[str, Any]) -> dict[str, Any]:
    kind, fit = KINDS[name], {}
    for field, value in values.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        good = {
            "on": isinstance(value, bool),
            "rate": number and 0 <= value <= 1,
            "times": value is None or (number and isinstance(value, int) and 0 <= value <= 1_000_000),
            "seconds": (number and 0 <= value <= 86_400) if kind.seconds is not None else value is None,
            "code": (isinstance(value, str) and len(value) == 5 and value.isdigit() and value[0] in "2345")
            if kind.code is not None
            else value is None,
        }.get(field)
        if not good:
            raise Mistake(
                f"“{field}” of “{name}” cannot be {value!r}. on is true or false, rate from 0 to 1, times a whole number or null, "
                "seconds from 0 to 86400 and code a response code such as 20051, the last two only where the fault has them."
            )
        fit[field] = value
    return fit
