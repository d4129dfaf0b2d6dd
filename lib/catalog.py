"""Rules as data: currencies, countries and KakaoPay's own options, read from `data/` once and validated."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

DATA = Path(__file__).resolve().parent.parent / "data"


class _Rule(BaseModel):
    # What validates a file is built when that file is read: most are not read at a start.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Currency(_Rule):
    """What one currency allows; the three amounts are in minor units, None where no source gives one."""

    digits: int = Field(ge=0, le=3)
    name: str
    colour: str = Field(pattern=r"^#[0-9A-F]{6}$")
    minimum: int | None = None
    maximum: int | None = None
    minimum_refund: int | None = None


class Offer(_Rule):
    """The currencies one vintage of KakaoPay account may use, and the page that says so."""

    currencies: tuple[str, ...]
    source: str


class TestSteps(_Rule):
    """What a tester does after following the redirect link (KakaoPay page, "Testing credentials")."""

    __test__ = False  # its name makes pytest look

    device: str
    terminal_type: str
    steps: tuple[str, ...]
    expect: str
    before: str | None = None


class Outcome(_Rule):
    """What else a tester can bring about, how the payment ends by it, and the webhooks that tell."""

    do: str
    status: str
    webhooks: tuple[str, ...]


class Preset(_Rule):
    """A filled-in payment form; `amount` in major units, as a person would type it."""

    name: str
    amount: str
    currency: str
    terminal_type: str
    payment_type: str
    country: str
    os_type: str | None = None


class RefundSources(_Rule):
    """Where KakaoPay's rules for refunds are written, to be named when one of them stands in the way."""

    window: str
    partial_actions: str
    minimum: str


class KakaoPay(_Rule):
    """Options and limits of a KakaoPay request; the dictionaries map a wire value to its word on screen."""

    note: str
    terminal_types: dict[str, str]
    os_types: dict[str, str]
    payment_types: dict[str, str]
    link_minutes: int
    refund_window_days: int
    maximum_partial_actions: int
    refund_sources: RefundSources
    refund_reasons: dict[str, str]
    supported_places: tuple[str, ...]
    test_steps: tuple[TestSteps, ...]
    test_outcomes: tuple[Outcome, ...]
    presets: tuple[Preset, ...]
    demonstration: Preset
    """The payment that is asked for when somebody shows how it works; its name is what is bought."""

    @model_validator(mode="after")
    def _presets_are_options(self) -> KakaoPay:
        for preset in (*self.presets, self.demonstration):
            if preset.terminal_type not in self.terminal_types or preset.payment_type not in self.payment_types:
                raise ValueError(f"preset {preset.name!r} names a terminal or payment type that is no option")
            if (preset.os_type in self.os_types) == (preset.terminal_type == "WEB"):
                raise ValueError(f"preset {preset.name!r} needs an OS type exactly when its terminal is not WEB")
        return self


class _Currencies(_Rule):
    note: str
    currencies: dict[str, Currency]
    offered: dict[str, Offer]

    @model_validator(mode="after")
    def _offers_are_known(self) -> _Currencies:
        for vintage, offer in self.offered.items():
            if not offer.currencies or not set(offer.currencies) <= self.currencies.keys():
                raise ValueError(f"offer {vintage!r} is empty or names a currency without rules")
        return self


class _Countries(_Rule):
    note: str
    countries: dict[str, str]


class Term(_Rule):
    """A word of the field and what it means, in Markdown."""

    word: str
    meaning: str


class _Glossary(_Rule):
    note: str
    terms: tuple[Term, ...]


class Language(_Rule):
    """How one language writes to a customer: formats for dates and money, and a text for every state."""

    name: str
    order: str
    date: str
    moment: str
    money: dict[str, str]
    texts: dict[str, str]


class _CustomerWords(_Rule):
    note: str
    languages: dict[str, Language]

    @model_validator(mode="after")
    def _same_in_every_language(self) -> _CustomerWords:
        if len({frozenset(language.texts) for language in self.languages.values()}) != 1:
            raise ValueError("every language needs a text for every state")
        return self


def _read(name: str) -> Any:
    return json.loads((DATA / name).read_text("utf-8"))


@cache
def _currencies() -> _Currencies:
    return _Currencies.model_validate(_read("currencies.json"))


def currencies() -> dict[str, Currency]:
    """Every currency we have rules for, by ISO code."""
    return _currencies().currencies


def offers() -> dict[str, Offer]:
    """Lists of currencies by account vintage: `2022-08`, `2024-07` and `default`."""
    return _currencies().offered


@cache
def countries() -> dict[str, str]:
    """ISO 3166-1 alpha-2 code to English name, for the shipping address."""
    return _Countries.model_validate(_read("countries.json")).countries


@cache
def kakaopay() -> KakaoPay:
    """KakaoPay's request options, limits, test steps and presets."""
    return KakaoPay.model_validate(_read("kakaopay.json"))


@cache
def customer_words() -> dict[str, Language]:
    """What may be sent to a customer, by ISO 639-1 code of the language."""
    return _CustomerWords.model_validate(_read("customer_words.json")).languages


@cache
def glossary() -> tuple[Term, ...]:
    """The words of the field, in the order of the alphabet."""
    terms = _Glossary.model_validate(_read("glossary.json")).terms
    return tuple(sorted(terms, key=lambda term: term.word.lower()))


def digits(currency: str) -> int:
    """Minor-unit digits of a currency; 0 for one we do not know, so that no decimal point is invented."""
    known = currencies().get(currency)
    return known.digits if known else 0
