"""How much a role may refund by itself, by currency; above it a second person must agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lib import money
from lib.money import BadAmount, Money
from lib.operators import RIGHTS, Role

_EXAMPLE = "support HKD 5000, support KRW 500000"


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits by role and currency; none for what is not named."""

    by_role: Mapping[tuple[str, str], Money] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.by_role)

    def of(self, roles: Iterable[Role], currency: str) -> Money | None:
        """The limit of a person with these roles: the lowest of them, so that one more role never lifts it."""
        found = [self.by_role[role, currency] for role in roles if (role, currency) in self.by_role]
        return min(found, default=None)


def read(text: str) -> Limits:
    """Read `support HKD 5000, support KRW 500000`: role, currency, amount in major units. Raises `ValueError` with a sentence."""
    found: dict[tuple[str, str], Money] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        words = part.split()
        if len(words) != 3:
            raise ValueError(
                f"“{part[:60]}” is not a role, a currency and an amount without commas; write, for example, {_EXAMPLE}"
            )
        role, currency, amount = words[0].lower(), words[1].upper(), words[2]
        if role not in RIGHTS["refund"]:
            able = ", ".join(sorted(RIGHTS["refund"]))
            raise ValueError(f"“{words[0][:40]}” is not a role that may refund; those are {able}")
        if (role, currency) in found:
            raise ValueError(f"there are two limits for {role} in {currency}; keep one")
        try:
            found[role, currency] = money.parse(amount, currency)
        except BadAmount as error:
            raise ValueError(f"“{part[:60]}”: {error}") from None
    return Limits(found)
