"""The rules that ship in `data/`, and that a wrong rule is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from lib import catalog
from lib.money import parse


def test_currencies_of_each_vintage() -> None:
    offers = catalog.offers()
    assert set(offers["2022-08"].currencies) == {"AUD", "EUR", "HKD", "SGD", "GBP"}
    assert set(offers["2024-07"].currencies) == {"KRW", "HKD", "SGD"}
    assert set(offers["default"].currencies) == {"AUD", "EUR", "HKD", "SGD", "GBP", "KRW"}


def test_minor_units_are_those_of_iso_4217() -> None:
    assert {code: currency.digits for code, currency in catalog.currencies().items()} == {
        "AUD": 2,
        "EUR": 2,
        "GBP": 2,
        "HKD": 2,
        "SGD": 2,
        "KRW": 0,
    }
    assert catalog.digits("KRW") == 0
    assert catalog.digits("no such currency") == 0


def test_every_currency_has_a_colour_of_its_own() -> None:
    colours = [currency.colour for currency in catalog.currencies().values()]
    assert len(set(colours)) == len(colours)


def test_the_won_has_limits() -> None:
    won = catalog.currencies()["KRW"]
    assert (won.minimum, won.maximum, won.minimum_refund) == (50, 2_000_000, 50)


def test_countries_are_those_of_the_page_and_the_wallets_own() -> None:
    countries = catalog.countries()
    assert {"AU", "HK", "SG", "GB", "KR", "DE", "FR"} <= countries.keys()
    assert len(countries) == 27 + 5
    assert all(len(code) == 2 and code.isupper() and name for code, name in countries.items())


def test_options_of_a_kakaopay_request() -> None:
    kakaopay = catalog.kakaopay()
    assert set(kakaopay.terminal_types) == {"WEB", "APP", "WAP"}
    assert set(kakaopay.os_types) == {"ANDROID", "IOS"}
    assert set(kakaopay.payment_types) == {"Regular", "Recurring"}
    assert (kakaopay.link_minutes, kakaopay.refund_window_days, kakaopay.maximum_partial_actions) == (10, 365, 150)
    assert {(steps.device, steps.terminal_type) for steps in kakaopay.test_steps} == {
        (device, terminal) for device in ("Computer", "Phone app") for terminal in ("APP", "WEB")
    }


def test_every_preset_could_be_sent() -> None:
    for preset in catalog.kakaopay().presets:
        assert parse(preset.amount, preset.currency).minor > 0
        assert preset.country in catalog.countries()
        assert preset.currency in catalog.offers()["default"].currencies


def _with(name: str, **changes: Any) -> dict[str, Any]:
    return {**json.loads((catalog.DATA / name).read_text("utf-8")), **changes}


def test_an_offer_of_a_currency_without_rules_is_refused() -> None:
    for listed in (["HKD", "USD"], []):
        with pytest.raises(ValidationError, match="2026"):
            catalog._Currencies.model_validate(
                _with("currencies.json", offered={"2026": {"currencies": listed, "source": "x"}})
            )


@pytest.mark.parametrize(
    "change",
    [
        {"terminal_type": "WATCH"},
        {"payment_type": "Sometimes"},
        {"terminal_type": "APP", "os_type": None},
        {"terminal_type": "APP", "os_type": "WINDOWS"},
        {"terminal_type": "WEB", "os_type": "IOS"},
    ],
)
def test_a_preset_that_would_be_refused_is_refused_here(change: dict[str, Any]) -> None:
    good = {
        "name": "p",
        "amount": "1",
        "currency": "HKD",
        "terminal_type": "WEB",
        "payment_type": "Regular",
        "country": "GB",
    }
    catalog.KakaoPay.model_validate(_with("kakaopay.json", presets=[good]))
    with pytest.raises(ValidationError, match="preset 'p'"):
        catalog.KakaoPay.model_validate(_with("kakaopay.json", presets=[{**good, **change}]))


def test_a_misspelt_rule_is_refused() -> None:
    with pytest.raises(ValidationError, match="digts"):
        catalog.Currency.model_validate({"digts": 2, "digits": 2, "name": "x", "colour": "#000000"})
