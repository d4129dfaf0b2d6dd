"""Lives of payments as Checkout.com tells them: any number of them, each the same whenever its number is asked for.

A hundred lives hold 312 webhooks and 88 facts of our own, so a store of N payments holds 4 N events.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from lib.checkout.answer import Answer
from lib.ledger import facts
from lib.ledger.facts import Fact, from_webhook
from lib.money import Money

_FATES = (
    ("captured", 62),
    ("refunded in part", 7),
    ("refund declined", 1),
    ("refunded", 4),
    ("refunded twice", 3),
    ("declined", 12),
    ("expired", 6),
    ("canceled", 4),
    ("open", 1),
)
"""Of a hundred. One that is `open` was decided like the others, but no event told us: the watchdog's daily bread."""
_REQUESTED_HERE = 44
_CURRENCIES = ("KRW", "HKD", "SGD", "EUR", "GBP", "AUD")
_WEIGHTS = (35, 25, 15, 10, 8, 7)
_GIVEN = ("minji", "jisoo", "haru", "seojun", "yuna", "doyun", "ara", "eunwoo", "sora", "taeyang", "mei", "oliver")
_FAMILY = ("kim", "lee", "park", "choi", "jung", "kang", "cho", "yoon", "chan", "tan", "smith", "mueller")


def _shuffled_fates() -> tuple[str, ...]:
    fates = [fate for fate, count in _FATES for _ in range(count)]
    random.Random(1).shuffle(fates)
    return tuple(fates)


_FATE_OF = _shuffled_fates()
_HERE = frozenset(random.Random(2).sample(range(len(_FATE_OF)), _REQUESTED_HERE))


@dataclass(frozen=True, slots=True)
class Life:
    """What is decided about payment number `index` at its birth. `amount` in minor units."""

    index: int
    fate: str
    here: bool
    payment_id: str
    reference: str
    email: str
    name: str
    currency: str
    amount: int
    requested_at: datetime

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)

    @property
    def captured(self) -> bool:
        return self.fate == "captured" or self.fate.startswith("refund")


def life(index: int, requested_at: datetime) -> Life:
    """Payment number `index`, asked for at `requested_at`."""
    chance = random.Random(index)
    given, family = chance.choice(_GIVEN), chance.choice(_FAMILY)
    return Life(
        index=index,
        fate=_FATE_OF[index % len(_FATE_OF)],
        here=index % len(_FATE_OF) in _HERE,
        payment_id="pay_" + letters(f"payment {index}"),
        reference=f"ORD-{10_000_000 + index}",
        email=f"{given}.{family}{chance.randrange(200_000)}@example.com",
        name=f"{given.title()} {family.title()}",
        currency=chance.choices(_CURRENCIES, _WEIGHTS)[0],
        amount=100 + int(chance.lognormvariate(9, 0.8)),
        requested_at=requested_at,
    )


def letters(of: str) -> str:
    """26 letters and digits that only this text gives, as in Checkout.com's ids: spread evenly, so that indexes are hit anywhere."""
    return hashlib.blake2b(of.encode(), digest_size=13).hexdigest()


def webhooks(born: Life) -> Iterator[tuple[datetime, bytes]]:
    """Every webhook of a life with the time it is sent, in the order of the times."""
    asked, amount = born.requested_at, born.amount
    yield _event(born, "payment_pending", asked, amount)
    if born.fate in ("declined", "expired", "canceled"):
        after = timedelta(minutes=10) if born.fate == "expired" else timedelta(seconds=40)
        code = '"response_code":"20051","response_summary":"Insufficient Funds",' if born.fate == "declined" else ""
        yield _event(born, f"payment_{born.fate}", asked + after, amount, code)
    if born.captured:
        yield _event(born, "payment_capture_pending", asked + timedelta(seconds=30), amount)
        yield _event(born, "payment_captured", asked + timedelta(seconds=32), amount, _settled(amount, 0))
    yield from _refunds(born)


def _refunds(born: Life) -> Iterator[tuple[datetime, bytes]]:
    if born.fate == "refund declined":
        at = born.requested_at + timedelta(days=1 + born.index % 9)
        yield _event(born, "payment_refund_pending", at, born.amount, name="refund 0")
        yield _event(born, "payment_refund_declined", at + timedelta(seconds=20), born.amount, name="refund 0")
    parts = {
        "refunded in part": (30,),
        "refunded": (100,),
        "refunded twice": (20, 30),
    }.get(born.fate, ())
    refunded = 0
    for number, percent in enumerate(parts):
        amount = born.amount * percent // 100
        refunded += amount
        at = born.requested_at + timedelta(days=1 + born.index % 9 + number, minutes=born.index % 601)
        yield from refund(born, f"refund {number}", amount, refunded, at)


def refund(born: Life, name: str, amount: int, refunded: int, at: datetime) -> Iterator[tuple[datetime, bytes]]:
    """The two webhooks of one refund: accepted, then done. `refunded` is the payment's total after it."""
    yield _event(born, "payment_refund_pending", at, amount, name=name)
    later = at + timedelta(seconds=20)
    yield _event(born, "payment_refunded", later, amount, _settled(born.amount, refunded), name=name)


def known_facts(born: Life) -> Iterator[Fact]:
    """Everything a store that was there all the time knows of this life."""
    if born.here:
        yield from _own(born)
    for at, raw in webhooks(born):
        yield from_webhook(raw, at + timedelta(milliseconds=300))


def _own(born: Life) -> Iterator[Fact]:
    key, at = f"payment-{letters(f'key {born.index}')}", born.requested_at - timedelta(seconds=1)
    request = {
        "amount": born.amount,
        "currency": born.currency,
        "reference": born.reference,
        "payment_type": "Regular",
        "capture": True,
        "source": {"type": "kakaopay"},
        "processing": {"terminal_type": ("WEB", "APP", "WAP")[born.index % 3]},
        "customer": {"email": born.email, "name": born.name},
        "success_url": "https://shop.example/paid",
        "failure_url": "https://shop.example/failed",
    }
    link = f"https://pay.example/wallet/{letters(f'link {born.index}')}"
    response = {
        "id": born.payment_id,
        "status": "Pending",
        "reference": born.reference,
        "customer": {"id": "cus_" + letters(born.email), "email": born.email, "name": born.name},
        "_links": {"self": {"href": f"https://api.example/payments/{born.payment_id}"}, "redirect": {"href": link}},
    }
    yield facts.payment_requested(key, born.payment_id, "Ana", request, at)
    answered = at + timedelta(milliseconds=400)
    answer = Answer(202, letters(f"request {born.index}"), response, "POST", "/payments", request, 400, 1, answered)
    yield facts.payment_accepted(key, born.payment_id, answer)


def _settled(captured: int, refunded: int) -> str:
    return (
        '"response_code":"10000","response_summary":"Approved","balances":{'
        f'"total_authorized":{captured},"total_voided":0,"available_to_void":0,"total_captured":{captured},'
        f'"available_to_capture":0,"total_refunded":{refunded},"available_to_refund":{captured - refunded}}},'
        '"processing":{"acquirer_transaction_id":"8421975301","acquirer_reference_number":"000220552364"},'
    )


def _event(
    born: Life, kind: str, at: datetime, amount: int, more: str = "", name: str = "capture"
) -> tuple[datetime, bytes]:
    """One webhook. Written as text, since millions are wanted; `more` is a piece of JSON that ends with a comma."""
    identity, moment = letters(f"{kind} {name} {born.index}"), at.isoformat().removesuffix("+00:00")
    payment = f"https://api.example/payments/{born.payment_id}"
    action = "" if kind == "payment_pending" else f'"action_id":"act_{letters(f"{name} {born.index}")}",'
    reference = "" if kind == "payment_refund_pending" else f'"reference":"{born.reference}",'
    customer = (
        f'"customer":{{"id":"cus_{letters(born.email)}","email":"{born.email}","name":"{born.name}"}},'
        if kind in ("payment_pending", "payment_declined")
        else ""
    )
    raw = (
        f'{{"id":"evt_{identity}","type":"{kind}","version":"1.0.29","created_on":"{moment}Z","source":"gateway",'
        f'"data":{{"id":"{born.payment_id}",{action}{reference}"amount":{amount},"currency":"{born.currency}",'
        f'"processed_on":"{moment}Z",{customer}{more}"payment_type":"Regular",'
        f'"event_links":{{"payment":"{payment}","payment_actions":"{payment}/actions"}},'
        '"metadata":{"channel":"web","shop":7}},"_links":{'
        f'"self":{{"href":"https://api.example/workflows/events/evt_{identity}"}},'
        f'"subject":{{"href":"https://api.example/workflows/events/subject/{born.payment_id}"}},'
        f'"payment":{{"href":"{payment}"}},"payment_actions":{{"href":"{payment}/actions"}}}}}}'
    )
    return at, raw.encode()
