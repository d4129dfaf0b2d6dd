"""The payment that is shown to an audience, and what it did to the sums."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from lib import catalog
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.queries import find_payment
from lib.ledger.record import record
from lib.ledger.showcase import demonstration, part_to_refund, sums_changed
from lib.ledger.tables import Payment
from lib.money import Money
from lib.settings import Settings
from tests.support.events import balances, webhook

HONG_KONG = ZoneInfo("Asia/Hong_Kong")


def hkd(minor: int) -> Money:
    return Money(minor, "HKD")


def test_the_sums_differ_by_this_payment_alone(database: Database) -> None:
    record(
        database,
        [
            webhook("payment_captured", 1, 0, "pay_other", amount=5000, action_id="act_1"),
            webhook(
                "payment_refunded", 2, 5, "pay_other", amount=1000, action_id="act_2", balances=balances(5000, 1000)
            ),
            webhook("payment_captured", 3, 6, "pay_won", amount=45000, currency="KRW", action_id="act_3"),
            webhook("payment_pending", 4, 8, "pay_shown", amount=38000),
        ],
    )
    waiting = sums_changed(database, "pay_shown", HONG_KONG)
    assert waiting["HKD"].without == waiting["HKD"].now

    record(
        database,
        [
            webhook("payment_captured", 5, 10, "pay_shown", amount=38000, action_id="act_4"),
            webhook(
                "payment_refunded", 6, 2000, "pay_shown", amount=9500, action_id="act_5", balances=balances(38000, 9500)
            ),
        ],
    )
    changes = sums_changed(database, "pay_shown", HONG_KONG)
    without, now = changes["HKD"].without, changes["HKD"].now
    assert (without.captured, without.refunded, without.net) == (hkd(5000), hkd(1000), hkd(4000))
    assert (now.captured, now.refunded, now.net) == (hkd(43000), hkd(10500), hkd(32500))
    assert changes["KRW"].without == changes["KRW"].now
    assert changes["KRW"].now.net == Money(45000, "KRW")


def test_an_unknown_payment_changed_nothing(database: Database) -> None:
    assert sums_changed(database, "pay_unknown", HONG_KONG) == {}


@pytest.mark.parametrize(
    ("captured", "refunded", "part"), [(38000, 0, 9500), (38000, 37000, 1000), (3, 0, 0), (38000, 38000, 0)]
)
def test_a_quarter_is_given_back_or_what_is_left(database: Database, captured: int, refunded: int, part: int) -> None:
    facts = [webhook("payment_captured", 1, 0, amount=captured, action_id="act_1")]
    if refunded:
        told = balances(captured, refunded)
        facts.append(webhook("payment_refunded", 2, 5, amount=refunded, action_id="act_2", balances=told))
    record(database, facts)
    payment = find_payment(database, "pay_1")
    assert isinstance(payment, Payment)
    assert part_to_refund(payment) == hkd(part)


@pytest.mark.parametrize("vintage", list(catalog.offers()))
def test_what_is_shown_can_be_sent_on_every_kind_of_account(vintage: str) -> None:
    settings = Settings(_env_file=None, kakaopay_currencies=vintage)  # type: ignore[call-arg]
    desk = Desk(settings, None, None, "http://192.168.1.20:8501")  # type: ignore[arg-type]
    draft = demonstration(desk)
    assert draft.problems(settings) == {}
    assert draft.success_url == "http://192.168.1.20:8501/simulator/wallet/paid"
    assert draft.reference != demonstration(desk).reference


def test_at_checkout_com_the_customer_returns_to_the_payments_page() -> None:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        checkout_base_url="https://x.api.sandbox.checkout.com",
        checkout_secret_key="sk_sbox_" + "a" * 26 + "=",
        checkout_processing_channel_id="pc_" + "a" * 26,
        checkout_webhook_keys="key",
    )
    draft = demonstration(Desk(settings, None, None, "https://desk.example"))  # type: ignore[arg-type]
    assert draft.success_url == f"https://desk.example/payment?reference={draft.reference}"
