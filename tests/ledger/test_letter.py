"""What one can tell the customer, and that it never says more than is known."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import catalog
from lib.ledger.letter import letter
from lib.ledger.tables import REFUND_STATUSES, STATUSES, Payment, Refund

SEOUL = ZoneInfo("Asia/Seoul")
NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # Monday, one o'clock in Seoul
LANGUAGES = ("en", "ko")
HANGUL = re.compile(r"[가-힣]")


def payment(status: str = "Captured", **columns: Any) -> Payment:
    captured = (
        {} if status in ("Pending", "Declined", "Expired", "Canceled") else {"captured": 10000, "captured_at": NOW}
    )
    given = {"amount": 10000, "currency": "HKD", "reference": "ORD-1", "customer_email": "minji@example.com"}
    return Payment(**{"id": "pay_1", "status": status, "customer_name": "Kim Minji", **given, **captured, **columns})


def refund(status: str, amount: int = 2500, currency: str = "HKD", days_ago: int = 0) -> Refund:
    asked = NOW - timedelta(days=days_ago)
    decided = asked if status in ("refunded", "declined", "failed") else None
    return Refund(
        key=f"key-{amount}",
        payment_id="pay_1",
        amount=amount,
        currency=currency,
        status=status,
        requested_at=asked,
        answered_at=asked,
        decided_at=decided,
    )


def write(language: str, of: Payment, *refunds: Refund, now: datetime = NOW) -> str:
    return letter(of, refunds, language, zone=SEOUL, now=now)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", [*STATUSES, *REFUND_STATUSES])
def test_every_state_has_a_sentence_in_every_language(language: str, state: str) -> None:
    of_refund = state in REFUND_STATUSES
    said = write(language, payment() if of_refund else payment(state), *([refund(state)] if of_refund else []))
    assert "{" not in said
    assert bool(HANGUL.search(said)) == (language == "ko")
    assert "ORD-1" in said
    assert "Minji" not in said.title()
    assert "@" not in said
    assert "\u00a0" not in said


@pytest.mark.parametrize("text", catalog.customer_words()["ko"].texts.values())
def test_korean_is_formal_to_its_last_sentence(text: str) -> None:
    for sentence in re.split(r"(?<=[가-힣])\.(?: |$)", text):
        assert not sentence or re.search(r"(니다|바랍니다)$", sentence), sentence


@pytest.mark.parametrize("text", catalog.customer_words()["ko"].texts.values())
def test_no_korean_particle_hangs_on_a_figure(text: str) -> None:
    """Which particle is right depends on the sound before it, and that depends on what is filled in."""
    assert not re.search(r"\{(amount|refund|total|order)\}(은|는|이|가|을|를|와|과|으로|로)(?![가-힣])", text)


@pytest.mark.parametrize(
    ("language", "of", "refunds", "now", "expected"),
    [
        (
            "en",
            payment("Pending", expires_at=NOW + timedelta(minutes=7)),
            [],
            NOW,
            (
                "Your KakaoPay payment of HKD 100.00 for order ORD-1 has not been completed yet. Please open the payment link and "
                "approve it by 13:07 (KST) on 2 March 2026."
            ),
        ),
        (
            "ko",
            payment("Pending", amount=45000, currency="KRW", expires_at=NOW + timedelta(minutes=7)),
            [],
            NOW,
            (
                "주문 ORD-1의 45,000원 카카오페이 결제가 아직 완료되지 않았습니다. "
                "2026년 3월 2일 13시 7분(KST)까지 결제 링크를 열어 승인해 "
                "주시기 바랍니다."
            ),
        ),
        (
            "en",
            payment("Pending", expires_at=NOW - timedelta(minutes=7), reference=None),
            [],
            NOW,
            (
                "Your KakaoPay payment of HKD 100.00 has not been confirmed yet. We are checking it with our payment provider; please "
                "do not pay again for now."
            ),
        ),
        (
            "en",
            payment("Partially Refunded", refunded=2500),
            [refund("refunded")],
            NOW,
            (
                "Your refund of HKD 25.00 for order ORD-1 was completed on 2 March 2026. You should receive the money between "
                "5 March 2026 and 16 March 2026."
            ),
        ),
        (
            "ko",
            payment("Partially Refunded", refunded=2500),
            [refund("refunded")],
            NOW,
            (
                "주문 ORD-1의 25.00 홍콩달러 환불이 2026년 3월 2일에 처리되었습니다. 환불 금액은 2026년 3월 5일에서 2026년 3월 16일 사이에 "
                "입금될 예정입니다."
            ),
        ),
        (
            "en",
            payment("Partially Refunded", refunded=2500),
            [refund("refunded", days_ago=30)],
            NOW,
            (
                "Your refund of HKD 25.00 for order ORD-1 was completed on 31 January 2026. You should have received the money by "
                "13 February 2026; if you cannot find it, please let us know."
            ),
        ),
        (
            "en",
            payment("Partially Refunded", refunded=2500, refund_pending=1000),
            [refund("refunded", days_ago=3), refund("pending", 1000)],
            NOW,
            (
                "Your refund of HKD 10.00 for order ORD-1 is on its way. You should receive the money between 5 March 2026 and "
                "16 March 2026. In total, HKD 35.00 of your payment of HKD 100.00 has been refunded or is on its way."
            ),
        ),
        (
            "ko",
            payment("Partially Refunded", refunded=2500, refund_pending=1000),
            [refund("refunded", days_ago=3), refund("pending", 1000)],
            NOW,
            (
                "주문 ORD-1의 10.00 홍콩달러 환불이 진행 중입니다. "
                "환불 금액은 2026년 3월 5일에서 2026년 3월 16일 사이에 입금될 예정입니다. "
                "결제 금액 100.00 홍콩달러 중 환불되었거나 환불 중인 금액은 총 35.00 홍콩달러입니다."
            ),
        ),
        (
            "en",
            payment("Refunded", refunded=10000),
            [],
            NOW,
            "We refunded your KakaoPay payment of HKD 100.00 for order ORD-1 in full.",
        ),
        (
            "ko",
            payment("Captured", attention="contradiction"),
            [],
            NOW,
            "주문 ORD-1의 카카오페이 결제 내역을 결제 대행사에 확인하고 있습니다. 확인되는 대로 안내해 드리겠습니다.",
        ),
    ],
)
def test_what_is_written(language: str, of: Payment, refunds: list[Refund], now: datetime, expected: str) -> None:
    assert write(language, of, *refunds, now=now) == expected


@given(
    st.sampled_from(LANGUAGES),
    st.sampled_from(STATUSES),
    st.lists(st.sampled_from(REFUND_STATUSES), max_size=3),
    st.sampled_from([*catalog.currencies(), "XAU", None]),
    st.text(max_size=30) | st.none(),
    st.dates(date(2026, 1, 1), date(2027, 12, 31)),
)
def test_something_can_always_be_said(
    language: str, status: str, refunds: list[str], currency: str | None, reference: str | None, day: date
) -> None:
    of = payment(status, currency=currency, reference=reference)
    given_back = [refund(each, number, currency or "HKD") for number, each in enumerate(refunds, 1)]
    said = write(language, of, *given_back, now=datetime(day.year, day.month, day.day, tzinfo=UTC))
    assert said.endswith(".")
    assert "\n" not in said
