"""Money and what people type for it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import catalog
from lib.money import MAXIMUM_MINOR, MINUS, NBSP, BadAmount, CurrencyMismatch, Money, parse

currencies = st.sampled_from(sorted(catalog.currencies()))
minors = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(110000, "HKD"), "HKD 1,100.00"),
        (Money(1100, "KRW"), "KRW 1,100"),
        (Money(5, "EUR"), "EUR 0.05"),
        (Money(0, "SGD"), "SGD 0.00"),
        (Money(-125, "GBP"), "−GBP 1.25"),
        (Money(1100, "XXX"), "XXX 1,100"),
        (Money(123456789012, "AUD"), "AUD 1,234,567,890.12"),
    ],
)
def test_money_on_screen_never_breaks_over_a_line(money: Money, text: str) -> None:
    assert str(money) == text.replace(" ", NBSP)
    assert " " not in str(money)


def test_the_figure_alone() -> None:
    assert Money(-110000, "HKD").figure == f"{MINUS}1,100.00"


@given(a=minors, b=minors, currency=currencies)
def test_arithmetic_is_exact_in_one_currency(a: int, b: int, currency: str) -> None:
    first, second = Money(a, currency), Money(b, currency)
    assert first + second - second == first
    assert -first == Money(-a, currency)
    assert (first < second, first <= second, first > second, first >= second) == (a < b, a <= b, a > b, a >= b)
    assert bool(first) == (a != 0)
    assert first.major * 10 ** catalog.digits(currency) == Decimal(a)


def test_two_currencies_never_meet() -> None:
    won, euro = Money(1, "KRW"), Money(1, "EUR")
    for meet in (
        lambda: won + euro,
        lambda: won - euro,
        lambda: won < euro,
        lambda: won <= euro,
        lambda: won > euro,
        lambda: won >= euro,
    ):
        with pytest.raises(CurrencyMismatch, match="KRW and EUR"):
            meet()
    assert won != euro


@pytest.mark.parametrize("minor", [1.0, 10.5, Decimal(1), "1", True, None])
def test_minor_units_are_a_whole_number(minor: Any) -> None:
    with pytest.raises(TypeError, match="whole number"):
        Money(minor, "HKD")


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("11", "HKD", 1100),
        ("11.5", "HKD", 1150),
        ("1100", "KRW", 1100),
        ("1,100", "KRW", 1100),
        ("1,100.00", "HKD", 110000),
        ("HKD 1,100", "HKD", 110000),
        ("hkd1,100.25", "HKD", 110025),
        (f"HKD{NBSP}0.01", "HKD", 1),
        ("  007.10  ", "EUR", 710),
        ("9999999.99", "EUR", MAXIMUM_MINOR),
        ("999,999,999", "KRW", MAXIMUM_MINOR),
    ],
)
def test_what_a_person_types(text: str, currency: str, minor: int) -> None:
    assert parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency", "words"),
    [
        ("", "HKD", "Enter an amount"),
        ("HKD", "HKD", "Enter an amount"),
        ("0", "HKD", "more than zero"),
        ("0.00", "HKD", "more than zero"),
        ("-5", "HKD", "more than zero"),
        (f"{MINUS}5", "HKD", "more than zero"),
        ("HKD -5", "HKD", "more than zero"),
        ("1.005", "HKD", "HKD has 2 decimals, but “1.005” has 3"),
        ("1100.5", "KRW", "KRW has no decimals, but “1100.5” has 1"),
        ("1,10", "HKD", "is not an amount"),
        ("1,1000", "HKD", "is not an amount"),
        ("11,00", "EUR", "is not an amount"),
        (",100", "HKD", "is not an amount"),
        ("1.", "HKD", "is not an amount"),
        (".5", "HKD", "is not an amount"),
        ("1.2.3", "HKD", "is not an amount"),
        ("1.1,000", "HKD", "is not an amount"),
        ("1e3", "HKD", "is not an amount"),
        ("1_000", "HKD", "is not an amount"),
        ("+1", "HKD", "is not an amount"),
        ("NaN", "HKD", "is not an amount"),
        ("１１", "HKD", "“１１” is not an amount: its digits are not the plain ones, 0 to 9"),
        ("1.234,50", "HKD", "“1.234,50” is not an amount: decimals come after a point, a comma groups thousands"),
        ("1,5", "HKD", "decimals come after a point"),
        ("1 234.50", "HKD", "“1 234.50” is not an amount: leave out the spaces"),
        ("   ", "HKD", "Enter an amount"),
        ("ten", "HKD", "“ten” is not an amount: leave out the letters"),
        ("5 USD", "HKD", "leave out the spaces"),
        ("$5", "HKD", "is not an amount. Use digits"),
        ("١١", "HKD", "is not an amount"),
        ("EUR 11", "HKD", "is not an amount"),
        ("10000000", "HKD", "at most nine digits"),
        ("1000000000", "KRW", "at most nine digits"),
        ("9" * 100_000, "KRW", "at most nine digits"),
        ("5", "USD", "USD is not a currency this dashboard knows"),
        ("5", "", "No currency is not"),
    ],
)
def test_what_cannot_be_sent_gets_a_sentence(text: str, currency: str, words: str) -> None:
    with pytest.raises(BadAmount, match=words) as caught:
        parse(text, currency)
    assert_sentence(caught.value)


@given(minor=st.integers(1, MAXIMUM_MINOR), currency=currencies)
def test_everything_shown_can_be_typed_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert parse(str(money), currency) == money
    assert parse(money.figure, currency) == money
    assert parse(str(money.major), currency) == money


@given(text=st.text() | st.from_regex(r"[A-Z]{0,3} ?-?[0-9,.]{0,30}", fullmatch=True), currency=currencies)
def test_any_text_is_an_amount_in_range_or_a_sentence(text: str, currency: str) -> None:
    try:
        money = parse(text, currency)
    except BadAmount as problem:
        assert_sentence(problem)
    else:
        assert money.currency == currency
        assert 0 < money.minor <= MAXIMUM_MINOR


def assert_sentence(problem: BadAmount) -> None:
    assert str(problem).endswith(".")
    assert len(str(problem)) < 200
