"""What screens ask for, at a thousand payments and at many: a page must not cost more because there is more behind it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, islice

from lib.ledger import query_text
from lib.ledger.calendar import SettlementDays
from lib.ledger.database import Database
from lib.ledger.payment_filter import REFUND_STATES
from lib.ledger.periods import edges, trailing
from lib.ledger.queries import (
    PaymentFilter,
    count_payments,
    deliveries_of,
    facts_of,
    find_payment,
    find_payments,
    pulse,
)
from lib.ledger.settlement import settlement
from lib.ledger.sums import sums_by_currency
from lib.ledger.tables import STATUSES
from lib.ledger.views import READY
from lib.ledger.volumes import by_slot
from lib.settings import Settings
from tests.benchmarks.lives import Life
from tests.benchmarks.store import Store
from tests.benchmarks.table import Line, milliseconds

_SMALL = 1000
_TIMES = 200
_BUDGET = 6.0
_DEPTHS = 50
_PAGE = 25

Read = Callable[[], int]
"""One reading; says how many rows it found."""


class Reads:
    """The readings of one store, by name, each with many different arguments."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._database = Database(store.url)
        self._zone = Settings().zone

    def close(self) -> None:
        self._database.close()

    def listed(self) -> dict[str, Sequence[Read]]:
        chance = random.Random(3)
        lives = [self._store.life(chance.randrange(self._store.payments)) for _ in range(_TIMES)]
        pairs = [(status, currency) for status in STATUSES for currency in ("KRW", "HKD", "SGD", "EUR", "GBP", "AUD")]
        deep = self._cursors()
        thousandth = self._cursor_after(min(999 * _PAGE, self._store.payments - _PAGE))
        return {
            "first page": [self._page()],
            "page 1,000 (or the last)": [self._page(cursor=thousandth)],
            "any keyset page, from newest to oldest": [self._page(cursor=cursor) for cursor in deep],
            "filter by currency and status": [self._page(statuses=(s,), currencies=(c,)) for s, c in pairs],
            "filter by currency, status and days": [
                self._page(statuses=(s,), currencies=(c,), since=self._store.end - timedelta(days=60)) for s, c in pairs
            ],
            "count of that filter, capped": [self._count(statuses=(s,), currencies=(c,)) for s, c in pairs],
            "search by reference": [self._page(text=life.reference) for life in lives],
            "search by e-mail": [self._page(text=life.email) for life in lives],
            "search by id": [self._page(text=life.payment_id) for life in lives],
            "substring of a reference": [self._page(text=life.reference[-6:]) for life in lives],
            "substring of an e-mail, many hits": [self._page(text=life.email.partition(".")[2][:6]) for life in lives],
            "substring of an id": [self._page(text=life.payment_id[12:20]) for life in lives],
            "search by name": [self._search(f'name:"{life.name}"') for life in lives],
            "search by name, status and currency": [
                self._search(f'name:"{life.name}" status:refunded currency:{life.currency}') for life in lives
            ],
            "search by a number, any currency": [self._search(str(life.money.major)) for life in lives],
            "amount with its currency": [self._search(str(life.money)) for life in lives],
            "amounts in a narrow range": [
                self._search(f"amount:{life.money.major}..{life.money.major + 1}") for life in lives
            ],
            "amounts from one on": [self._search(f"amount:>={life.money.major}") for life in lives],
            "given back at least": [self._search(f"refunded:>={life.money.major}") for life in lives],
            **{f"refund state {state}": [self._search(f"refund:{state}")] for state in REFUND_STATES},
            **{f"view {view.name}": [self._search(view.search)] for view in READY},
            **{f"count of view {view.name}": [self._search(view.search, count=True)] for view in READY},
            "count of amounts from one on": [
                self._search(f"amount:>={life.money.major}", count=True) for life in lives
            ],
            "one payment with facts and deliveries": [self._payment(life) for life in lives],
            "90 days of volumes, totals": [self._totals],
            "90 days of volumes by day": [self._by_day],
            "90 days of settlement": [self._settlement],
            "has anything changed": [lambda: pulse(self._database)],
        }

    def _page(self, *, cursor: str | None = None, **wanted: object) -> Read:
        chosen = PaymentFilter(**wanted)  # type: ignore[arg-type]
        return lambda: len(find_payments(self._database, chosen, cursor=cursor, limit=_PAGE).rows)

    def _search(self, typed: str, *, count: bool = False) -> Read:
        reading = query_text.read(typed, now=self._store.end, zone=self._zone)
        assert not reading.problems, reading.problems
        if count:
            return lambda: count_payments(self._database, reading.wanted).number
        return lambda: len(find_payments(self._database, reading.wanted, limit=_PAGE).rows)

    def _count(self, **wanted: object) -> Read:
        chosen = PaymentFilter(**wanted)  # type: ignore[arg-type]
        return lambda: count_payments(self._database, chosen).number

    def _payment(self, life: Life) -> Read:
        def read() -> int:
            found = find_payment(self._database, life.payment_id)
            facts = facts_of(self._database, life.payment_id)
            return len(facts) + len(deliveries_of(self._database, life.payment_id)) if found else 0

        return read

    def _totals(self) -> int:
        period = trailing(90, self._store.end, self._zone)
        with self._database.read() as connection:
            return len(sums_by_currency(connection, period.since, period.until))

    def _by_day(self) -> int:
        period = trailing(90, self._store.end, self._zone)
        with self._database.read() as connection:
            return len(by_slot(connection, edges(period, self._zone, "day")))

    def _settlement(self) -> int:
        period = trailing(90, self._store.end, self._zone)
        return len(settlement(self._database, period.first, period.last, SettlementDays(self._zone)))

    def _cursor_after(self, rows: int) -> str | None:
        return find_payments(self._database, PaymentFilter(), limit=rows).older

    def _cursors(self) -> list[str]:
        """Cursors that lie evenly from the newest payment to the oldest."""
        found: list[str] = []
        cursor = None
        for _ in range(_DEPTHS - 1):
            cursor = find_payments(
                self._database, PaymentFilter(), cursor=cursor, limit=self._store.payments // _DEPTHS
            ).older
            if cursor:
                found.append(cursor)
        return found


def lines(build: Callable[[int], Store], size: int) -> Iterator[Line]:
    """Every reading at both sizes."""
    small, large = Reads(build(_SMALL)), Reads(build(size))
    few, many = small.listed(), large.listed()
    for name in many:
        before, after = _timed(few[name]), _timed(many[name])
        found = [read() for read in many[name][:20]]
        yield Line(
            "reads",
            name,
            f"{milliseconds(_share(after.took, 0.5))} at {size:,}",
            f"{_share(after.took, 0.5) / _share(before.took, 0.5):.2f} x at {_SMALL:,}",
            milliseconds(_share(after.took, 0.5)),
            milliseconds(_share(after.took, 0.99)),
            f"{milliseconds(_share(before.took, 0.5))} at {_SMALL:,}; of processor {milliseconds(_share(after.used, 0.5))} "
            f"against {milliseconds(_share(before.used, 0.5))}; {min(found):,} to {max(found):,} rows; {len(after.took)} times",
        )
    small.close()
    large.close()


@dataclass(frozen=True)
class _Timed:
    """Seconds by the clock and of the processor, each sorted. On a busy machine the second is the surer one."""

    took: list[float]
    used: list[float]


def _timed(reads: Sequence[Read]) -> _Timed:
    for read in reads[:5]:
        read()
    took, used = [], []
    until = time.perf_counter() + _BUDGET
    for read in islice(cycle(reads), max(_TIMES, len(reads))):
        began, own = time.perf_counter(), time.thread_time()
        read()
        took.append(time.perf_counter() - began)
        used.append(time.thread_time() - own)
        if time.perf_counter() > until:
            break
    return _Timed(sorted(took), sorted(used))


def _share(sorted_ones: list[float], share: float) -> float:
    return sorted_ones[min(len(sorted_ones) - 1, int(len(sorted_ones) * share))]
