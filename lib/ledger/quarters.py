"""Quarters of an hour, by which volumes are kept: every zone in use is a whole number of them off UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

A_QUARTER = timedelta(minutes=15)
_STARTS = {f"{minute:02}": f"{minute // 15 * 15:02}:00.000000Z" for minute in range(60)}


def quarter(moment: str) -> str:
    """The start of the quarter that `moment` falls in; both as the database writes times (`time_text`)."""
    return moment[:14] + _STARTS[moment[14:16]]


def quarter_of(moment: datetime) -> datetime:
    """The same for an aware time, in UTC."""
    moment = moment.astimezone(UTC)
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
