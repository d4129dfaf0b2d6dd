"""Figures of money from the rollups, beside what most would write: GROUP BY on the tables, and a data frame of their rows."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import text

from lib.ledger.calendar import SettlementDays
from lib.ledger.database import Database
from lib.ledger.periods import Period, edges, trailing
from lib.ledger.settlement import settlement
from lib.ledger.tables import time_text
from lib.ledger.volumes import Volumes, by_slot
from lib.settings import Settings
from tests.benchmarks import closings, servers, store
from tests.benchmarks.screens import visitor
from tests.benchmarks.store import Store
from tests.benchmarks.table import Line, milliseconds

_SMALL = 1000
_DAYS = 90
_PAGES = {"overview": ("", "span=90+days"), "settlement": ("settlement", "period=Last+30+days")}
_SHOWN = 20
# Days of UTC, which spares both rivals the time zone.
_CAPTURED = (
    "SELECT substr(captured_at, 1, 10) AS day, currency, captured AS amount FROM payment WHERE captured_at >= :since"
)
_REFUNDED = (
    "SELECT substr(decided_at, 1, 10), currency, -amount FROM refund WHERE status = 'refunded' AND decided_at >= :since"
)
_ROWS = f"{_CAPTURED} UNION ALL {_REFUNDED}"

Figures = Callable[[], Any]


def lines(build: Callable[[int], Store], size: int) -> Iterator[Line]:
    """Overview and settlement of 90 days, then both whole pages at both sizes, then months closed."""
    large = build(size)
    database, zone = Database(large.url), Settings().zone
    period = trailing(_DAYS, large.end, zone)
    ours: dict[str, Figures] = {
        "overview": lambda: _by_day(database, edges(period, zone, "day")),
        "settlement": lambda: settlement(database, period.first, period.last, SettlementDays(zone)),
    }
    rivals = {
        "GROUP BY on the tables": _grouped(database, period),
        "pandas.read_sql and groupby": _framed(database, period),
    }
    theirs = {name: _middle(figures, 3) for name, figures in rivals.items()}
    for name, figures in ours.items():
        mine = _middle(figures, 50)
        yield Line("finance", f"{name}, {_DAYS} days by day", milliseconds(mine), remarks=f"at {size:,}, from rollups")
        for rival, took in theirs.items():
            yield Line("finance", f"the same by {rival}", milliseconds(took), f"{took / mine:,.0f} x ours")
    database.close()
    yield from _pages(build(_SMALL), large)
    yield from closings.lines(large)


def _by_day(database: Database, days: Sequence[datetime]) -> list[dict[str, Volumes]]:
    with database.read() as connection:
        return by_slot(connection, days)


def _pages(small: Store, large: Store) -> Iterator[Line]:
    with ExitStack() as stack:
        tabs = []
        for each in (small, large):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=store.folder())))
            app = stack.enter_context(servers.whole_app(folder, each.url))
            tabs.append(stack.enter_context(visitor(app.port)))
        for name, (page, query) in _PAGES.items():
            took: list[list[float]] = [[], []]
            for turn in range(_SHOWN + 1):
                # In turns, so that what else the machine does meets both.
                for tab, times in zip(tabs, took, strict=True):
                    began = time.perf_counter()
                    tab.open(page, query)
                    if turn:
                        times.append(time.perf_counter() - began)
            few, many = (sorted(times)[_SHOWN // 2] for times in took)
            yield Line(
                "finance",
                f"{name}, the whole page",
                milliseconds(many),
                f"{many / few:.2f} x at {_SMALL:,}",
                remarks=f"{milliseconds(few)} at {_SMALL:,}; {_SHOWN} times each",
            )


def _grouped(database: Database, period: Period) -> Figures:
    summed = f"SELECT day, currency, sum(amount), count(*) FROM ({_ROWS}) GROUP BY day, currency"

    def figures() -> Any:
        with database.read() as connection:
            return connection.execute(text(summed), {"since": time_text(period.since)}).all()

    return figures


def _framed(database: Database, period: Period) -> Figures:
    def figures() -> Any:
        with database.read() as connection:
            frame = pd.read_sql(text(_ROWS), connection, params={"since": time_text(period.since)})
        return frame.groupby(["day", "currency"])["amount"].agg(["sum", "count"])

    return figures


def _middle(figures: Figures, times: int) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        figures()
        took.append(time.perf_counter() - began)
    return sorted(took)[times // 2]
