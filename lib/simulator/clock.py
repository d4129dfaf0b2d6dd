"""The simulator's one clock: the real time and an offset, or a time that stands still until it is moved."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

TICK = timedelta(milliseconds=1)
"""How far a standing clock moves for each thing that happens, so that order can be read off the times."""

_INSTANT = timedelta(microseconds=1)


def _wall() -> datetime:
    return datetime.now(UTC)


def stamp(moment: datetime) -> str:
    """A time as Checkout.com writes it: UTC with seven digits and `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def parse(text: str) -> datetime:
    """Read an ISO 8601 time with zone, whatever the number of its fractional digits. Raises `ValueError`."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("the time has no zone")
    return moment.astimezone(UTC)


class Clock:
    """All times of the simulator come from here. Not safe to change from two threads at once; reading is."""

    def __init__(self, wall: Callable[[], datetime] = _wall) -> None:
        self._wall = wall
        self._offset = timedelta()
        self._standing: datetime | None = None
        self._last = datetime.min.replace(tzinfo=UTC)

    @property
    def standing(self) -> bool:
        """Whether time stands still until somebody moves it."""
        return self._standing is not None

    def now(self) -> datetime:
        return self._standing if self._standing is not None else self._wall() + self._offset

    def tick(self) -> datetime:
        """The time of the next thing that happens: later than the one before, even within a microsecond."""
        if self._standing is not None:
            self._standing += TICK
            return self._standing
        self._last = max(self.now(), self._last + _INSTANT)
        return self._last

    def advance_to(self, moment: datetime) -> None:
        """Move forward to `moment`; never back."""
        gap = moment - self.now()
        if gap > timedelta():
            if self._standing is not None:
                self._standing = moment
            else:
                self._offset += gap

    def stand(self, at: datetime) -> None:
        """Stop at a time."""
        self._standing = at

    def run(self, at: datetime | None = None) -> None:
        """Let time flow, from `at`, or from the real time if that is None."""
        self._standing = None
        self._offset = at - self._wall() if at else timedelta()
        self._last = self.now()

    def save(self) -> dict[str, Any]:
        return {
            "offset_seconds": self._offset.total_seconds(),
            "standing": stamp(self._standing) if self._standing else None,
        }

    def restore(self, saved: dict[str, Any]) -> None:
        self._offset = timedelta(seconds=saved["offset_seconds"])
        self._standing = parse(saved["standing"]) if saved["standing"] else None
