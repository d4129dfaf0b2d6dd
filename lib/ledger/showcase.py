"""What showing a payment to an audience needs of the ledger: the payment to ask for, and what it did to the sums."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from lib import catalog
from lib.ledger.account import share
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.drafts import ItemDraft, PaymentDraft, new_reference
from lib.ledger.periods import start_of_day
from lib.ledger.quarters import A_QUARTER, quarter_of
from lib.ledger.record import PAYMENT, REFUND
from lib.ledger.rows import as_rows
from lib.ledger.sums import Net, nothing, sums_by_currency
from lib.ledger.tables import Payment, Refund
from lib.money import Money

_EMAIL = "test@test.com"  # the customer of the KakaoPay page's examples
_PART_PERCENT = 25


@dataclass(frozen=True, slots=True)
class Change:
    """The sums of one currency as they would be without a payment, and as they are with it."""

    without: Net
    now: Net


def demonstration(desk: Desk) -> PaymentDraft:
    """A payment to ask for in front of people. On the simulator its customer returns to the shop that comes with it,
    since a phone cannot open pages of this dashboard."""
    preset, reference = catalog.kakaopay().demonstration, new_reference()
    shop = f"{desk.api_url}/wallet" if desk.settings.world == "simulator" else None
    home = desk.payment_page(reference)
    return PaymentDraft(
        amount=preset.amount,
        currency=preset.currency,
        reference=reference,
        terminal_type=preset.terminal_type,
        os_type=preset.os_type,
        payment_type=preset.payment_type,
        customer_email=_EMAIL,
        country=preset.country,
        items=(ItemDraft(preset.name, unit_price=preset.amount),),
        success_url=f"{shop}/paid" if shop else home,
        failure_url=f"{shop}/unpaid" if shop else home,
    )


def part_to_refund(payment: Payment) -> Money:
    """A quarter of what was captured, or what is left if that is less."""
    part = share(Money(payment.captured, payment.refundable.currency), _PART_PERCENT)
    return min(part, payment.refundable)


def sums_changed(database: Database, payment_id: str, zone: ZoneInfo) -> dict[str, Change]:
    """By currency, what the payment did to the sums of its days: from the local day of its request to this moment.

    All of it is read in one transaction, so that both columns differ by this payment alone, whatever else arrives.
    Empty for a payment that is not known.
    """
    with database.read() as connection:
        row = connection.execute(select(PAYMENT).where(PAYMENT.c.id == payment_id)).mappings().one_or_none()
        if row is None:
            return {}
        payment = as_rows(Payment, [row])[0]
        paid_out = select(REFUND).where(REFUND.c.payment_id == payment_id, REFUND.c.status == "refunded")
        refunds = as_rows(Refund, connection.execute(paid_out).mappings().all())
        moments = [payment.requested_at, payment.captured_at, *(refund.decided_at for refund in refunds)]
        known = [moment for moment in moments if moment]  # the simulator's clock may be ahead of ours
        since = start_of_day(min(known).astimezone(zone).date(), zone)
        until = quarter_of(max(*known, datetime.now(UTC))) + A_QUARTER
        moved = sums_by_currency(connection, since, until)
        if payment.currency:
            moved.setdefault(payment.currency, nothing(payment.currency))
    changes = {}
    for currency, sums in moved.items():
        now = Net(sums.captured, sums.refunded)
        own = currency == payment.currency
        captured = Money(payment.captured if own else 0, currency)
        refunded = Money(sum(refund.amount for refund in refunds) if own else 0, currency)
        changes[currency] = Change(Net(now.captured - captured, now.refunded - refunded), now)
    return changes
