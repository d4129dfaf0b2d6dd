"""The settings as they may be shown: each with its value, secrets masked, and where it comes from."""

from __future__ import annotations

import ast
import inspect
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import SecretStr

from lib.access import Access
from lib.secrets_file import streamlit_secrets
from lib.settings import Settings

_LONG_ENOUGH = 20
"""A secret shorter than this shows nothing of itself."""
_TAIL = 4
_PREFIX = re.compile(r"[a-z]{1,5}_(?:[a-z]{1,5}_)?")


GROUPS: Mapping[str, tuple[str, ...]] = {
    "Checkout.com": (
        "checkout_base_url",
        "checkout_secret_key",
        "checkout_processing_channel_id",
        "checkout_webhook_keys",
        "checkout_timeout_seconds",
        "kakaopay_currencies",
    ),
    "Refunds": ("refund_limits", "refund_approval_hours", "refund_hold_seconds"),
    "Days and times": ("timezone", "settlement_timezone", "settlement_cutoff_hour"),
    "Where it runs": ("database_url", "simulator_database_url", "public_url", "trusted_proxies", "allowed_hosts"),
    "Who gets in": (
        "operator_name",
        "sign_in_metadata_url",
        "sign_in_client_id",
        "sign_in_client_secret",
        "sign_in_cookie_secret",
        "sign_in_hours",
        "roles",
        "roles_claim",
    ),
    "Log and personal data": ("log_format", "log_level", "retention_days"),
}
"""Every setting, by what it is about, in the order in which people meet them."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting by its name in the environment. `value` is what may be shown; empty: not set."""

    name: str
    group: str
    meaning: str
    value: str
    source: str
    """`environment`, `.env`, `secrets.toml` or `default`."""


def shown(settings: Settings) -> list[Shown]:
    """Every setting, in the order of `GROUPS`."""
    environment = {name.lower(): value for name, value in os.environ.items()}
    files = {".env": _dotenv(), "secrets.toml": streamlit_secrets()}
    return [
        Shown(
            name.upper(),
            group,
            meanings()[name],
            _value(settings, name),
            _source(name, environment, files),
        )
        for group, names in GROUPS.items()
        for name in names
    ]


@cache
def meanings() -> dict[str, str]:
    """What stands below each setting where it is declared, by the setting's name.

    Read here, when somebody looks: pydantic can do it too, and then does at every start, for as long as it takes to
    load SQLModel.
    """
    said = {}
    for declared in (Access, Settings):
        (body,) = ast.parse(inspect.getsource(declared)).body
        assert isinstance(body, ast.ClassDef)
        for setting, below in pairwise(body.body):
            if isinstance(setting, ast.AnnAssign) and isinstance(below, ast.Expr):
                said[ast.unparse(setting.target)] = ast.literal_eval(below.value)
    return said


def mask(secret: str) -> str:
    """What may be seen of a secret, `sk_sbox_…7890`: enough to tell two apart, nothing to use."""
    if len(secret) < _LONG_ENOUGH:
        return "…" if secret else ""
    prefix = _PREFIX.match(secret)
    return f"{prefix[0] if prefix else ''}…{secret[-_TAIL:]}"


def _value(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if isinstance(value, SecretStr):
        return mask(value.get_secret_value())
    if isinstance(value, tuple):
        return ", ".join(mask(part.get_secret_value()) if isinstance(part, SecretStr) else str(part) for part in value)
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    for secret in sorted(settings.secrets, key=len, reverse=True):  # a database's address may hold its password
        text = text.replace(secret, "…")
    return text


def _source(name: str, environment: Mapping[str, str], files: Mapping[str, Mapping[str, Any]]) -> str:
    # Streamlit copies what stands in its secrets into the environment.
    if name in environment and environment[name] != str(files["secrets.toml"].get(name)):
        return "environment"
    return next((file for file, values in files.items() if name in values), "default")


def _dotenv() -> dict[str, str | None]:
    path = Path(".env")
    return (
        {name.lower(): value for name, value in dotenv_values(path, encoding="utf-8-sig").items()}
        if path.exists()
        else {}
    )
