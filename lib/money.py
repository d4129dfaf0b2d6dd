"""Money: a whole number of minor units with its currency. No floats, and no arithmetic across currencies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from lib import catalog

NBSP = "\u00a0"
MINUS = "\u2212"
MAXIMUM_MINOR = 999_999_999
"""Checkout.com takes at most nine digits of minor units (docs, "Calculating the amount")."""

_MAJOR = re.compile(r"[0-9]+(?:\.[0-9]+)?")


class BadAmount(ValueError):
    """An amount a person typed that cannot be sent; the message is a sentence for that person."""


class CurrencyMismatch(TypeError):
    """Two currencies met in one sum. Always a defect of the caller, never of the data."""


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` units of `currency` (ISO 4217): `Money(1100, "HKD")` is 11.00, `Money(1100, "KRW")` is 1,100 won."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are a whole number, not {type(self.minor).__name__}")

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.minor > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.minor >= self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def __str__(self) -> str:
        """`HKD 1,100.00`, with a no-break space and a true minus sign, so that no line break splits it."""
        return f"{self._sign}{self.currency}{NBSP}{self._unsigned}"

    @property
    def major(self) -> Decimal:
        """The amount in major units, exact. A currency we have no digits for is taken to have none."""
        return Decimal(self.minor).scaleb(-catalog.digits(self.currency))

    @property
    def figure(self) -> str:
        """The figure alone, grouped and with the currency's digits: `1,100.00`."""
        return f"{self._sign}{self._unsigned}"

    @property
    def _sign(self) -> str:
        return MINUS if self.minor < 0 else ""

    @property
    def _unsigned(self) -> str:
        digits = catalog.digits(self.currency)
        whole, rest = divmod(abs(self.minor), 10**digits)
        return f"{whole:,}.{rest:0{digits}}" if digits else f"{whole:,}"

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} cannot be added or compared")
        return other.minor


def parse(text: str, currency: str) -> Money:
    """Read what a person typed in major units: `1100`, `1,100.00`, `HKD 1,100`.

    Raises `BadAmount` with a sentence that says what to type instead: for nothing, zero, a negative, more decimals
    than the currency has, grouping that does not group thousands (a comma for a decimal point), or over nine digits
    of minor units.
    """
    if currency not in catalog.currencies():
        raise BadAmount(
            f"{currency or 'No currency'} is not a currency this dashboard knows. Choose one from the list."
        )
    digits = catalog.digits(currency)
    example = Money(110000 if digits else 1100, currency)
    cleaned = text.replace(NBSP, " ").strip()
    if cleaned[:3].upper() == currency:
        cleaned = cleaned[3:].strip()
    if not cleaned:
        raise BadAmount(f"Enter an amount, for example {example.figure}.")
    if cleaned.startswith(("-", MINUS)):
        raise BadAmount("The amount must be more than zero; leave out the minus sign.")
    whole, point, decimals = cleaned.partition(".")
    if "," in whole and re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+", whole):
        whole = whole.replace(",", "")
    plain = whole + point + decimals
    if not _MAJOR.fullmatch(plain) or not plain.isascii():
        raise BadAmount(
            f"“{cleaned[:40]}” is not an amount{_because(cleaned)}. "
            f"Use digits and a point for decimals, for example {example.figure}."
        )
    if len(decimals) > digits:
        has = "no decimals" if digits == 0 else f"{digits} decimals"
        raise BadAmount(
            f"{currency} has {has}, but “{cleaned[:40]}” has {len(decimals)}. For example {example.figure}."
        )
    minor = (
        int(whole) * 10**digits + int((decimals or "0").ljust(digits, "0")) if len(whole) < 15 else MAXIMUM_MINOR + 1
    )
    if minor == 0:
        raise BadAmount("The amount must be more than zero.")
    if minor > MAXIMUM_MINOR:
        raise BadAmount(f"Checkout.com takes at most nine digits: {Money(MAXIMUM_MINOR, currency)} is the most.")
    return Money(minor, currency)


def _because(text: str) -> str:
    """What people most often mean by something that is not an amount, to be said within the sentence about it."""
    if any(character.isdecimal() and not character.isascii() for character in text):
        return ": its digits are not the plain ones, 0 to 9"
    if any(character.isspace() for character in text):
        return ": leave out the spaces"
    if re.fullmatch(r"[0-9.]+,[0-9]{1,2}", text):
        return ": decimals come after a point, a comma groups thousands"
    if re.search(r"[^\W\d_]", text):
        return ": leave out the letters"
    return ""
