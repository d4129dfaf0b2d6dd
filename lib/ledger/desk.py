"""The parts that every use case needs, put together once a process: settings, database and Checkout.com's client."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from lib.checkout.client import CheckoutClient
from lib.ledger.calendar import SettlementDays
from lib.ledger.database import Database
from lib.settings import SIMULATOR_PATH, Settings, load


@dataclass(frozen=True)
class Desk:
    """What a use case works with. `public_url` is how browsers and phones reach this app, without a slash at its end."""

    settings: Settings
    database: Database
    checkout: CheckoutClient
    public_url: str

    def payment_page(self, reference: str) -> str:
        """Where a customer is sent back to, unless the payment says otherwise: the payment's own page here."""
        return f"{self.public_url}/payment?reference={quote(reference, safe='')}"

    @property
    def api_url(self) -> str:
        """The API as others reach it: what `CHECKOUT_BASE_URL` names, or the simulator inside."""
        return self.settings.checkout_base_url or self.public_url + SIMULATOR_PATH

    @property
    def settlement_days(self) -> SettlementDays:
        """How the business cuts its days."""
        return SettlementDays(self.settings.settlement_zone, self.settings.settlement_cutoff_hour)


@cache
def open_desk(*, port: int) -> Desk:
    """The desk of a server on `port` of this machine, put together once. Raises `SettingsError`.

    The database is opened at its first use, and Checkout.com is not called.
    """
    settings = load()
    own = f"http://127.0.0.1:{port}"
    checkout = CheckoutClient(
        base_url=settings.checkout_base_url or own + SIMULATOR_PATH,
        secret_key=settings.secret_key,
        timeout=settings.checkout_timeout_seconds,
    )
    return Desk(settings, Database(settings.database_url), checkout, settings.public_url or own)
