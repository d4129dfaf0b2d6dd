"""Checkout.com's timestamps."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_time(text: object) -> datetime | None:
    """Read an ISO 8601 instant as an aware UTC datetime; None for anything that is not one.

    Checkout.com writes UTC with `Z` or `+00:00` and any number of fractional digits (seven are common); those beyond
    microseconds are cut off. Its documentation also shows days that do not exist, so this never raises. A date
    without a time, or a time without a zone, names no instant and is None.
    """
    if not isinstance(text, str) or text[10:11] != "T":
        return None
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is UTC:
            return instant
        return None if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
