"""Money on the merchant's account: what each action adds or takes, fees included, and the payouts that carry it away.

Whole minor units of the holding currency throughout, so that every sum ties to the cent.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update

from lib import catalog
from lib.simulator.options import Fees, Options
from lib.simulator.step import Step
from lib.simulator.store import Action, Payment, Payout, Report, Timer

_EIGHT = Decimal("0.00000001")


@dataclass(frozen=True)
class Line:
    """One row of an action's breakdown. Positive is for the merchant."""

    kind: str
    processing: Decimal
    """Major units of the payment's currency, eight places."""
    holding: int
    """Minor units of the holding currency."""


def major(minor: int, currency: str) -> Decimal:
    """Minor units as the decimal in major units that the finance side speaks, eight places."""
    return Decimal(minor).scaleb(-catalog.digits(currency)).quantize(_EIGHT)


def holding(currency: str, options: Options) -> tuple[str, Decimal]:
    """Where money of a currency is held, and at what rate it gets there."""
    return options.holding.get(currency, (currency, Decimal(1)))


def breakdown(action: Action, payment: Payment, options: Options) -> list[Line]:
    """The rows of a capture or refund: the money itself, then what it costs."""
    held, rate = holding(payment.currency, options)
    sign = 1 if action.type == "Capture" else -1
    gross = _minor(major(action.amount, payment.currency) * rate, held)
    lines = [Line(action.type, sign * major(action.amount, payment.currency), sign * gross)]
    for kind, fee in _fees(action.type, gross, options.fees):
        if fee:
            lines.append(Line(kind, -(major(fee, held) / rate).quantize(_EIGHT), -fee))
    return lines


def book(step: Step, action: Action, payment: Payment) -> None:
    """Put an approved action on the account, and see that its settlement day will be cut."""
    lines = breakdown(action, payment, step.options)
    action.holding_currency = holding(payment.currency, step.options)[0]
    action.holding_net = sum(line.holding for line in lines)
    action.breakdown = [[line.kind, str(line.processing), line.holding] for line in lines]
    zone = ZoneInfo(step.options.zone)
    day = step.now.astimezone(zone).date()
    waiting = select(Timer.seq).where(Timer.kind == "cut", Timer.subject == day.isoformat())
    if step.db.scalar(waiting) is None:
        step.schedule("cut", day.isoformat(), day_start(day + timedelta(days=1), zone))


def lines(action: Action) -> list[Line]:
    """The rows of an action as they were booked."""
    return [Line(kind, Decimal(processing), held) for kind, processing, held in action.breakdown or []]


def cut(step: Step, day: str) -> None:
    """End a settlement day: a payout for each currency that has something to pay, and the reports about it.

    A currency whose refunds and fees outweigh its captures is carried forward; Checkout.com would collect it later.
    """
    zone = ZoneInfo(step.options.zone)
    start = day_start(date.fromisoformat(day), zone)
    end = day_start(date.fromisoformat(day) + timedelta(days=1), zone)
    open_actions = (
        Action.holding_currency.is_not(None),
        Action.payout_id.is_(None),
        Action.processed_on < end,
    )
    sums = (
        select(
            Action.holding_currency,
            func.sum(Action.holding_net),
            func.min(Action.processed_on),
        )
        .where(*open_actions)
        .group_by(Action.holding_currency)
        .order_by(Action.holding_currency)
    )
    made: list[Payout] = []
    for currency, net, first in step.db.execute(sums).all():
        if currency is None or first is None or not net or net < 0:
            continue
        payout = Payout(
            id=step.chance.payout(),
            currency=currency,
            amount=net,
            period_start=day_start(first.astimezone(zone).date(), zone),
            period_end=end,
            pays_at=end + timedelta(days=step.options.payout_days),
        )
        step.db.add(payout)
        step.db.execute(
            update(Action).where(*open_actions, Action.holding_currency == currency).values(payout_id=payout.id)
        )
        _report(step, "FinancialActionsByPayoutId", payout.period_start, end, payout)
        made.append(payout)
    _report(step, "FinancialActions", start, end)
    if made:
        _report(step, "Payouts", min(payout.period_start for payout in made), end)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """Midnight at the start of a local day, as UTC."""
    return datetime.combine(day, time(), zone).astimezone(ZoneInfo("UTC"))


def _report(step: Step, kind: str, start: datetime, end: datetime, payout: Payout | None = None) -> None:
    zone = ZoneInfo(step.options.zone)
    first, last = (f"{moment.astimezone(zone):%Y%m%d}" for moment in (start, end - timedelta(microseconds=1)))
    entity = step.options.entity_id
    names = {
        "FinancialActionsByPayoutId": f"financial-actions_{entity}_{last}_{payout.id if payout else ''}_1.csv",
        "FinancialActions": f"financial-actions_{entity}_{first}_{last}_1.csv",
        "Payouts": f"payouts_{entity}_{first}_{last}_1.csv",
    }
    step.db.add(
        Report(
            id=step.chance.identifier("rpt"),
            type=kind,
            created_on=step.now,
            period_start=start,
            period_end=end,
            payout_id=payout.id if payout else None,
            file_id=step.chance.identifier("file"),
            filename=names[kind],
        )
    )


def _fees(kind: str, gross: int, fees: Fees) -> list[tuple[str, int]]:
    if kind != "Capture":
        return [("Refund Fixed Fee", fees.refund_fixed)]
    variable = int((gross * fees.premium_variable).to_integral_value())
    return [
        ("Premium Variable Fee", variable),
        ("Premium Fixed Fee", fees.premium_fixed),
        ("Gateway Fixed Fee", fees.gateway_fixed),
    ]


def _minor(amount: Any, currency: str) -> int:
    return int(Decimal(amount).scaleb(catalog.digits(currency)).to_integral_value())
