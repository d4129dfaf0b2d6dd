"""Amounts as precise as the reports write them, whole numbers all the same."""

from __future__ import annotations

from lib import catalog
from lib.money import Money

PLACES = 8
"""Decimals that the reports write at most. Their amounts are kept as whole hundred-millionths of a major unit: `units`."""
_PART = 10**PLACES


def units_of(money: Money) -> int:
    """Minor units as hundred-millionths of a major unit."""
    return money.minor * _minor(money.currency)


def whole(units: int, currency: str) -> Money:
    """The nearest whole number of minor units; of two equally near the even one."""
    part = _minor(currency)
    minor, rest = divmod(units, part)
    up = rest * 2 > part or (rest * 2 == part and minor % 2 == 1)
    return Money(minor + up, currency)


def written(units: int, currency: str) -> str:
    """`-24.20`: the figure with the currency's decimals, or with as many as it takes."""
    sign, rest = "-" if units < 0 else "", abs(units)
    decimals = f"{rest % _PART:0{PLACES}}".rstrip("0").ljust(catalog.digits(currency), "0")
    return f"{sign}{rest // _PART}{'.' if decimals else ''}{decimals}"


def _minor(currency: str) -> int:
    return int(10 ** (PLACES - catalog.digits(currency)))
