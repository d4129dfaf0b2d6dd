"""How much a role may refund by itself, as it is written."""

from __future__ import annotations

import pytest

from lib import limits
from lib.limits import Limits
from lib.money import Money


def test_limits_by_role_and_currency() -> None:
    found = limits.read("support HKD 5000, Support krw 500000 ,approver HKD 20000.50,")
    assert found.of(["support"], "HKD") == Money(500000, "HKD")
    assert found.of(["support"], "KRW") == Money(500000, "KRW")
    assert found.of(["approver"], "KRW") is None
    assert found.of(["approver", "support", "admin"], "HKD") == Money(500000, "HKD")
    assert limits.read("  ") == Limits()
    assert not limits.read("")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("support HKD", "“support HKD” is not a role, a currency and an amount"),
        ("support HKD 5,000", "“000” is not a role, a currency and an amount without commas"),
        ("boss HKD 5", "“boss” is not a role that may refund; those are admin, approver, support"),
        ("viewer HKD 5", "“viewer” is not a role that may refund"),
        ("support USD 5", "USD is not a currency this dashboard knows"),
        ("support KRW 5.5", "KRW has no decimals"),
        ("support HKD 5, support HKD 6", "two limits for support in HKD"),
    ],
)
def test_a_wrong_limit_gets_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        limits.read(text)
