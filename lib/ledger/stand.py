"""Where a refund stands in this house, before Checkout.com has a word in it: waiting, kept back, on its way or ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib.ledger.state import Decided, PaymentState, Terms

_ENDINGS = {"refund_rejected": "rejected", "refund_cancelled": "cancelled", "refund_lapsed": "lapsed"}
_NO_TERMS = Terms("", "", "", "", 0, "", "", ())


@dataclass(frozen=True, slots=True)
class Stand:
    """`columns` are those of `refund` that only this house decides; times are text, as everywhere in the fold."""

    status: str
    ended: Decided | None
    send_at: str | None
    sent: bool
    """Whether it may have left this house, so that an action can be what became of it."""
    told_before: frozenset[str]
    columns: dict[str, Any]


def stand(state: PaymentState, key: str) -> Stand:
    """Where the refund `key` stands by what was asked for and decided here; the order of the facts does not matter.

    What was released stays released, also beside a cancellation: it may have been sent, and money that moved must be
    seen. Any other ending wins over an approval, because then nothing was sent. Nobody approves what they asked for
    themselves: such an approval is no approval.
    """
    intent = state.intents.get(key)
    if intent is None:
        return _MADE_ELSEWHERE
    terms = (state.terms or {}).get(key, _NO_TERMS)
    decided = (state.decided or {}).get(key, {})
    approved = decided.get("refund_approved") if terms.approve_by else None
    if approved and approved.by in ("", intent.by):
        approved = None
    released = decided.get("refund_released")
    endings = [(decided[kind], word) for kind, word in _ENDINGS.items() if kind in decided]
    ended, ended_as = min(endings) if endings and not released else (None, None)
    ready = approved if terms.approve_by else terms
    held_until = ready.held_until if ready and not ended and not released else ""
    send_at = None
    if ended:
        status = "cancelled"
    elif ready is None and not released:
        status = "awaiting_approval"
    else:
        status = "submitting"
        send_at = released.at if released else held_until or (approved.at if approved else intent.at)
    columns = _columns(terms, approved, ended, ended_as, held_until)
    told_before = frozenset(terms.told_before).union(*(each.told_before for each in decided.values()))
    return Stand(status, ended, send_at, send_at is not None and not held_until, told_before, columns)


def _columns(
    terms: Terms, approved: Decided | None, ended: Decided | None, ended_as: str | None, held_until: str
) -> dict[str, Any]:
    return {
        "reason_label": terms.reason_label or None,
        "retry_of": terms.retry_of or None,
        "lines": terms.lines or None,
        "approval_limit": terms.limit if terms.approve_by else None,
        "approve_by": terms.approve_by or None,
        "approved_by": approved.by if approved else None,
        "approved_at": approved.at if approved else None,
        "ended_as": ended_as,
        "ended_by": (ended.by or None) if ended else None,
        "ended_why": (ended.why or None) if ended else None,
        "held_until": held_until or None,
    }


_MADE_ELSEWHERE = Stand("pending", None, None, False, frozenset(), _columns(_NO_TERMS, None, None, None, ""))
