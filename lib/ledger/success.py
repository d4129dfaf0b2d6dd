"""Where payments stop: numbers of payments, which unlike money may be added up across currencies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from lib.ledger.volumes import Volumes


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many payments were requested and ended in each way within one span of time.

    Each is counted when it happened: a payment requested before the span and captured in it counts as captured only.
    """

    requested: int = 0
    captured: int = 0
    declined: int = 0
    expired: int = 0
    canceled: int = 0
    refunds: int = 0

    @property
    def success(self) -> Decimal | None:
        """Captured out of all that ended, in percent to one decimal; None while nothing has ended."""
        ended = self.captured + self.declined + self.expired + self.canceled
        if not ended:
            return None
        return (Decimal(self.captured) * 100 / ended).quantize(Decimal("0.1"), ROUND_HALF_EVEN)


def outcomes(volumes: Iterable[Volumes]) -> Outcomes:
    """Add up the counts of several currencies."""
    listed = list(volumes)
    return Outcomes(
        requested=sum(one.requested_count for one in listed),
        captured=sum(one.captured_count for one in listed),
        declined=sum(one.declined_count for one in listed),
        expired=sum(one.expired_count for one in listed),
        canceled=sum(one.canceled_count for one in listed),
        refunds=sum(one.refunded_count for one in listed),
    )
