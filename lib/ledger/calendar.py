"""Settlement days: local days that end at a cut-off hour."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SettlementDays:
    """How the business cuts its days: in `zone`, at `cutoff_hour` o'clock, 0 to 23.

    A settlement day ends at the cut-off on the day it is named after: what moves at the cut-off or later belongs to
    the next one. 0 is the midnight at the day's end, so that days are then the calendar's.
    """

    zone: ZoneInfo
    cutoff_hour: int = 0

    def start(self, day: date) -> datetime:
        """The first moment of a settlement day, in UTC.

        A cut-off that the clocks skip is where they jump; of one that they repeat, the first counts. Every zone in use
        is a whole number of quarters off UTC, so this is always the start of a quarter of an hour.
        """
        return _start(self.zone, self.cutoff_hour, day)

    def span(self, first: date, last: date) -> tuple[datetime, datetime]:
        """From when until when, the latter excluded, the days `first` to `last`, both included, go."""
        return self.start(first), self.start(last + _ONE)

    def day_of(self, moment: datetime) -> date:
        """The settlement day on which `moment` lies."""
        day = moment.astimezone(self.zone).date()
        while moment < self.start(day):
            day -= _ONE
        while moment >= self.start(day + _ONE):
            day += _ONE
        return day

    def __str__(self) -> str:
        cut = "from midnight to midnight" if not self.cutoff_hour else f"to {self.cutoff_hour:02}:00"
        return f"{cut}, {self.zone.key}"


@lru_cache(maxsize=4096)
def _start(zone: ZoneInfo, hour: int, day: date) -> datetime:
    opening = day - _ONE if hour else day
    return datetime.combine(opening, time(hour), zone).astimezone(UTC)
