"""Checkout.com's answers, read leniently: what we use, typed, and nothing that an addition on their side could break.

Unknown fields are ignored and statuses are open strings. An optional field of the wrong type reads as None; only an
answer without its id is unreadable. Shapes: the models of Checkout.com's official SDKs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from lib.checkout.answer import Answer
from lib.checkout.errors import unreadable
from lib.checkout.times import parse_time


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("a NUL character, which no database takes")
    return text


Text = Annotated[str, AfterValidator(_storable)]
Minor = Annotated[int, Field(ge=0, lt=2**63)]
"""Minor units; bounded by what a database's integer holds."""
Instant = Annotated[datetime, BeforeValidator(parse_time)]


class _Lenient(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    @field_validator("*", mode="wrap")
    @classmethod
    def _tolerate(cls, value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        try:
            return handler(value)
        except ValidationError:
            field = cls.model_fields[info.field_name or ""]
            if field.is_required():
                raise
            return field.get_default(call_default_factory=True)


M = TypeVar("M", bound=_Lenient)


def _each(model: type[M]) -> Callable[[object], tuple[M, ...]]:
    """A reader of arrays that passes over what is not a `model`, so that one odd item does not hide the others."""

    def read_all(items: object) -> tuple[M, ...]:
        found = []
        for item in items if isinstance(items, list) else ():
            try:
                found.append(model.model_validate(item))
            except ValidationError:
                continue
        return tuple(found)

    return read_all


class Customer(_Lenient):
    id: Text | None = None
    email: Text | None = None
    name: Text | None = None


class Source(_Lenient):
    """What paid. `id` (`src_...`) is there when the source is stored and can be charged again."""

    id: Text | None = None
    type: Text | None = None


class Balances(_Lenient):
    """The provider's totals of one payment, in minor units of its currency."""

    total_authorized: Minor | None = None
    total_captured: Minor | None = None
    total_refunded: Minor | None = None
    total_voided: Minor | None = None
    available_to_capture: Minor | None = None
    available_to_refund: Minor | None = None
    available_to_void: Minor | None = None


class PaymentAccepted(_Lenient):
    """The 202 to `POST /payments`."""

    id: Text
    status: Text | None = None
    reference: Text | None = None
    customer: Customer = Customer()
    source: Source = Source()
    redirect_url: Text | None = None
    """Where the customer pays (`_links.redirect`), if http or https; none when a stored source is charged."""

    @model_validator(mode="before")
    @classmethod
    def _lift_redirect(cls, body: object) -> object:
        if not isinstance(body, dict):
            return body
        links = body.get("_links")
        redirect = links.get("redirect") if isinstance(links, dict) else None
        href = redirect.get("href") if isinstance(redirect, dict) else None
        safe = isinstance(href, str) and href.lower().startswith(("https://", "http://"))
        return {**body, "redirect_url": href if safe else None}


class Action(_Lenient):
    """One action on a payment; in the summary inside a payment only the id, type and response are there."""

    id: Text
    type: Text | None = None
    processed_on: Instant | None = None
    amount: Minor | None = None
    approved: bool | None = None
    reference: Text | None = None
    response_code: Text | None = None
    response_summary: Text | None = None


class PaymentDetails(_Lenient):
    """`GET /payments/{id}`, and each item of the list by reference."""

    id: Text
    status: Text | None = None
    amount: Minor | None = None
    amount_requested: Minor | None = None
    currency: Text | None = None
    payment_type: Text | None = None
    reference: Text | None = None
    description: Text | None = None
    approved: bool | None = None
    requested_on: Instant | None = None
    processed_on: Instant | None = None
    expires_on: Instant | None = None
    source: Source = Source()
    customer: Customer = Customer()
    balances: Balances | None = None
    """Absent in old and in never captured payments."""
    actions: Annotated[tuple[Action, ...], BeforeValidator(_each(Action))] = ()
    processing_channel_id: Text | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class RefundAccepted(_Lenient):
    """The 202 to a refund: accepted, not yet done. The result arrives as an event with this `action_id`."""

    action_id: Text
    reference: Text | None = None


def read(model: type[M], answer: Answer) -> M:
    """Read an answer's body as one `model`; raises `UnreadableAnswer` when not even its id is there."""
    try:
        return model.model_validate(answer.body)
    except ValidationError:
        raise unreadable(answer, f"{answer.status} without an id", acts=answer.method != "GET") from None


def read_list(model: type[M], answer: Answer) -> tuple[M, ...]:
    """Read a bare array (actions) or the `data` of a page (payments by reference), in the order received."""
    body = answer.body
    return _each(model)(body.get("data") if isinstance(body, dict) else body)
