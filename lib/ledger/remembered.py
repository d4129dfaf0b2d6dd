"""What stored states of payments decode and project to, remembered, since the next fact of a payment is rarely far.

Nothing here can go stale. An entry is the answer to one question, "what does this text of a state come to?", and it is
taken only by whoever has just read that very text from the store inside the transaction that will replace it. Another
process, a rolled back transaction or a mended row shows as another text, and then the text is decoded as if nobody
remembered anything.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from itertools import islice

from lib.ledger.project import Projection, project
from lib.ledger.state import PaymentState, decode

_KEPT = 4096
"""Payments; some five kilobytes each."""

Known = tuple[PaymentState, Projection]


class Remembered:
    """Safe from several threads. An entry is handed out once: its state may then be changed in place."""

    def __init__(self) -> None:
        self._entries: dict[str, Known] = {}
        self._lock = threading.Lock()

    def take(self, stored: Sequence[tuple[str, str]]) -> list[Known]:
        """State and projection of each payment, given as its id and the stored text of its state."""
        with self._lock:
            held = [self._entries.pop(payment_id, None) for payment_id, _ in stored]
        return [
            entry if entry and entry[1].payment["folded"] == folded else _read(payment_id, folded)
            for (payment_id, folded), entry in zip(stored, held, strict=True)
        ]

    def keep(self, entries: Iterable[tuple[str, Known]]) -> None:
        """Remember these, which nobody changes any more; the longest unused are forgotten."""
        with self._lock:
            self._entries.update(entries)
            for payment_id in list(islice(self._entries, max(0, len(self._entries) - _KEPT))):
                del self._entries[payment_id]


def _read(payment_id: str, folded: str) -> Known:
    state = decode(folded)
    return state, project(payment_id, state, folded)
