"""How much we listen to senders who cannot sign: so much from each, so much from all, and nothing of what signed senders get."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

_REMEMBERED = 10_000


class _Bucket:
    """Fills by `rate` a second up to `burst`; each thing let through takes one."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, burst
        self._left, self._at = burst, now

    def has_one(self, now: float) -> bool:
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        return self._left >= 1

    def take(self) -> None:
        self._left -= 1


class Strangers:
    """Decides whether an unsigned delivery is still looked at. Remembers the last ten thousand addresses, and no more."""

    def __init__(
        self,
        *,
        each: tuple[float, float] = (20, 100),
        together: tuple[float, float] = (200, 1000),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`each` address and all `together`: how many a second, and how many at once."""
        self._each = each
        self._clock = clock
        self._all = _Bucket(*together, clock())
        self._by_address: OrderedDict[str, _Bucket] = OrderedDict()

    def welcome(self, address: str | None) -> bool:
        """Whether one more from this address is looked at; if so, it is counted."""
        now, name = self._clock(), address or ""
        bucket = self._by_address.get(name)
        if bucket is None:
            bucket = self._by_address[name] = _Bucket(*self._each, now)
            if len(self._by_address) > _REMEMBERED:
                self._by_address.popitem(last=False)
        self._by_address.move_to_end(name)
        if not (bucket.has_one(now) and self._all.has_one(now)):
            return False
        bucket.take()
        self._all.take()
        return True
