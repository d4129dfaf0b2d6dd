"""`GET /metrics`: the figures to watch, in Prometheus' text format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from lib.ledger import backup
from lib.ledger.database import Database, StoreUnavailable
from lib.ledger.record import REFUND
from lib.ledger.watchdog import RULES, overdue
from lib.receiver import Receiver

CONTENT_TYPE = CONTENT_TYPE_LATEST
IN_FLIGHT = ("awaiting_approval", "submitting", "pending")
"""Refunds whose outcome is open, by status."""
_COUNTED = 10_000
_OVERDUE_COUNTED = 1_000


class _InFlight(NamedTuple):
    number: int
    oldest: datetime | None


class _Ledger(NamedTuple):
    """What is asked of the store, all of it through indexes and none of it growing with the store."""

    refunds: dict[str, _InFlight]
    overdue: Counter[str]
    backed_up_at: datetime | None


def metrics(database: Database, receiver: Receiver) -> bytes:
    """The figures of this process and of the ledger. Does not raise: a store that does not answer is a figure too."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Figures(receiver, _ask(database, datetime.now(UTC))))
    return generate_latest(registry)


class _Figures(Collector):
    def __init__(self, receiver: Receiver, ledger: _Ledger | None) -> None:
        self._receiver = receiver
        self._ledger = ledger

    def collect(self) -> Iterator[Metric]:
        yield _counter(
            "deliveries", "Webhook deliveries answered since the start, by verdict.", "verdict", self._receiver.verdicts
        )
        yield CounterMetricFamily(
            "kakaopay_deliveries_turned_away",
            "Deliveries answered with 503 since the start: nothing of them was stored.",
            self._receiver.turned_away,
        )
        yield _gauge("receiver_waiting", "Deliveries taken in and not yet stored.", self._receiver.waiting)
        yield _gauge("store_up", "1 when the database answered just now.", int(self._ledger is not None))
        if self._ledger:
            yield from _of_ledger(self._ledger, datetime.now(UTC))


def _of_ledger(ledger: _Ledger, now: datetime) -> Iterator[Metric]:
    flying = ledger.refunds.items()
    yield _gauges(
        "refunds_in_flight",
        f"Refunds whose outcome is open, by status; counted up to {_COUNTED}.",
        "status",
        ((status, held.number) for status, held in flying),
    )
    yield _gauges(
        "refunds_in_flight_oldest_seconds",
        "Age of the oldest of them.",
        "status",
        ((status, (now - held.oldest).total_seconds() if held.oldest else 0) for status, held in flying),
    )
    yield _gauges(
        "overdue",
        f"What should have been heard from Checkout.com by now, by kind; counted up to {_OVERDUE_COUNTED}.",
        "kind",
        ((kind, ledger.overdue[kind]) for kind in RULES),
    )
    if ledger.backed_up_at:
        yield _gauge(
            "last_backup_timestamp_seconds",
            "When the ledger was last copied, in seconds since 1970; absent before the first.",
            ledger.backed_up_at.timestamp(),
        )


def _ask(database: Database, now: datetime) -> _Ledger | None:
    try:
        with database.read() as connection:
            refunds = {}
            for status in IN_FLIGHT:
                some = select(REFUND.c.requested_at).where(REFUND.c.status == status)
                counted = some.order_by(REFUND.c.requested_at).limit(_COUNTED).subquery()
                found = select(func.count(), func.min(counted.c.requested_at)).select_from(counted)
                refunds[status] = _InFlight(*connection.execute(found).one())
        late = Counter(each.what for each in overdue(database, now, limit=_OVERDUE_COUNTED))
        return _Ledger(refunds, late, backup.newest(database))
    except StoreUnavailable:
        return None


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"kakaopay_{name}", words, value)


def _gauges(name: str, words: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(f"kakaopay_{name}", words, labels=[label])
    for of, value in values:
        family.add_metric([of], value)
    return family


def _counter(name: str, words: str, label: str, values: Counter[str]) -> Metric:
    family = CounterMetricFamily(f"kakaopay_{name}", words, labels=[label])
    for of, value in sorted(values.items()):
        family.add_metric([of], value)
    return family
