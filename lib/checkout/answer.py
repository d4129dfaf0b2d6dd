"""What one call to Checkout.com said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, as received: what was asked, what came back and how long it took. Holds no header and no key."""

    status: int
    request_id: str | None
    """`Cko-Request-Id`; what Checkout.com's support asks for."""
    body: Any
    """Parsed JSON; None when the body was empty or, in an error, not JSON."""
    method: str
    path: str
    """Below the base URL, with its query."""
    sent: Any | None
    """The JSON body that was sent, if any."""
    elapsed_ms: int
    """All attempts and the waits between them."""
    attempts: int
    received_at: datetime
    """UTC."""
