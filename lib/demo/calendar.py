"""When a shop's customers pay: how many on which day, and at what time of it."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Seoul")
"""Where the customers are."""

_HOURS = (9, 5, 3, 2, 2, 3, 7, 14, 24, 34, 45, 66, 92, 74, 52, 46, 48, 58, 76, 88, 90, 78, 50, 24)
"""Of a day's trade by the hour: a rush at lunch, a longer one in the evening."""
_WEEKDAYS = (0.92, 0.88, 0.93, 0.98, 1.18, 1.27, 1.06)
_SHARES = tuple(value / sum(_HOURS) for value in accumulate(_HOURS, initial=0))
_DAY = timedelta(days=1)


def moments(seed: str, count: int, since: datetime, until: datetime, fixed: Sequence[datetime]) -> Iterator[datetime]:
    """`count` moments from the local day of `since` up to `until`, in order; `fixed`, in order, are among them.

    Trade grows a little over the months, weekends are busier, and no day is quite like another.
    """
    first = since.astimezone(ZONE).date()
    days = [first + number * _DAY for number in range((until.astimezone(ZONE).date() - first).days + 1)]
    last = _share_of_day(until)
    weights = []
    for number, day in enumerate(days):
        noise = random.Random(f"{seed} {day}").uniform(0.85, 1.15)
        growth = 0.8 + 0.4 * number / len(days)
        weights.append(_WEEKDAYS[day.weekday()] * noise * growth * (last if number == len(days) - 1 else 1))
    ends = [round((count - len(fixed)) * value / sum(weights)) for value in accumulate(weights)]
    before, place = 0, 0
    for number, (day, end) in enumerate(zip(days, ends, strict=True)):
        chance = random.Random(f"{seed} times {number}")
        most = last if number == len(days) - 1 else 1.0
        midnight = datetime.combine(day, time(), ZONE).astimezone(UTC)
        of_day = [midnight + _time_at(chance.random() * most) for _ in range(end - before)]
        while place < len(fixed) and fixed[place] < midnight + _DAY:
            of_day.append(fixed[place])
            place += 1
        yield from sorted(of_day)
        before = end


def _time_at(share: float) -> timedelta:
    """The time of day by which this share of a day's trade is done, in whole milliseconds."""
    hour = min(bisect_right(_SHARES, share), 24) - 1
    within = (share - _SHARES[hour]) / (_SHARES[hour + 1] - _SHARES[hour])
    return timedelta(milliseconds=int((hour + within) * 3_600_000))


def _share_of_day(moment: datetime) -> float:
    local = moment.astimezone(ZONE)
    within = local.minute / 60
    return _SHARES[local.hour] + (_SHARES[local.hour + 1] - _SHARES[local.hour]) * within
