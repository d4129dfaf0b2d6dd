"""The payments of a shop that does not exist, with all that becomes of each. The same plan gives the same lives.

What a life is depends on the seed and its number alone; only when it happens depends on the end of the plan too.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from lib import catalog
from lib.demo.calendar import moments
from lib.ledger.samples import PREFIX

MOST = 1_000_000
FEWEST = 100
LONGEST = 36
"""Months."""
_MONTH = timedelta(days=30)
_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"  # in the order of its letters, so that later ids sort after earlier ones
_WAITING = (timedelta(seconds=440), timedelta(seconds=270), timedelta(seconds=130), timedelta(seconds=35))
"""How long before the end payments were asked for that still wait for their customers."""

_CURRENCIES = ("HKD", "KRW", "SGD", "EUR", "AUD", "GBP")
_WEIGHTS = (30, 29, 16, 11, 7, 7)
_TYPICAL = {"HKD": 24_000, "KRW": 39_000, "SGD": 4_600, "EUR": 3_300, "AUD": 5_200, "GBP": 2_900}
"""Minor units of the amount in the middle."""
_ROUND = {"HKD": 50, "KRW": 100, "SGD": 10, "EUR": 5, "AUD": 5, "GBP": 5}
_FATES = ("captured", "declined", "expired", "canceled")
_CHANCES = (815, 92, 58, 35)
_DECLINES = ("20051", "20005", "20120")
_DECLINE_CHANCES = (62, 30, 8)
_REASONS = ("item_returned", "damaged", "not_received", "wrong_amount", "duplicate", "goodwill")
_REASON_CHANCES = (46, 17, 13, 9, 8, 7)
_CLERKS = ("Mina (sample)", "Jun (sample)", "Priya (sample)", "Oliver (sample)")
# fmt: off
_GIVEN = (
    "Minji", "Seojun", "Jiwoo", "Haeun", "Dohyun", "Yuna", "Taemin", "Sora", "Jisoo", "Eunwoo", "Hana",
    "Minho", "Ara", "Kangmin", "Mei", "Wai", "Siu", "Aisha", "Oliver", "Emma", "Lukas", "Chloe", "Noah",
    "Sofia",
)
_FAMILY = (
    "Kim", "Lee", "Park", "Choi", "Jung", "Kang", "Cho", "Yoon", "Jang", "Lim", "Han", "Oh", "Seo", "Shin",
    "Kwon", "Chan", "Wong", "Tan", "Ng", "Smith", "Jones", "Mueller", "Martin", "Garcia",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Plan:
    """What sample data to make: so many payments over so many months, the last of them just before `until`."""

    seed: int
    payments: int
    months: int
    until: datetime

    @property
    def since(self) -> datetime:
        """When the first day begins, or a little later."""
        return self.until - self.months * _MONTH

    @property
    def label(self) -> str:
        """A text that differs whenever the data does."""
        return f"{self.seed}/{self.payments}/{self.months}/{self.until.isoformat()}"


class Customer(NamedTuple):
    id: str
    name: str
    email: str


class Refund(NamedTuple):
    """`number` counts from 0. `amount` in minor units; `by` is who asked for it at the dashboard, None for the shop's server."""

    number: int
    amount: int
    asked_at: datetime
    decided_at: datetime
    declined: bool
    reason: str
    by: str | None


@dataclass(frozen=True, slots=True)
class Life:
    """One payment. `ended_at` is None while it is open; `amount` in minor units; `by` as in `Refund`."""

    index: int
    key: str
    """What its ids have in common."""
    payment_id: str
    born_at: datetime
    fate: str
    ended_at: datetime | None
    code: str | None
    currency: str
    amount: int
    reference: str
    customer: Customer
    terminal: str
    by: str | None
    charge: int | None
    """The place in a chain of recurring payments, from 0; None for a payment of its own."""
    source_id: str | None
    refunds: tuple[Refund, ...]
    late: int
    """How many seconds its last webhook was late."""
    repeated: bool
    """Whether one of its webhooks came twice."""

    @property
    def capture_id(self) -> str:
        return self.action_id(0)

    @property
    def link_code(self) -> str | None:
        """Opens the wallet page; a stored source that is charged again needs none."""
        return None if self.charge else f"sample{self.key}{letters('code ' + self.key, 7)}"

    @property
    def expires_at(self) -> datetime:
        return self.born_at + timedelta(minutes=catalog.kakaopay().link_minutes)

    @property
    def captured(self) -> int:
        return self.amount if self.fate == "captured" and self.ended_at else 0

    @property
    def refunded(self) -> int:
        return sum(refund.amount for refund in self.refunds if not refund.declined)

    @property
    def details(self) -> dict[str, Any]:
        """What the request said besides."""
        return {"processing": {"terminal_type": self.terminal}, "metadata": {"channel": "sample shop"}}

    def action_id(self, number: int) -> str:
        """The id of the capture (0) or of a refund (from 1)."""
        return f"act_sample{self.key}{_ALPHABET[number]}{letters(f'action {number} {self.key}', 6)}"


def lives(plan: Plan) -> Iterator[Life]:
    """All of them, in the order of their births."""
    mark = letters(f"seed {plan.seed}", 6)
    charges = _charges(plan)
    still = {plan.until - before for before in _WAITING}
    fixed = sorted([*(at for at, _ in charges), *still])
    charges.reverse()
    for index, born_at in enumerate(moments(str(plan.seed), plan.payments, plan.since, plan.until, fixed)):
        chain = charges.pop()[1] if charges and charges[-1][0] == born_at else None
        yield _life(plan, index, mark, born_at, chain, waiting=born_at in still)


def letters(of: str, length: int) -> str:
    """Letters and digits that follow from a text."""
    return _in_letters(int.from_bytes(hashlib.blake2b(of.encode(), digest_size=16).digest()), length)


def _in_letters(number: int, length: int) -> str:
    return "".join([_ALPHABET[number >> 5 * place & 31] for place in range(length - 1, -1, -1)])


def _charges(plan: Plan) -> list[tuple[datetime, tuple[int, int]]]:
    """When the recurring payments are charged, with their chain and their place in it: every thirty days from some day on."""
    found: list[tuple[datetime, tuple[int, int]]] = []
    last = plan.until - timedelta(minutes=10)
    for chain in range(plan.payments // 250):
        chance = random.Random(f"{plan.seed} chain {chain}")
        at = plan.since + timedelta(days=1) + chance.random() * (plan.until - plan.since - timedelta(days=2))
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        charged = ((at + number * _MONTH, (chain, number)) for number in range(plan.months + 1))
        found.extend(each for each in charged if each[0] < last)
    return sorted(found)


def _life(
    plan: Plan, index: int, mark: str, born_at: datetime, chain: tuple[int, int] | None, *, waiting: bool
) -> Life:
    chance = random.Random(f"{plan.seed} {index}")
    key = mark + _in_letters(index, 7)
    # A stored source stays with its customer, its amount and its currency; whoever comes again is often somebody known.
    whose = random.Random(f"{plan.seed} of chain {chain[0]}") if chain else chance
    currency = whose.choices(_CURRENCIES, _WEIGHTS)[0]
    amount = _amount(whose, currency)
    customer = _customer(plan, int((plan.payments // 3 + 1) * whose.random() ** 1.6))
    charge = chain[1] if chain else None
    fate = "captured" if charge == 0 else chance.choices(_FATES, _CHANCES)[0]
    if charge and fate in ("expired", "canceled"):
        fate = "captured"
    wait = {"expired": 60 * catalog.kakaopay().link_minutes}.get(fate, 8 + chance.expovariate(1 / 40))
    ended_at = born_at + timedelta(milliseconds=1500 if charge else int(min(wait, 600) * 1000))
    settled = not waiting and ended_at + timedelta(seconds=2) < plan.until
    late = int(chance.uniform(130, 2400)) if chance.random() < 0.015 else 0
    if ended_at + timedelta(seconds=late + 5) >= plan.until:
        late = 0
    return Life(
        index=index,
        key=key,
        payment_id=f"{PREFIX}{key}{letters(key, 7)}",
        born_at=born_at,
        fate=fate,
        ended_at=ended_at if settled else None,
        code=chance.choices(_DECLINES, _DECLINE_CHANCES)[0] if fate == "declined" else None,
        currency=currency,
        amount=amount,
        reference=f"SUB-{chain[0]:05}-{chain[1] + 1:02}" if chain else f"SHOP-{10_000_000 + index}",
        customer=customer,
        terminal=chance.choices(("WEB", "APP", "WAP"), (55, 25, 20))[0],
        by=chance.choice(_CLERKS) if chance.random() < 0.25 else None,
        charge=charge,
        source_id=f"src_sample{letters(f'{plan.seed} source {chain[0]}', 20)}" if chain else None,
        refunds=tuple(_refunds(plan, chance, currency, amount, ended_at)) if settled and fate == "captured" else (),
        late=late,
        repeated=chance.random() < 0.03,
    )


def _amount(chance: random.Random, currency: str) -> int:
    step, rule = _ROUND[currency], catalog.currencies()[currency]
    wanted = round(_TYPICAL[currency] * chance.lognormvariate(0, 0.75) / step) * step
    return min(max(wanted, rule.minimum or 0, 10 * step), rule.maximum or wanted)


def _customer(plan: Plan, number: int) -> Customer:
    chance = random.Random(f"{plan.seed} customer {number}")
    given, family = chance.choice(_GIVEN), chance.choice(_FAMILY)
    identity = "cus_sample" + letters(f"{plan.seed} customer {number}", 20)
    return Customer(identity, f"{given} {family}", f"{given}.{family}.{plan.seed}.{number}@sample.example".lower())


def _refunds(
    plan: Plan, chance: random.Random, currency: str, captured: int, captured_at: datetime
) -> Iterator[Refund]:
    """Those that are decided by the end of the plan: of a hundred payments about nine have any."""
    draw = chance.random()
    if draw > 0.092:
        return
    parts = (
        (100,)
        if draw < 0.045
        else (chance.choice((20, 30, 50)),)
        if draw < 0.074
        else (20, 30)
        if draw < 0.088
        else (10, 25, 65)
    )
    at, left, number = captured_at, captured, 0
    for percent in parts:
        at += timedelta(milliseconds=int(1000 * min(1_800 + chance.expovariate(1 / 400_000), 5_000_000)))
        amount = left if percent == 100 or (parts[-1] == 65 and number == len(parts) - 1) else captured * percent // 100
        amount = min(left, max(amount, catalog.currencies()[currency].minimum_refund or 1))
        declined_first = chance.random() < 0.05
        for declined in (True, False) if declined_first else (False,):
            decided_at = at + timedelta(milliseconds=int(chance.uniform(2_000, 90_000)))
            if decided_at + timedelta(seconds=5) >= plan.until or not amount:
                return
            reason = chance.choices(_REASONS, _REASON_CHANCES)[0]
            by = chance.choice(_CLERKS) if chance.random() < 0.6 else None
            yield Refund(number, amount, at, decided_at, declined, reason, by)
            number += 1
            at = decided_at + timedelta(hours=1)
        left -= amount
