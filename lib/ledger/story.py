"""The story of one payment: its facts on one time axis, what each changed when it reached us, and what is missing between.

Pure: facts, deliveries and the present time in, entries out. What a fact changed is the difference it made as it
arrived; where it stands on the axis is when it happened. The two differ for what came late, which is then said.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from lib.ledger.effect import effect, why_none
from lib.ledger.facts import KNOWN_TYPES, Fact, from_row
from lib.ledger.fold import extend
from lib.ledger.project import Projection, project
from lib.ledger.state import PaymentState
from lib.ledger.tables import Delivery, Event

LATE = timedelta(minutes=1)
"""A webhook this long after what it tells of is late: undisturbed they take seconds."""
SILENT = timedelta(minutes=15)
"""How long nothing may be heard while something is undecided; the watchdog waits no longer for anything either."""
LAST_RETRY = timedelta(hours=31)
"""After this no webhook comes any more: Checkout.com retries for about 30 h (docs, "Manage webhooks")."""

NOTE = ("human", "note_added")
"""Source and type of a colleague's note."""
_READS = ("payment_read", "actions_read")
_CLOSED = ("Declined", "Expired", "Canceled")
_DECIDED = {"refunded": "payment_refunded", "declined": "payment_refund_declined"}

GapWord = Literal["late", "disorder", "never", "not_yet", "later", "refused"]


@dataclass(frozen=True, slots=True)
class Gap:
    """What was not as it should be with one fact.

    `late`: its webhook came `span` after it happened. `disorder`: it came after an event `kind` that happened `span`
    later. The others are of facts learned by asking: their webhook came `later` by `span`, came but was `refused`, is
    `not_yet` here or `never` came; `span` is then how long after it happened we learned of it.
    """

    word: GapWord
    span: timedelta
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A fact on the axis. `changed` is empty for what changes nothing by its nature, and begins with `nothing` for what
    could have but did not. `deliveries` are all that brought it, repeated it, or were refused in its name, oldest first."""

    at: datetime
    fact: Event
    changed: str
    gaps: tuple[Gap, ...]
    deliveries: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True)
class Silence:
    """No word from `at` to `until` (None: to this day), while a `payment` or a `refund` waited to be decided."""

    at: datetime
    until: datetime | None
    span: timedelta
    awaited: Literal["payment", "refund"]


@dataclass(frozen=True, slots=True)
class Refused:
    """A delivery that was refused, whose body speaks of this payment and of no event that we hold."""

    at: datetime
    delivery: Delivery


Entry = Told | Silence | Refused


@dataclass(frozen=True, slots=True)
class Chapter:
    """Some entries of a story, latest first, and how many there are in all."""

    entries: tuple[Entry, ...]
    total: int


def tell(
    facts: Sequence[Event],
    deliveries: Iterable[Delivery] = (),
    refused: Iterable[Delivery] = (),
    *,
    now: datetime,
    first: int = 0,
    count: int = 25,
) -> Chapter:
    """Entries `first` to `first + count` of the story that one payment's `facts` tell, the latest first.

    `deliveries` are those of the facts' events. `refused` are refused ones, with their bodies, that may speak of the
    payment: anybody can send such, so they are shown and believed in nothing.
    """
    brought: dict[int | None, list[Delivery]] = defaultdict(list)
    for delivery in deliveries:
        brought[delivery.event_seq].append(delivery)
    ids = {fact.id: fact.seq for fact in facts}
    strangers = []
    for delivery in refused:
        claimed = _claimed_event(delivery)
        if claimed in ids:
            brought[ids[claimed]].append(delivery)
        else:
            strangers.append(Refused(delivery.received_at, delivery))
    arrived = sorted(facts, key=lambda fact: fact.seq or 0)
    read = [from_row(vars(fact)) for fact in arrived]
    axis: list[Silence | Refused | Event] = [*_silences(read, now), *strangers, *_latest_first(facts)]
    axis.sort(key=lambda item: item.occurred_at if isinstance(item, Event) else item.at, reverse=True)
    shown = axis[first : first + count]
    wanted = {item.id for item in shown if isinstance(item, Event)}
    steps = {fact.id: (before, after) for fact, before, after in _steps(read, wanted)}
    disorder = dict(_disorder(arrived))
    by_webhook = _webhooks(arrived, brought)

    def told(fact: Event) -> Told:
        before, after = steps[fact.id]
        copies = tuple(sorted(brought[fact.seq], key=lambda delivery: delivery.id or 0))
        gaps = [*_learned(fact, before, after, copies, by_webhook, now), *disorder.get(fact.id, ())]
        return Told(fact.occurred_at, fact, _changed(fact, before, after), tuple(gaps), copies)

    return Chapter(tuple(told(item) if isinstance(item, Event) else item for item in shown), len(axis))


def _latest_first(facts: Sequence[Event]) -> list[Event]:
    """Of one moment, what ended stands above what began."""
    return sorted(facts, key=lambda fact: (fact.occurred_at, not fact.type.endswith("pending"), fact.seq), reverse=True)


def _steps(arrived: Sequence[Fact], wanted: set[str]) -> Iterator[tuple[Fact, Projection | None, Projection]]:
    """For each wanted fact the payment's rows before it arrived, None for the first, and after."""
    state, seen = PaymentState(), None
    for fact in arrived:
        if fact.id not in wanted:
            extend(state, [fact])
            seen = None
            continue
        before = seen or (_project(fact, state) if state.facts else None)
        extend(state, [fact])
        seen = _project(fact, state)
        yield fact, before, seen


def _project(fact: Fact, state: PaymentState) -> Projection:
    return project(fact.payment_id or "", state, "")


def _changed(fact: Event, before: Projection | None, after: Projection) -> str:
    if (fact.source, fact.type) == NOTE:
        return ""
    did = effect(before, after)
    if did:
        return did
    if fact.type in _READS:
        return "nothing: Checkout.com says what we knew"
    if fact.source not in ("webhook", "poll"):
        return "nothing: it was known already"
    if fact.type not in KNOWN_TYPES:
        return "nothing: a kind of event that changes nothing here"
    return f"nothing: {why_none(fact.type, fact.action_id, after)}"


def _learned(
    fact: Event,
    before: Projection | None,
    after: Projection,
    copies: Sequence[Delivery],
    by_webhook: Mapping[tuple[str, str | None], datetime],
    now: datetime,
) -> Iterator[Gap]:
    """How we came to know: late, or by asking where a webhook should have told us."""
    behind = max(fact.recorded_at - fact.occurred_at, timedelta())
    if fact.source == "webhook" and behind >= LATE:
        yield Gap("late", behind)
    if fact.source != "poll":
        return
    if fact.type in _READS:
        news = _news(before, after)
        came = [by_webhook.get(each) for each in news]
    else:
        news = {(fact.type, fact.action_id)}
        came = [next((copy.received_at for copy in copies if copy.event_seq is not None), None)]
    if not news:
        return
    arrivals = [moment for moment in came if moment is not None]
    if len(arrivals) == len(came):
        later = max(arrivals) - fact.recorded_at
        if later > timedelta():
            yield Gap("later", later)
    elif copies and not arrivals:
        yield Gap("refused", behind)
    else:
        yield Gap("never" if now - fact.occurred_at > LAST_RETRY else "not_yet", behind)


def _news(before: Projection | None, after: Projection) -> set[tuple[str, str | None]]:
    """The events, by type and for refunds action id, that would have told what came new between two states."""
    news: set[tuple[str, str | None]] = set()
    old, new = before.payment if before else {}, after.payment
    if new["captured"] > old.get("captured", 0):
        news.add(("payment_captured", None))
    if new["status"] in _CLOSED and new["status"] != old.get("status"):
        news.add((f"payment_{new['status'].lower()}", None))
    decided = {(refund["action_id"], refund["status"]) for refund in before.refunds} if before else set()
    for refund in after.refunds:
        status, action = refund["status"], refund["action_id"]
        if status in _DECIDED and (action, status) not in decided:
            news.add((_DECIDED[status], action))
    return news


def _webhooks(
    arrived: Sequence[Event], brought: Mapping[int | None, list[Delivery]]
) -> dict[tuple[str, str | None], datetime]:
    """When the first webhook of each type, and for refunds of each action, came."""
    first: dict[tuple[str, str | None], datetime] = {}
    for fact in arrived:
        moments = [delivery.received_at for delivery in brought.get(fact.seq, ()) if delivery.event_seq is not None]
        if fact.source == "webhook":
            moments.append(fact.recorded_at)
        if moments:
            about = fact.type, fact.action_id if fact.type.startswith("payment_refund") else None
            first[about] = min([*moments, first.get(about, moments[0])])
    return first


def _disorder(arrived: Sequence[Event]) -> Iterator[tuple[str, tuple[Gap, ...]]]:
    """Webhooks that came after one of an event that happened later."""
    latest: Event | None = None
    for fact in arrived:
        if fact.source not in ("webhook", "poll") or fact.type in _READS:
            continue
        if latest and fact.source == "webhook" and fact.occurred_at < latest.occurred_at:
            yield fact.id, (Gap("disorder", latest.occurred_at - fact.occurred_at, latest.type),)
        if latest is None or fact.occurred_at > latest.occurred_at:
            latest = fact


def _silences(arrived: Sequence[Fact], now: datetime) -> Iterator[Silence]:
    """Stretches without a word while something was undecided. A colleague's note is no word."""
    state = PaymentState()
    heard: Fact | None = None

    def silence(until: datetime | None) -> Iterator[Silence]:
        if heard and (until or now) - heard.recorded_at > SILENT and _may_await(state):
            awaited = _awaited(_project(heard, state))
            if awaited:
                yield Silence(heard.recorded_at, until, (until or now) - heard.recorded_at, awaited)

    for fact in arrived:
        if (fact.source, fact.type) != NOTE:
            yield from silence(fact.recorded_at)
            heard = fact
        extend(state, [fact])
    yield from silence(None)


def _may_await(state: PaymentState) -> bool:
    """Whether it is worth working out what is awaited: in a long history at rest it never is, and takes long."""
    if not (state.captures or state.closings or (state.balances and state.balances.captured)):
        return True
    decided = state.refunded.keys() | state.declined.keys()
    became = {key: mark.key for key, mark in state.accepted.items()}
    open_intents = state.intents.keys() - state.refused.keys()
    return bool(state.pending.keys() - decided) or any(became.get(key) not in decided for key in open_intents)


def _awaited(rows: Projection) -> Literal["payment", "refund"] | None:
    """What Checkout.com has still to decide."""
    if rows.payment["status"] == "Pending":
        return "payment"
    return "refund" if any(refund["status"] in ("submitting", "pending") for refund in rows.refunds) else None


def _claimed_event(delivery: Delivery) -> str | None:
    """The event id in a refused body, which is cut where it was long: then nothing can be read from it."""
    try:
        body = json.loads(delivery.body or "")
    except (ValueError, RecursionError):
        return None
    claimed = body.get("id") if isinstance(body, dict) else None
    return claimed if isinstance(claimed, str) else None
