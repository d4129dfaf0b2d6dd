"""What payments cost, as far as Checkout.com's reports have been imported: by payment, by action and by settlement day.

A fee is charged in the currency in which the money is held. Only where that is the payment's own currency can it be
taken off the payment's figures; all others are told beside them, never added to them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select

from lib.ledger.batch import Batch
from lib.ledger.calendar import SettlementDays
from lib.ledger.database import Database
from lib.ledger.quarters import quarter
from lib.ledger.statements.matching import Line
from lib.ledger.statements.tables import FEE_QUARTER, LINE
from lib.ledger.statements.units import whole
from lib.ledger.tables import time_text
from lib.money import Money

_PARTS = FEE_QUARTER.c.currency, FEE_QUARTER.c.holding
# Put together once: a list of months asks for each, and to put a statement into words takes longer than to run it.
_SUMMED = (
    select(*_PARTS, func.sum(FEE_QUARTER.c.units))
    .group_by(*_PARTS)
    .where(FEE_QUARTER.c.bucket < bindparam("until", type_=FEE_QUARTER.c.bucket.type))
)
_BETWEEN = (
    select(FEE_QUARTER)
    .where(
        FEE_QUARTER.c.bucket >= bindparam("since", type_=FEE_QUARTER.c.bucket.type),
        FEE_QUARTER.c.bucket < bindparam("until", type_=FEE_QUARTER.c.bucket.type),
    )
    .order_by(FEE_QUARTER.c.bucket)
)


class Fee(NamedTuple):
    """One line of what an action cost. `money` is above zero where it costs, rounded to minor units of its currency."""

    action_id: str | None
    what: str
    at: datetime
    money: Money


def fees_of(database: Database, payment_id: str) -> list[Fee]:
    """What a payment and its refunds cost, line by line, earliest first; empty while no report has told."""
    wanted = select(LINE).where(LINE.c.payment_id == payment_id, LINE.c.kind == "fee", LINE.c.standing == "fee_only")
    with database.read() as connection:
        found = connection.execute(wanted.order_by(LINE.c.at, LINE.c.id)).mappings().all()
    return [Fee(row["action_id"], row["breakdown"], row["at"], whole(-row["held"], row["holding"])) for row in found]


def fees_by_day(
    database: Database, first: date, last: date, days: SettlementDays
) -> dict[tuple[date, str], dict[str, Money]]:
    """By settlement day and the payments' currency, from `first` to `last` inclusive: what it cost in each currency held.

    Above zero where it costs. A day of which no report tells is absent, which is not the same as a day without fees.
    What lies below a minor unit is carried to the next day, so that days add up to their month.
    """
    since, until = days.span(first, last)
    with database.read() as connection:
        carried = _until(connection, since)
        found = connection.execute(_BETWEEN, {"since": since, "until": until}).mappings().all()
    by_day: dict[tuple[date, str, str], int] = defaultdict(int)
    for row in found:
        by_day[(days.day_of(row["bucket"]), row["currency"], row["holding"])] += row["units"]
    told: dict[tuple[date, str], dict[str, Money]] = defaultdict(dict)
    for (day, currency, holding), units in sorted(by_day.items()):
        before = carried[(currency, holding)]
        carried[(currency, holding)] += units
        told[(day, currency)][holding] = whole(-before - units, holding) - whole(-before, holding)
    return dict(told)


def fees_until(connection: Connection, currency: str, until: datetime) -> Money:
    """All that payments in `currency` have cost in that same currency, before `until`."""
    return whole(-_until(connection, until)[(currency, currency)], currency)


def add_fees(batch: Batch, lines: Iterable[Line]) -> None:
    """Take new lines into the quarters of an hour. For whoever stores lines; each line once."""
    moved: dict[tuple[str, str, str], int] = defaultdict(int)
    for line in lines:
        if line["kind"] == "fee" and line["standing"] == "fee_only":
            moved[(quarter(time_text(line["at"])), line["currency"], line["holding"])] += line["held"]
    rows = [
        {"bucket": bucket, "currency": currency, "holding": holding, "units": units}
        for (bucket, currency, holding), units in sorted(moved.items())
    ]
    batch.upsert(FEE_QUARTER, ("bucket", "currency", "holding"), rows, {"units": "+"})


def _until(connection: Connection, until: datetime) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = defaultdict(int)
    for currency, holding, units in connection.execute(_SUMMED, {"until": until}):
        found[(currency, holding)] = int(units)
    return found
