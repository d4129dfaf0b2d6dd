"""What a person typed to ask for a payment: checked in their words, then turned into the request Checkout.com takes."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from lib import catalog, money
from lib.money import BadAmount, Money
from lib.settings import Settings

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_REFERENCE_LENGTH = 50  # Checkout.com takes 80 and echoes 50 of them; a reference that comes back cut cannot be found
_URL_LENGTH = 1024


class BadDraft(ValueError):
    """The draft cannot be sent. `problems` gives a sentence for each field that is wrong."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


@dataclass(frozen=True)
class ItemDraft:
    """One line of the order, as typed; `unit_price` in major units of the payment's currency."""

    name: str = ""
    reference: str = ""
    unit_price: str = ""
    quantity: str = "1"


@dataclass(frozen=True)
class PaymentDraft:
    """One payment as typed. Everything is text, so that nothing a person types is lost before it has been checked."""

    amount: str
    currency: str
    reference: str
    terminal_type: str = "WEB"
    os_type: str | None = None
    payment_type: str = "Regular"
    customer_email: str = ""
    customer_name: str = ""
    country: str = ""
    items: tuple[ItemDraft, ...] = ()
    success_url: str = ""
    failure_url: str = ""
    description: str = ""

    def problems(self, settings: Settings) -> dict[str, str]:
        """A sentence for every field that keeps this from being sent; empty when it can be."""
        found = {
            "amount": self._amount_problem(settings),
            "currency": self._currency_problem(settings),
            "reference": self._reference_problem(),
            "terminal_type": _one_of(
                "Where the customer pays",
                self.terminal_type,
                catalog.kakaopay().terminal_types,
            ),
            "os_type": self._os_problem(),
            "payment_type": _one_of("The payment type", self.payment_type, catalog.kakaopay().payment_types),
            "customer_email": self._email_problem(),
            "customer_name": _too_long("The name", self.customer_name, 255),
            "country": _one_of("The shipping country", self.country, catalog.countries()) if self.country else None,
            "success_url": _url_problem("The address after success", self.success_url),
            "failure_url": _url_problem("The address after failure", self.failure_url),
            "description": _too_long("The description", self.description, 100),
            "items": self._items_problem(),
        }
        return {name: sentence for name, sentence in found.items() if sentence}

    def body(self, settings: Settings) -> dict[str, Any]:
        """The JSON of `POST /payments` (KakaoPay page, "Request a payment"). Raises `BadDraft`."""
        problems = self.problems(settings)
        if problems:
            raise BadDraft(problems)
        processing = {"terminal_type": self.terminal_type}
        if self.terminal_type != "WEB" and self.os_type:
            processing["os_type"] = self.os_type
        customer = {
            "email": self.customer_email.strip(),
            "name": self.customer_name.strip(),
        }
        body: dict[str, Any] = {
            "amount": money.parse(self.amount, self.currency).minor,
            "currency": self.currency,
            "source": {"type": "kakaopay"},
            "processing": processing,
            "success_url": self.success_url.strip(),
            "failure_url": self.failure_url.strip(),
            "payment_type": self.payment_type,
            "reference": self.reference.strip(),
            "capture": True,
            "customer": {name: value for name, value in customer.items() if value},
            "shipping": {"address": {"country": self.country}} if self.country else {},
            "items": [self._item(item) for item in self.items],
            "description": self.description.strip(),
            "processing_channel_id": settings.processing_channel_id,
        }
        return {name: value for name, value in body.items() if value not in ("", {}, [])}

    def _item(self, item: ItemDraft) -> dict[str, Any]:
        line = {
            "reference": item.reference.strip(),
            "name": item.name.strip(),
            "unit_price": money.parse(item.unit_price, self.currency).minor,
            "quantity": int(item.quantity),
        }
        return {name: value for name, value in line.items() if value != ""}

    def _amount_problem(self, settings: Settings) -> str | None:
        if self.currency not in settings.currencies:
            return None  # the currency's own sentence says it
        try:
            amount = money.parse(self.amount, self.currency)
        except BadAmount as error:
            return str(error)
        rule = catalog.currencies()[self.currency]
        if rule.minimum is not None and amount.minor < rule.minimum:
            return f"KakaoPay takes no less than {Money(rule.minimum, self.currency)}."
        if rule.maximum is not None and amount.minor > rule.maximum:
            return f"KakaoPay takes no more than {Money(rule.maximum, self.currency)}."
        return None

    def _currency_problem(self, settings: Settings) -> str | None:
        if self.currency in settings.currencies:
            return None
        return f"KakaoPay is not offered in {self.currency or 'no currency'} on this account. Choose {', '.join(settings.currencies)}."

    def _reference_problem(self) -> str | None:
        if not self.reference.strip():
            return "Enter a reference, such as the order number; KakaoPay refuses a payment without one."
        return _too_long("The reference", self.reference, _REFERENCE_LENGTH)

    def _os_problem(self) -> str | None:
        word = catalog.kakaopay().terminal_types.get(self.terminal_type)
        if self.terminal_type == "WEB" or word is None:
            return None
        if not self.os_type:
            return f"Choose Android or iOS: KakaoPay needs to know the phone for {word}."
        return _one_of("The phone system", self.os_type, catalog.kakaopay().os_types)

    def _email_problem(self) -> str | None:
        email = self.customer_email.strip()
        if email and not _EMAIL.fullmatch(email):
            return "That is not an e-mail address. Write it like name@example.com, or leave it empty."
        return _too_long("The e-mail address", email, 255)

    def _items_problem(self) -> str | None:
        for number, item in enumerate(self.items, 1):
            if not item.name.strip():
                return f"Item {number} has no name."
            try:
                money.parse(item.unit_price, self.currency)
            except BadAmount as error:
                return f"Item {number}, price: {error}"
            if not (item.quantity.isascii() and item.quantity.isdigit() and 0 < int(item.quantity[:9]) < 10**6):
                return f"Item {number}: the quantity must be a whole number from 1."
        return None


def new_reference() -> str:
    """A reference to propose, easy to say on the phone: `ORD-5023-4E89`."""
    return f"ORD-{secrets.randbelow(10000):04d}-{secrets.token_hex(2).upper()}"


def _one_of(what: str, value: str, allowed: dict[str, str]) -> str | None:
    return None if value in allowed else f"{what} must be one of {', '.join(allowed)}."


def _too_long(what: str, value: str, limit: int) -> str | None:
    return f"{what} may have {limit} characters, this has {len(value.strip())}." if len(value.strip()) > limit else None


def _url_problem(what: str, value: str) -> str | None:
    text = value.strip()
    if not text:
        return f"{what} is missing. Enter where the customer goes afterwards, such as https://shop.example/thanks."
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"[\s\\<>\"]", text)
    except ValueError:
        fits = False
    if not fits:
        return f"{what} must be a whole web address that begins with https:// or http://."
    return _too_long(what, text, _URL_LENGTH)
