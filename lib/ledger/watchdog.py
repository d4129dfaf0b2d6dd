"""The watchdog: what must be heard next of a payment in each of its states, by when, and what is overdue."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, case, func, select

from lib import catalog
from lib.chunks import chunks
from lib.ledger.database import Database
from lib.ledger.record import EVENT, PAYMENT, REFUND
from lib.ledger.tables import Payment, Refund
from lib.ledger.troubled import Moments, troubled

_OPEN = ("submitting", "pending")
_LONGEST_LINK = timedelta(days=1)
"""A pending payment of which nothing new was heard for so long is asked about, whenever its link is said to end."""
# Put together once: screens ask this often, and to put a statement into words took longer than to run it.
_WEIGHED = select(
    *(PAYMENT.c[name] for name in ("id", "seq", "status", "requested_at", "expires_at", "updated_at", "attention"))
).where(PAYMENT.c.id.in_(bindparam("ids", expanding=True)))
_UNDECIDED = select(
    *(REFUND.c[name] for name in ("key", "payment_id", "status", "requested_at", "send_at", "answered_at"))
).where(REFUND.c.payment_id.in_(bindparam("ids", expanding=True)), REFUND.c.status.in_(_OPEN))
_HEARD = (
    select(
        EVENT.c.payment_seq,
        func.max(case((EVENT.c.type == "payment_capture_pending", EVENT.c.occurred_at))),
        func.max(case((EVENT.c.source == "webhook", EVENT.c.recorded_at))),
    )
    .where(EVENT.c.payment_seq.in_(bindparam("seqs", expanding=True)))
    .group_by(EVENT.c.payment_seq)
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What must be heard, how long after it could have been, and how often to ask for it once it is overdue."""

    expected: str
    patience: timedelta
    ask_least: timedelta = timedelta(seconds=30)
    """The first gap between two askings; gaps grow with the time it is overdue."""
    ask_most: timedelta = timedelta(hours=6)


RULES: Mapping[str, Rule] = {
    "first_event": Rule(
        "The first webhook since this was asked for",
        timedelta(seconds=10),
        ask_least=timedelta(seconds=5),
        ask_most=timedelta(seconds=60),
    ),
    "decision": Rule("Whether the customer paid; the link has ended", timedelta(minutes=3)),
    "capture": Rule("The capture of what the customer agreed to", timedelta(minutes=2)),
    "answer": Rule("Checkout.com's answer to the refund request", timedelta(minutes=1)),
    "refund": Rule("Whether the refund was paid out", timedelta(minutes=15)),
    "missing_facts": Rule("The events behind Checkout.com's own totals", timedelta(minutes=1)),
}
"""By name: what comes next. Checkout.com names no times for these, so the patience is ours."""


class Expectation(NamedTuple):
    """Something that must be heard by `due`. `what` is a name of `RULES`."""

    payment_id: str
    what: str
    due: datetime
    refund_key: str | None = None


class Overdue(NamedTuple):
    """Something that should have been heard by `since`. `what` is a name of `RULES`."""

    payment_id: str
    what: str
    since: datetime
    age: timedelta
    refund_key: str | None = None

    @property
    def expected(self) -> str:
        """What should have been heard, in words."""
        return RULES[self.what].expected


class Heard(NamedTuple):
    """What the events of a payment say about hearing of it: when the customer agreed, and when the last webhook came."""

    agreed_at: datetime | None = None
    webhook_at: datetime | None = None


def expectations(payment: Payment, refunds: Iterable[Refund], heard: Heard) -> list[Expectation]:
    """What must be heard next of one payment; nothing once it is at rest. `refunds` may leave out decided ones.

    Times are the facts' own. A provider whose clock is ahead of ours (a simulator whose time was moved) tells of times
    that lie after we heard of them; those count from when we heard.
    """
    ahead = max(payment.requested_at - payment.updated_at, timedelta())
    found: list[Expectation] = []

    def expect(what: str, since: datetime, key: str | None = None) -> None:
        found.append(Expectation(payment.id, what, since + RULES[what].patience, key))

    if payment.status == "Pending":
        link_ends = (payment.expires_at or payment.requested_at) - ahead
        expect("decision", min(link_ends, payment.updated_at + _LONGEST_LINK))
        if heard.agreed_at:
            expect("capture", min(heard.agreed_at, payment.updated_at))
        if heard.webhook_at is None:
            expect("first_event", payment.requested_at - ahead)
    for refund in refunds:
        asked_at = min(refund.requested_at, payment.updated_at)
        if refund.status == "submitting":
            expect("answer", refund.send_at or asked_at, refund.key)
        elif refund.status == "pending":
            answered_at = min(refund.answered_at or refund.requested_at, payment.updated_at)
            expect("refund", answered_at, refund.key)
            if heard.webhook_at is None or heard.webhook_at < asked_at:
                expect("first_event", answered_at, refund.key)
    if "missing_facts" in (payment.attention or ""):
        expect("missing_facts", payment.updated_at)
    return found


def overdue(database: Database, now: datetime, *, limit: int = 200) -> list[Overdue]:
    """What should have been heard by `now`, the longest overdue first; at most about `limit`, found through indexes."""
    with database.read() as connection:
        ids = candidates(connection, now, limit=limit)
        waited_for = [each for found in expected(connection, ids).values() for each in found if each.due < now]
    waited_for.sort(key=lambda each: (each.due, each.payment_id, each.what))
    return [
        Overdue(each.payment_id, each.what, each.due, now - each.due, each.refund_key) for each in waited_for[:limit]
    ]


def count_overdue(database: Database, now: datetime, *, limit: int) -> int:
    """Of how many payments something should have been heard by `now`, counted up to `limit`."""
    late: set[str] = set()
    with database.read() as connection:
        for ids in _handfuls(connection, now, limit):
            waited_for = expected(connection, ids).items()
            late |= {payment_id for payment_id, found in waited_for if any(each.due < now for each in found)}
            if len(late) >= limit:
                return limit
    return len(late)


def expected(connection: Connection, payment_ids: Sequence[str]) -> dict[str, list[Expectation]]:
    """What must be heard next of each of these payments; those at rest are absent."""
    # Rows with the few columns that count stand for the models: screens ask this often.
    payments: Sequence[Any] = connection.execute(_WEIGHED, {"ids": payment_ids}).all()
    refunds: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(_UNDECIDED, {"ids": payment_ids}).all():
        refunds[row.payment_id].append(row)
    told = connection.execute(_HEARD, {"seqs": [payment.seq for payment in payments]}).all()
    heard = {seq: Heard(*moments) for seq, *moments in told}
    found = {each.id: expectations(each, refunds[each.id], heard.get(each.seq, Heard())) for each in payments}
    return {payment_id: waited_for for payment_id, waited_for in found.items() if waited_for}


def candidates(
    connection: Connection, now: datetime, *, limit: int, newest_first: bool = False, unwatched: bool = False
) -> list[str]:
    """Payments of which something may be overdue, at most `limit` of each kind of trouble.

    `unwatched` leaves out those that the backfill has asked about already.
    """
    ids: dict[str, None] = {}
    for found in troubled(connection, _moments(now), limit=limit, newest_first=newest_first, unwatched=unwatched):
        ids |= dict.fromkeys(found[:limit])
    return list(ids)


def _handfuls(connection: Connection, now: datetime, size: int) -> Iterator[list[str]]:
    """Payments of which something may be overdue, looked for no further than they are taken: `size` at a time."""
    seen: set[str] = set()
    for found in troubled(connection, _moments(now), limit=size):
        yield from chunks((payment_id for payment_id in found if payment_id not in seen), size)
        seen.update(found)


def _moments(now: datetime) -> Moments:
    ended = now - RULES["decision"].patience
    aged = ended - timedelta(minutes=catalog.kakaopay().link_minutes)
    unanswered, undecided = (now - RULES[what].patience for what in ("answer", "refund"))
    return Moments(ended, aged, now - _LONGEST_LINK, unanswered, undecided)
