"""Sample data: the same whenever it is asked for, in every way like what really happened, and gone without a trace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from lib.demo import filling
from lib.demo.facts import facts_of
from lib.demo.filling import Progress, SampleProblem, begin, fill, find_sample, go_on, stop
from lib.demo.lives import Plan, lives
from lib.demo.removal import begin_removal, remove
from lib.demo.there import known_there
from lib.ledger import watchdog
from lib.ledger.closed.close import close_period
from lib.ledger.closed.months import months
from lib.ledger.database import Database
from lib.ledger.deliveries import Incoming, receive
from lib.ledger.desk import Desk
from lib.ledger.facts import from_webhook, note_added
from lib.ledger.fold import fold
from lib.ledger.queries import DeliveryFilter, PaymentFilter, find_deliveries, find_payments, pulse
from lib.ledger.rebuild import compare
from lib.ledger.record import PAYMENT, record
from lib.ledger.search import index_waiting
from lib.ledger.tables import Table
from lib.ledger.volumes import adopt_zone
from lib.operators import Operator
from lib.settings import Settings
from tests.pages.conftest import everything
from tests.support.events import event

ANA = Operator("Ana")
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
PLAN = Plan(7, 150, 1, NOW)
OF_THE_WAY = ("sample", "audit", "ledger_zone", "alembic_version", "backfill")
"""What tells of the filling itself, not of payments."""


def everything_in(database: Database) -> dict[str, list[Any]]:
    with database.read() as connection:
        return {
            name: sorted(map(repr, connection.execute(select(table))))
            for name, table in Table.metadata.tables.items()
            if name not in OF_THE_WAY
        } | {"search": sorted(map(repr, connection.execute(text("SELECT words FROM search"))))}


def filled(desk: Desk, **wanted: Any) -> None:
    adopt_zone(desk.database, desk.settings.zone)
    begin(desk, ANA, **{"payments": 150, "seed": 7, "months": 1, "now": NOW} | wanted)
    assert fill(desk)


def removed(desk: Desk) -> None:
    begin_removal(desk, ANA)
    assert remove(desk)


def test_the_same_seed_gives_the_same_facts_to_the_byte() -> None:
    told = [[fact.text for fact in facts_of(life)] for life in lives(PLAN)]
    assert told == [[fact.text for fact in facts_of(life)] for life in lives(PLAN)]
    assert told != [[fact.text for fact in facts_of(life)] for life in lives(Plan(8, 150, 1, NOW))]


def test_what_a_life_is_does_not_depend_on_the_day_it_is_made() -> None:
    later = lives(Plan(7, 150, 1, NOW + timedelta(days=3)))
    assert [(life.currency, life.amount, life.customer) for life in lives(PLAN) if life.charge is None][:100] == [
        (life.currency, life.amount, life.customer) for life in later if life.charge is None
    ][:100]


@pytest.mark.parametrize("payments", [100, 1000])
def test_lives_are_as_many_as_asked_for_and_in_the_order_of_time(payments: int) -> None:
    plan = Plan(3, payments, 3, NOW)
    born = list(lives(plan))
    assert len(born) == len({life.payment_id for life in born}) == payments
    assert [life.born_at for life in born] == sorted(life.born_at for life in born)
    assert all(fact.recorded_at < NOW for life in born for fact in facts_of(life))
    assert sum(life.ended_at is None for life in born) >= 4


def test_facts_read_as_if_their_webhooks_had_come_and_agree_with_what_is_known_there() -> None:
    for life in lives(PLAN):
        told = facts_of(life)
        for fact in told:
            if fact.source == "webhook":
                assert from_webhook(fact.text.encode(), fact.recorded_at) == fact
        state, there = fold(told), known_there(life)
        assert sum(mark.amount or 0 for mark in state.captures.values()) == there["captured"]
        assert sum(mark.amount or 0 for mark in state.refunded.values()) == there["refunded"]
        assert there["refunded"] <= there["captured"] <= there["amount"]


def test_filled_and_removed_a_store_is_as_it_was(desk: Desk) -> None:
    now = datetime.now(UTC)
    record(desk.database, everything(now))
    receive(desk.database, [Incoming(event("payment_pending", "real", now), now, "s", None, 9, None, 0)])
    adopt_zone(desk.database, desk.settings.zone)
    while index_waiting(desk.database):
        pass
    before = everything_in(desk.database)
    filled(desk, now=now)
    with desk.database.read() as connection:
        sample = connection.execute(
            select(PAYMENT.c.id).where(PAYMENT.c.captured > 0).order_by(PAYMENT.c.seq.desc())
        ).scalar()
    record(desk.database, [note_added("note", str(sample), text="Called back.", by="Ana", at=now)])
    while index_waiting(desk.database):
        pass
    assert str(compare(desk.database)).endswith("0 rows differ")
    assert everything_in(desk.database) != before
    removed(desk)
    assert everything_in(desk.database) == before
    assert str(compare(desk.database)).endswith("0 rows differ")


def test_killed_half_way_it_goes_on_to_the_very_same_store_or_is_removed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filling, "AT_ONCE", 50)
    adopt_zone(desk.database, desk.settings.zone)
    empty = everything_in(desk.database)
    filled(desk)
    whole = everything_in(desk.database)
    removed(desk)
    begin(desk, ANA, payments=150, seed=7, months=1, now=NOW)

    def die(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill(desk, die)
    assert str(compare(desk.database)).endswith("50 payments, 0 rows differ")
    go_on(desk, ANA)
    assert fill(desk)
    if desk.database.sqlite:  # PostgreSQL never gives a number out twice
        assert everything_in(desk.database) == whole
    removed(desk)
    assert everything_in(desk.database) == empty


def test_it_can_be_stopped(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filling, "AT_ONCE", 50)
    begin(desk, ANA, payments=150, seed=7, months=1, now=NOW)
    assert not fill(desk, lambda _: stop(desk, ANA))
    sample = find_sample(desk.database)
    assert sample
    assert (sample.state, sample.filled) == ("stopped", 50)
    removed(desk)


def test_nothing_of_it_waits_to_be_heard_but_what_is_open(desk: Desk) -> None:
    filled(desk, payments=300)
    assert len(watchdog.overdue(desk.database, NOW)) <= 4


def test_deliveries_are_found_by_their_times_and_come_before_real_ones(desk: Desk) -> None:
    filled(desk)
    receive(desk.database, [Incoming(event("payment_pending", "real", NOW), NOW, "s", None, 9, None, 0)])
    newest, *rest = find_deliveries(desk.database, DeliveryFilter(), limit=500).rows
    assert str(newest.event_id).endswith("real")
    assert newest.id == 1
    times = [row.received_at for row in rest]
    assert times == sorted(times, reverse=True)
    since, until = NOW - timedelta(days=9), NOW - timedelta(days=4)
    found = find_deliveries(desk.database, DeliveryFilter(since=since, until=until), limit=500).rows
    assert [row.received_at for row in found] == [at for at in times if since <= at < until]


def test_it_lies_before_the_first_real_delivery(desk: Desk) -> None:
    came = NOW - timedelta(days=2)
    receive(desk.database, [Incoming(event("payment_pending", "real", came), came, "s", None, 9, None, 0)])
    assert begin(desk, ANA, payments=100, seed=1, months=1, now=NOW).until < came


def test_made_again_it_lies_before_what_really_came_after_it_was_made_first(desk: Desk) -> None:
    filled(desk)
    came = NOW + timedelta(hours=1)
    receive(desk.database, [Incoming(event("payment_pending", "real", came), came, "s", None, 9, None, 0)])
    removed(desk)
    filled(desk, now=came + timedelta(days=1))
    sample = find_sample(desk.database)
    assert sample
    assert sample.until < came
    newest, *rest = find_deliveries(desk.database, DeliveryFilter(), limit=500).rows
    assert str(newest.event_id).endswith("real")
    assert newest.id == 1
    times = [row.received_at for row in rest]
    assert times == sorted(times, reverse=True)


def test_one_at_a_time_and_within_limits(desk: Desk) -> None:
    for wrong in ({"payments": 99}, {"payments": 1_000_001}, {"months": 0}, {"seed": -1}):
        with pytest.raises(SampleProblem, match="Choose 100 to 1,000,000"):
            begin(desk, ANA, **{"payments": 100, "seed": 1, "months": 1, "now": NOW} | wrong)
    begin(desk, ANA, payments=100, seed=1, months=1, now=NOW)
    with pytest.raises(SampleProblem, match="There is sample data already"):
        begin(desk, ANA, payments=100, seed=2, months=1, now=NOW)


@pytest.mark.parametrize("world", ["https://abcdefgh.api.sandbox.checkout.com", "https://abcdefgh.api.checkout.com"])
def test_never_against_checkout_com(desk: Desk, world: str) -> None:
    pointed = Settings.model_construct(**{**desk.settings.__dict__, "checkout_base_url": world})
    at_checkout = Desk(pointed, desk.database, desk.checkout, desk.public_url)
    begin(desk, ANA, payments=100, seed=1, months=1, now=NOW)
    for attempt in (
        lambda: begin(at_checkout, ANA, payments=100, seed=1, months=1, now=NOW),
        lambda: go_on(at_checkout, ANA),
        lambda: fill(at_checkout),
    ):
        with pytest.raises(SampleProblem, match="points at Checkout"):
            attempt()
    with desk.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(PAYMENT)).scalar() == 0


def test_a_closed_month_keeps_its_sample_data_until_it_is_reopened(desk: Desk) -> None:
    filled(desk)
    month = months(desk.database, "HKD", desk.settlement_days, NOW)[-1]
    close_period(ANA, desk.database, desk.settlement_days, "HKD", month.month, seen=month.figures, now=NOW)
    with pytest.raises(SampleProblem, match="HKD 2026-10 was closed with sample data"):
        begin_removal(desk, ANA)


def test_the_newest_payments_are_sample_payments_until_real_ones_come(desk: Desk) -> None:
    filled(desk)
    rows = find_payments(desk.database, PaymentFilter(), limit=50).rows
    assert all(row.id.startswith("pay_sample") and len(row.id) == 30 for row in rows)


def test_screens_hear_of_it_though_real_events_are_newer(desk: Desk) -> None:
    record(desk.database, everything(NOW + timedelta(hours=1)))
    before = pulse(desk.database)
    filled(desk)
    beside = pulse(desk.database)
    removed(desk)
    assert beside not in (before, pulse(desk.database))
