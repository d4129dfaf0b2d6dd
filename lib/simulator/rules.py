"""What a request must look like: Checkout.com's own checks first, then those of the Alipay+ wallets.

`payment` and `refund` raise `Refusal` with the documented status and codes. Which code belongs to which field follows the
published list of `/payments` error codes; where that list has no code for a field, `parameter_invalid` is used.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any

from lib import catalog
from lib.simulator.bodies import read_object
from lib.simulator.problem import invalid, refused_by_wallet
from lib.simulator.values import COUNTRIES, is_amount, is_ip, is_metadata, is_text, is_web_address, one_of

_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+")
_OTHER_METHODS = frozenset(
    "afterpay alipay_cn alipay_hk alipay_plus alma applepay bancontact bizum card dana eps gcash giropay googlepay ideal klarna "  # noqa: SIM905 - one a line else
    "knet mbway multibanco p24 paypal postfinance sepa sofort stcpay tabby tamara tng token trustly truemoney wechatpay".split()
)


@dataclass(frozen=True)
class Account:
    """What the merchant's account may do; changed on the control board."""

    currencies: str
    """A list of `data/currencies.json`: `2022-08`, `2024-07` or `default`."""
    kakaopay: bool


@dataclass(frozen=True)
class Order:
    """A payment request that passed every check that needs no database."""

    amount: int
    currency: str
    reference: str
    payment_type: str
    source_id: str | None
    """The stored source to charge, or None for a first payment that sends the customer to KakaoPay."""
    success_url: str | None
    failure_url: str | None
    customer: dict[str, Any]
    details: dict[str, Any]

    @property
    def terminal_type(self) -> str | None:
        processing: dict[str, Any] = self.details.get("processing") or {}
        return processing.get("terminal_type")


@dataclass(frozen=True)
class RefundOrder:
    """A refund request. `amount` is None for all that is left."""

    amount: int | None
    reference: str | None
    metadata: dict[str, Any] | None


def payment(raw: bytes, account: Account) -> Order:
    """Read a payment request for `account`."""
    body = read_object(raw)
    codes = list(_gateway(body))
    if codes:
        raise invalid(*dict.fromkeys(codes))
    if not is_text(body.get("reference"), 80):
        # Alone and first, as the live sandbox does it for a wallet request that lacks more than this.
        raise refused_by_wallet("reference_invalid")
    codes = list(_wallet(body, account))
    if codes:
        raise refused_by_wallet(*dict.fromkeys(codes))
    source = body["source"]
    kept = (
        "processing",
        "shipping",
        "items",
        "metadata",
        "description",
        "payment_ip",
        "processing_channel_id",
    )
    return Order(
        amount=body["amount"],
        currency=body["currency"],
        reference=body["reference"],
        payment_type=str(body.get("payment_type", "Regular")).capitalize(),
        source_id=source["id"] if source["type"] == "id" else None,
        success_url=body.get("success_url"),
        failure_url=body.get("failure_url"),
        customer=body.get("customer") or {},
        details={name: body[name] for name in kept if body.get(name) is not None},
    )


def refund(raw: bytes) -> RefundOrder:
    """Read a refund request; no body means all that is left."""
    body = read_object(raw, empty=True)
    amount = body.get("amount")
    if amount is not None and not is_amount(amount):
        raise invalid("amount_invalid")
    reference, metadata = body.get("reference"), body.get("metadata")
    if reference is not None and not is_text(reference, 80):
        raise invalid("reference_invalid")
    if metadata is not None and not is_metadata(metadata):
        raise invalid("metadata_key_invalid")
    return RefundOrder(amount=amount, reference=reference, metadata=metadata)


def _gateway(body: dict[str, Any]) -> Iterator[str]:
    stored = yield from _source(body.get("source"))
    if not is_amount(body.get("amount")):
        yield "amount_invalid"
    currency = body.get("currency")
    if currency is None or currency == "":
        yield "currency_required"
    elif not (isinstance(currency, str) and re.fullmatch(r"[A-Z]{3}", currency)):
        yield "currency_invalid"
    kind = body.get("payment_type", "Regular")
    types = catalog.kakaopay().payment_types
    if not isinstance(kind, str) or kind.capitalize() not in types or (stored and kind.capitalize() != "Recurring"):
        yield "payment_type_invalid"
    # The page's example says "true" as a string, its later issue and every SDK a boolean. There is nothing to capture later.
    if body.get("capture", True) is not True and body["capture"] != "true":
        yield "parameter_invalid"
    if not stored:
        if body.get("success_url") in (None, ""):
            yield "success_url_required"
        elif not is_web_address(body["success_url"]):
            yield "success_url_invalid"
        if not is_web_address(body.get("failure_url")):
            yield "fail_url_invalid"
    yield from _customer(body.get("customer"))
    yield from _goods(body)
    if not is_metadata(body.get("metadata", {})):
        yield "metadata_key_invalid"
    description = body.get("description")
    if description is not None and not (isinstance(description, str) and len(description) <= 100):
        yield "parameter_invalid"
    if body.get("payment_ip") is not None and not is_ip(body["payment_ip"]):
        yield "parameter_invalid"


def _wallet(body: dict[str, Any], account: Account) -> Iterator[str]:
    if not account.kakaopay or body["source"]["type"] in _OTHER_METHODS:
        yield "payee_not_onboarded"
        return
    channel = body.get("processing_channel_id")
    if channel in (None, ""):
        yield "processing_channel_id_required"
    elif not (isinstance(channel, str) and re.fullmatch(r"pc_\w{26}", channel, re.ASCII)):
        yield "parameter_invalid"
    if body["source"]["type"] == "kakaopay":
        yield from _terminal(body.get("processing"))
    currency = body["currency"]
    if currency not in catalog.offers()[account.currencies].currencies:
        yield "currency_not_supported"
        return
    limits = catalog.currencies()[currency]
    if limits.minimum is not None and body["amount"] < limits.minimum:
        yield "amount_invalid"
    if limits.maximum is not None and body["amount"] > limits.maximum:
        yield "amount_limit_exceeded"


def _source(source: Any) -> Generator[str, None, bool]:
    if source is None:
        yield "payment_source_required"
        return False
    if not isinstance(source, dict):
        yield "source_invalid"
        return False
    kind = source.get("type")
    if kind in (None, ""):
        yield "source_type_required"
    elif kind == "id":
        if not (isinstance(source.get("id"), str) and re.fullmatch(r"src_\w{26}", source["id"], re.ASCII)):
            yield "source_id_invalid"
        return True
    elif kind != "kakaopay" and not one_of(kind, _OTHER_METHODS):
        yield "source_invalid"
    return False


def _terminal(processing: Any) -> Iterator[str]:
    if processing is None:
        yield "processing_value_required"
        return
    if not isinstance(processing, dict):
        yield "parameter_invalid"
        return
    options = catalog.kakaopay()
    terminal, system = processing.get("terminal_type"), processing.get("os_type")
    if terminal in (None, ""):
        yield "processing_value_required"
    elif not one_of(terminal, options.terminal_types):
        yield "parameter_invalid"
    elif terminal != "WEB" and system in (None, ""):
        yield "processing_value_required"
    if system not in (None, "") and not one_of(system, options.os_types):
        yield "parameter_invalid"


def _customer(customer: Any) -> Iterator[str]:
    if customer is None:
        return
    if not isinstance(customer, dict):
        yield "parameter_invalid"
        return
    identity, email, name = (
        customer.get("id"),
        customer.get("email"),
        customer.get("name"),
    )
    if identity is not None and not (isinstance(identity, str) and re.fullmatch(r"cus_\w{26}", identity, re.ASCII)):
        yield "customer_id_invalid"
    if email is not None and not (isinstance(email, str) and len(email) <= 255 and _EMAIL.fullmatch(email)):
        yield "customer_email_invalid"
    if name is not None and not (isinstance(name, str) and len(name) <= 255):
        yield "parameter_invalid"
    if customer.get("phone") is not None and not isinstance(customer["phone"], dict):
        yield "parameter_invalid"


def _goods(body: dict[str, Any]) -> Iterator[str]:
    shipping = body.get("shipping")
    if shipping is not None:
        address = shipping.get("address") if isinstance(shipping, dict) else shipping
        if address is not None and not isinstance(address, dict):
            yield "parameter_invalid"
        elif address and address.get("country") is not None and not one_of(address["country"], COUNTRIES):
            yield "country_invalid"
    items = body.get("items")
    if items is not None and not (isinstance(items, list) and all(map(_is_item, items))):
        yield "parameter_invalid"


def _is_item(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    numbers = (item.get("unit_price"), item.get("quantity"))
    words = (item.get("name"), item.get("reference"))
    return all(n is None or (isinstance(n, int) and not isinstance(n, bool) and n >= 0) for n in numbers) and all(
        w is None or isinstance(w, str) for w in words
    )
