"""Closing months of the large store, beside what would only sum up the same rows: GROUP BY, and a data frame of them."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import text

from lib.ledger.calendar import SettlementDays
from lib.ledger.closing import Month, close_period, months
from lib.ledger.database import Database
from lib.ledger.tables import time_text
from lib.operators import Operator
from lib.settings import Settings
from tests.benchmarks import store
from tests.benchmarks.store import Store
from tests.benchmarks.table import Line, milliseconds

_CURRENCY = "KRW"
"""That of most payments of the store."""
_MOVED = (
    "SELECT 'captured' AS kind, id, captured_at AS at, captured AS amount FROM payment "
    "WHERE currency = :currency AND captured_at >= :since AND captured_at < :until UNION ALL "
    "SELECT 'refunded', action_id, decided_at, amount FROM refund "
    "WHERE status = 'refunded' AND currency = :currency AND decided_at >= :since AND decided_at < :until"
)

Sums = dict[str, tuple[int, int]]
"""Minor units and how many rows, captured and refunded."""
_NOTHING: Sums = {"captured": (0, 0), "refunded": (0, 0)}


def lines(large: Store) -> Iterator[Line]:
    """Every month of a currency that is over, in order, on a copy: a closed month cannot be undone."""
    with tempfile.TemporaryDirectory(dir=store.folder()) as folder:
        copy = Path(folder) / "ledger.db"
        shutil.copyfile(large.file, copy)
        database = Database(f"sqlite:///{copy}")
        took, rows = _measured(database, large)
        database.close()
    (name, mine), *theirs = ((each, sorted(times)[len(times) // 2]) for each, times in took.items())
    found = f"the middle of {len(rows)} months, of {min(rows):,} to {max(rows):,} rows"
    yield Line("finance", name, milliseconds(mine), remarks=f"at {large.payments:,}; {found}, each kept and hashed")
    for rival, seconds in theirs:
        yield Line("finance", f"the same rows {rival}", milliseconds(seconds), f"{seconds / mine:.2f} x ours")


def _measured(database: Database, large: Store) -> tuple[dict[str, list[float]], list[int]]:
    """How long each way took for every month, ours first, and of how many rows the months were."""
    days, operator = SettlementDays(Settings().zone), Operator("Benchmark")
    took: dict[str, list[float]] = defaultdict(list)
    rows: list[int] = []

    def close(month: Month) -> Sums:
        closed = close_period(operator, database, days, month.currency, month.month, seen=month.figures, now=large.end)
        rows.append(closed.rows)
        return {"captured": (closed.gross, closed.captured_count), "refunded": (closed.refunded, closed.refunded_count)}

    ways: dict[str, Callable[[Month], Sums]] = {
        f"closing a month of {_CURRENCY}": close,
        "by GROUP BY, nothing kept": lambda month: _grouped(database, month),
        "by pandas.read_sql, groupby and to_csv": lambda month: _framed(database, month),
    }
    for over in [month.month for month in reversed(months(database, _CURRENCY, days, large.end))]:
        month = next(each for each in months(database, _CURRENCY, days, large.end) if each.month == over)
        if month.until > large.end:
            break
        expected = _grouped(database, month)  # read once before, so that nobody alone has to fetch it from the disk
        for name, way in ways.items():
            began = time.perf_counter()
            sums = way(month)
            took[name].append(time.perf_counter() - began)
            if sums != expected:
                raise AssertionError(f"{name} of {over} comes to {sums}, not to {expected}")
    return took, rows


def _span(month: Month) -> dict[str, Any]:
    return {"currency": month.currency, "since": time_text(month.since), "until": time_text(month.until)}


def _grouped(database: Database, month: Month) -> Sums:
    summed = f"SELECT kind, sum(amount), count(*) FROM ({_MOVED}) GROUP BY kind"
    with database.read() as connection:
        found = connection.execute(text(summed), _span(month)).all()
    return _NOTHING | {kind: (amount, count) for kind, amount, count in found}


def _framed(database: Database, month: Month) -> Sums:
    with database.read() as connection:
        frame = pd.read_sql(text(_MOVED), connection, params=_span(month))
    frame.sort_values(["at", "id"]).to_csv(index=False)
    summed = frame.groupby("kind")["amount"].agg(["sum", "count"])
    return _NOTHING | {str(kind): (int(row["sum"]), int(row["count"])) for kind, row in summed.iterrows()}
