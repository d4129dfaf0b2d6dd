"""`GET /healthz`: whether deliveries can be stored, and what the workers are doing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lib.ledger.database import Database, StoreUnavailable

if TYPE_CHECKING:
    from lib.receiver import Receiver

_PATIENCE_SECONDS = 5.0


async def health(database: Database, receiver: Receiver, workers: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
    """Status and JSON: 200 when the store can be written to, 503 when it cannot. `workers` is what they are doing, if there are any."""
    problem = None
    try:
        await asyncio.wait_for(asyncio.to_thread(database.check), _PATIENCE_SECONDS)
    except (StoreUnavailable, TimeoutError) as error:
        problem = type(error).__name__
    said: dict[str, Any] = {
        "status": "unavailable" if problem else "ok",
        "database": problem or "ok",
        "receiver": {"waiting": receiver.waiting},
    }
    if workers:
        said["workers"] = workers
    return (503 if problem else 200), said
