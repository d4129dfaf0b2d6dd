"""The settings of who may reach what: sign-in, roles, and which proxies and names are known."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from lib.operators import Role
from lib.secrets_file import CALLBACK, streamlit_secrets
from lib.sign_in import parse_roles

_COOKIE_SECRET_LENGTH = 32


class Access(BaseSettings):
    """The part of the settings that says who gets in. Without sign-in, nobody but whoever sits at this machine."""

    sign_in_metadata_url: str | None = None
    """Where the OpenID Connect provider describes itself. Without it: no sign-in, and this machine only."""
    sign_in_client_id: str = ""
    """As what the dashboard is registered with the provider."""
    sign_in_client_secret: SecretStr = SecretStr("")
    """The provider's secret for it."""
    sign_in_cookie_secret: SecretStr = SecretStr("")
    """What the browser's cookie is signed with. The same in all processes."""
    sign_in_hours: float = Field(default=12.0, gt=0, le=720)
    """Hours after which one must sign in again."""
    roles: str = ""
    """Who may do what, by e-mail address."""
    roles_claim: str = Field(default="roles", min_length=1)
    """The claim in which the provider names roles itself."""
    trusted_proxies: str = ""
    """Addresses or networks whose `X-Forwarded-For` or `Forwarded` is believed."""
    allowed_hosts: str = ""
    """Further names under which the dashboard is reached."""

    @field_validator("sign_in_client_secret", "sign_in_cookie_secret")
    @classmethod
    def _typed_whole(cls, value: SecretStr) -> SecretStr:
        return SecretStr(value.get_secret_value().strip())

    @field_validator("roles")
    @classmethod
    def _known_roles(cls, value: str) -> str:
        parse_roles(value)
        return value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for part in listed(value):
            try:
                ip_network(part)
            except ValueError:
                raise ValueError(f"write addresses or networks such as 10.0.0.5, 10.1.0.0/16; {part} is none") from None
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _host_names(cls, value: str) -> str:
        for part in listed(value):
            if not re.fullmatch(r"(?:\*\.)?[\w-]+(?:\.[\w-]+)*|[0-9a-fA-F:]+", part):
                raise ValueError(f"write names without https:// or port, such as desk.shop.example; {part} is none")
        return value

    @model_validator(mode="after")
    def _sign_in_whole(self) -> Self:
        if not self.sign_in:
            return self
        missing = [
            name
            for name, value in (
                ("SIGN_IN_CLIENT_ID", self.sign_in_client_id),
                ("SIGN_IN_CLIENT_SECRET", self.sign_in_client_secret.get_secret_value()),
                ("SIGN_IN_COOKIE_SECRET", self.sign_in_cookie_secret.get_secret_value()),
            )
            if not value
        ]
        if missing:
            raise ValueError(
                f"{', '.join(missing)}: needed for sign-in beside SIGN_IN_METADATA_URL; the first two come from the "
                "provider, the cookie secret is any 32 characters or more that nobody can guess"
            )
        if len(self.sign_in_cookie_secret.get_secret_value()) < _COOKIE_SECRET_LENGTH:
            raise ValueError(
                f"SIGN_IN_COOKIE_SECRET: write at least {_COOKIE_SECRET_LENGTH} characters that nobody can guess, such as "
                'what python -c "import secrets; print(secrets.token_hex())" prints'
            )
        return self

    @property
    def sign_in(self) -> bool:
        """Whether people sign in; without, the dashboard is for this machine only."""
        return self.sign_in_metadata_url is not None

    @property
    def sign_in_lasts(self) -> timedelta:
        return timedelta(hours=self.sign_in_hours)

    @property
    def role_rules(self) -> tuple[tuple[str, Role], ...]:
        """Pairs of an e-mail address, or `*@` and a domain, and a role."""
        return parse_roles(self.roles)

    @cached_property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of proxies to be believed."""
        return tuple(ip_network(part) for part in listed(self.trusted_proxies))

    def streamlit_auth(self, own_url: str) -> dict[str, Any] | None:
        """The section `auth` of Streamlit's secrets, for a server that browsers reach under `own_url`; None without sign-in."""
        if not self.sign_in:
            return None
        given = streamlit_secrets().get("auth", {})
        return {
            **given,
            "redirect_uri": own_url + CALLBACK,
            "cookie_secret": self.sign_in_cookie_secret.get_secret_value(),
            "client_id": self.sign_in_client_id,
            "client_secret": self.sign_in_client_secret.get_secret_value(),
            "server_metadata_url": self.sign_in_metadata_url,
        }


def listed(text: str) -> tuple[str, ...]:
    """The parts of a setting with commas between, without empty ones."""
    return tuple(filter(None, (part.strip() for part in text.split(","))))
