"""Settings from the environment or `.env`, validated once at start; every problem is a sentence with its cure."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from lib import catalog, envfile, limits
from lib.access import Access, listed
from lib.secrets_file import UnusableSecrets, streamlit_secrets
from lib.world import WORLD_WORDS, World, opens, world_of

SIMULATOR_PATH = "/simulator"
WEBHOOK_PATH = "/webhooks/checkout"
_SIMULATOR_SECRET_KEY = "sk_sbox_" + "simulator".ljust(26, "a") + "="
_SIMULATOR_CHANNEL = "pc_" + "simulator".ljust(26, "a")
_SIMULATOR_WEBHOOK_KEY = "simulator-signature-key"
_NAME_LENGTH = 80


class SettingsError(ValueError):
    """The settings cannot be used; the message says which, why and what to write instead."""


class Settings(Access):
    """All settings of the product. With none set, everything runs against the embedded simulator on loopback.

    What stands below a setting is its meaning as the Settings screen says it; README's table begins with the same words.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8-sig", extra="ignore", frozen=True, str_strip_whitespace=True
    )

    checkout_base_url: str | None = None
    """Checkout.com's API, or what answers like it, perhaps below a path. Without it: the simulator inside."""
    checkout_secret_key: SecretStr = SecretStr("")
    """Bearer key; needed for Checkout.com."""
    checkout_processing_channel_id: str = ""
    """Processing channel; needed for Checkout.com."""
    checkout_webhook_keys: Annotated[tuple[SecretStr, ...], NoDecode] = ()
    """Signature keys, with commas between; any is accepted, so that one can replace another without a gap."""
    checkout_timeout_seconds: float = Field(default=10.0, gt=0, le=120)
    """Seconds that one call may take before it counts as unanswered."""
    database_url: str = Field(default=f"sqlite:///{catalog.DATA / 'ledger.db'}", repr=False)
    """The ledger."""
    simulator_database_url: str = Field(default=f"sqlite:///{catalog.DATA / 'simulator.db'}", repr=False)
    """The simulator's own."""
    public_url: str | None = None
    """How browsers and phones reach this app. Without it: the server's address and port."""
    timezone: str = "Asia/Hong_Kong"
    """Where days are cut, and in which times are shown."""
    settlement_timezone: str | None = None
    """Where settlement days are cut. Without it: as `TIMEZONE`."""
    settlement_cutoff_hour: int = Field(default=0, ge=0, le=23)
    """O'clock at which a settlement day ends, 0 to 23. 0 is midnight."""
    kakaopay_currencies: str = "default"
    """Which currencies the account may use, a list in `data/currencies.json`."""
    refund_limits: str = ""
    """What a role may refund of one payment by itself. Without it: any amount."""
    refund_approval_hours: int = Field(default=72, ge=1, le=720)
    """Hours for which a refund waits for a second person."""
    refund_hold_seconds: int = Field(default=0, ge=0, le=300)
    """Seconds, at most 300, for which a refund is kept back and can be cancelled."""
    retention_days: int = Field(default=0, ge=0, le=36500)
    """After how many days names, addresses and payloads of a payment are erased by themselves. 0 is never."""
    log_format: Literal["text", "json"] = "text"
    """How a line of the log reads: `text` for people, `json` for machines."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "WARNING"
    """The least that is logged."""
    operator_name: str = Field(default="Local operator", min_length=1, max_length=400)
    """Who acts when there is no sign-in; several names with commas between, to choose from."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings' signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment goes first, then `.env`, then Streamlit's `secrets.toml`."""
        secrets = InitSettingsSource(settings_cls, streamlit_secrets())
        return init_settings, env_settings, dotenv_settings, secrets

    @field_validator("checkout_webhook_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(key.strip() for key in value.split(",") if key.strip())
        return value

    @field_validator("checkout_base_url", "public_url", "sign_in_metadata_url", mode="before")
    @classmethod
    def _absent_or_http(cls, value: object) -> object:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        text = str(value).strip().rstrip("/")
        try:
            parts = urlsplit(text)
            whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:  # a port or an IPv6 address that is none
            whole = False
        if not whole or parts.query or parts.fragment or parts.username is not None:
            raise ValueError(
                "write a whole http or https address without user, ? or #, "
                "such as https://PREFIX.api.sandbox.checkout.com"
            )
        return text

    @field_validator("checkout_secret_key")
    @classmethod
    def _fits_a_header(cls, value: SecretStr) -> SecretStr:
        key = value.get_secret_value().strip()
        if not all("!" <= character <= "~" for character in key):
            raise ValueError("has a space or another character that no key has; copy it again")
        return SecretStr(key)

    @field_validator("database_url", "simulator_database_url")
    @classmethod
    def _known_database(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("write sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME")
        return value

    @field_validator("settlement_timezone", mode="before")
    @classmethod
    def _absent_if_empty(cls, value: object) -> object:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("timezone", "settlement_timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        try:
            ZoneInfo(value or "UTC")
        except (KeyError, ValueError, OSError):
            raise ValueError("write an IANA time zone such as Asia/Hong_Kong or Europe/London") from None
        return value

    @field_validator("kakaopay_currencies")
    @classmethod
    def _known_offer(cls, value: str) -> str:
        if value not in catalog.offers():
            raise ValueError(f"write one of {', '.join(catalog.offers())}")
        return value

    @field_validator("operator_name")
    @classmethod
    def _names(cls, value: str) -> str:
        if not listed(value) or any(len(name) > _NAME_LENGTH for name in listed(value)):
            raise ValueError(f"write a name of at most {_NAME_LENGTH} characters, or several with commas between")
        return value

    @field_validator("refund_limits")
    @classmethod
    def _readable_limits(cls, value: str) -> str:
        limits.read(value)
        return value

    @model_validator(mode="after")
    def _complete(self) -> Settings:
        if self.world == "simulator":
            return self
        if not self.checkout_base_url or not self.checkout_base_url.startswith("https://"):
            raise ValueError(
                "CHECKOUT_BASE_URL: Checkout.com is reached over https only; write https:// in front of the host"
            )
        missing = [
            name
            for name, value in (
                ("CHECKOUT_SECRET_KEY", self.checkout_secret_key.get_secret_value()),
                ("CHECKOUT_PROCESSING_CHANNEL_ID", self.checkout_processing_channel_id),
                ("CHECKOUT_WEBHOOK_KEYS", self.checkout_webhook_keys),
            )
            if not value
        ]
        if missing:
            raise ValueError(
                f"{', '.join(missing)}: needed to reach {urlsplit(self.checkout_base_url).hostname}; copy them from "
                "Checkout.com's dashboard (Developers: Keys; Workflows: signature key; Settings: Processing channels)"
            )
        if not opens(self.world, self.checkout_secret_key.get_secret_value()):
            raise ValueError(
                f"CHECKOUT_SECRET_KEY: is not a whole secret key of Checkout.com's {self.world} world, which begins with "
                f"{'sk_sbox_' if self.world == 'sandbox' else 'sk_ and not sk_sbox_'}; copy it again from Developers, Keys"
            )
        return self

    @model_validator(mode="after")
    def _real_money_needs_names(self) -> Settings:
        if self.world == "live" and not self.sign_in:
            raise ValueError(
                f"CHECKOUT_BASE_URL: {urlsplit(self.checkout_base_url or '').hostname} moves real money, and without "
                "sign-in nobody could tell who moved it. Set up sign-in first (SIGN_IN_METADATA_URL and the settings "
                "beside it), or point at the sandbox"
            )
        return self

    @property
    def embedded_simulator(self) -> bool:
        """Whether this process serves the simulator and points at it."""
        return self.checkout_base_url is None

    @property
    def world(self) -> World:
        """Which money this is."""
        return world_of(self.checkout_base_url)

    @property
    def world_words(self) -> str:
        """The world in words, as every export begins with."""
        return WORLD_WORDS[self.world]

    @property
    def secret_key(self) -> str:
        """The bearer key; never to be shown."""
        return self.checkout_secret_key.get_secret_value() or _SIMULATOR_SECRET_KEY

    @property
    def processing_channel_id(self) -> str:
        return self.checkout_processing_channel_id or _SIMULATOR_CHANNEL

    @property
    def webhook_keys(self) -> tuple[str, ...]:
        """Signature keys; never to be shown. The simulator signs with the first."""
        return tuple(key.get_secret_value() for key in self.checkout_webhook_keys) or (_SIMULATOR_WEBHOOK_KEY,)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every text that must not leave this process: keys, and the passwords of the databases."""
        addresses = [urlsplit(url) for url in (self.database_url, self.simulator_database_url)]
        passwords = [address.password or "" for address in addresses]
        passwords += [
            text for address in addresses for name, text in _pairs(address.query) if name in ("password", "sslpassword")
        ]
        own = (self.sign_in_client_secret.get_secret_value(), self.sign_in_cookie_secret.get_secret_value())
        return tuple(filter(None, (self.secret_key, *self.webhook_keys, *own, *passwords, *map(unquote, passwords))))

    @property
    def operator_names(self) -> tuple[str, ...]:
        """Who may act at this machine when there is no sign-in."""
        return listed(self.operator_name)

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """Names, in lower case, under which the dashboard is reached beside this machine's own; `*.` stands for any below."""
        own = urlsplit(self.public_url).hostname if self.public_url else None
        return (*(name.lower() for name in listed(self.allowed_hosts)), *((own,) if own else ()))

    @property
    def limits(self) -> limits.Limits:
        """What each role may refund without a second person."""
        return limits.read(self.refund_limits)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def settlement_zone(self) -> ZoneInfo:
        return ZoneInfo(self.settlement_timezone or self.timezone)

    @property
    def currencies(self) -> tuple[str, ...]:
        """Currencies the account may take, in the order to offer them."""
        return catalog.offers()[self.kakaopay_currencies].currencies


def load() -> Settings:
    """Read the settings; raises `SettingsError` with one line a problem."""
    try:
        if broken := envfile.problems(Path(".env"), map(str.upper, Settings.model_fields)):
            raise SettingsError("\n".join(broken))
        return Settings()
    except UnusableSecrets as error:
        raise SettingsError(str(error)) from None
    except UnicodeDecodeError:
        raise SettingsError(".env: is not UTF-8 text; save it again as UTF-8") from None
    except ValidationError as error:
        raise SettingsError(
            "\n".join(_sentence(problem["loc"], problem["msg"]) for problem in error.errors())
        ) from None


def _pairs(query: str) -> list[tuple[str, str]]:
    """Names and values of an address's query, as they stand there."""
    return [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&"))]


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    words = message.removeprefix("Value error, ")
    return f"{str(location[0]).upper()}: {words}" if location else words
