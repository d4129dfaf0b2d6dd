"""Everything random, from one seed: ids, and whether a fault strikes.

Nothing is drawn from a shared stream. An id is a hash of the seed and its number among its kind, a fault's draw a hash of
the seed and what it is about; so neither reading nor delivery in parallel can change what a run brings forth.
"""

from __future__ import annotations

import base64
import secrets
import uuid
from hashlib import blake2b
from itertools import count

Mark = dict[str, int]


class Chance:
    """`seed` and how many ids of each kind are given out is all there is to remember.

    With `repeat`, request ids follow the seed too; else they are new in every process.
    """

    def __init__(self, seed: str | None = None, drawn: Mark | None = None, *, repeat: bool = False) -> None:
        self.seed = seed if seed is not None else secrets.token_hex(16)
        self._drawn: Mark = dict(drawn or {})
        self._request_seed = self.seed if repeat else secrets.token_hex(16)
        self._requests = {True: count(1), False: count(1)}

    def mark(self) -> Mark:
        """Where we are, to return to if the step fails."""
        return dict(self._drawn)

    def restore(self, mark: Mark) -> None:
        self._drawn = mark

    def identifier(self, prefix: str) -> str:
        """`pay_` and 26 characters of `[a-z2-7]`."""
        return f"{prefix}_{self.token(prefix)}"

    def token(self, kind: str) -> str:
        """26 characters of `[a-z2-7]`, never the same twice."""
        return base64.b32encode(self._next(kind)).decode().lower()[:26]

    def payout(self) -> str:
        """A payout id: 12 characters, such as would stand on a bank statement."""
        return "000" + base64.b32encode(self._next("payout")).decode()[:9]

    def digits(self, kind: str, length: int) -> str:
        return str(int.from_bytes(self._next(kind))).zfill(length)[-length:]

    def request_id(self, *, reading: bool) -> str:
        """A UUID for a request. Reads have a stream of their own, so that reading changes nothing. Safe from any thread."""
        digest = _hash(self._request_seed, "read" if reading else "write", next(self._requests[reading]))
        return str(uuid.UUID(bytes=digest[:16], version=4))

    def draw(self, *subject: str | int) -> float:
        """A number in [0, 1) that depends on the seed and the subject alone."""
        return int.from_bytes(_hash(self.seed, "draw", *subject)[:6]) / 2**48

    def _next(self, kind: str) -> bytes:
        self._drawn[kind] = self._drawn.get(kind, 0) + 1
        return _hash(self.seed, kind, self._drawn[kind])


def _hash(*words: str | int) -> bytes:
    return blake2b("\x1f".join(map(str, words)).encode(), digest_size=20).digest()
