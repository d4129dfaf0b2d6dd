"""How one simulator is set up: what it answers to, where it reports to, and the house rules of its account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

Address = str | Callable[[], str]
"""A URL, or a function that gives it once the server knows its port."""

SECRET_KEY = "sk_sbox_" + "simulator".ljust(26, "a") + "="
PROCESSING_CHANNEL = "pc_" + "simulator".ljust(26, "a")
ENTITY = "ent_" + "simulator".ljust(26, "a")


@dataclass(frozen=True)
class Fees:
    """What a KakaoPay action costs, in the holding currency. Our own figures; Checkout.com's are a matter of contract."""

    premium_variable: Decimal = Decimal("0.022")
    premium_fixed: int = 20
    """Minor units for each capture."""
    gateway_fixed: int = 8
    """Minor units for each capture."""
    refund_fixed: int = 15
    """Minor units for each refund."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """Set once at start. Amounts of time are in the unit their name says."""

    database_url: str
    base_url: Address
    """How the outside reaches this simulator, without a slash at the end; used in `_links` and redirect links."""
    webhook_url: Address = ""
    """Where events are delivered; empty: events are kept and can be read, but nobody is told."""
    webhook_keys: tuple[str, ...] = ("simulator-signature-key",)
    """Signature keys. The first signs; the second, if any, is the one being rotated out."""
    webhook_authorization: str = ""
    """Static `Authorization` header of each delivery, sent word for word."""
    secret_keys: tuple[str, ...] = (SECRET_KEY,)
    processing_channel_id: str = PROCESSING_CHANNEL
    """The account's own channel, named on the control board. Any well-formed channel is taken, as in the API's own examples."""
    entity_id: str = ENTITY
    entity_name: str = "Simulated merchant"
    currencies: str = "default"
    """Which list of `data/currencies.json` the account starts with."""
    kakaopay: bool = True
    """Whether the account has KakaoPay; without it every request is refused with `payee_not_onboarded`."""
    link_minutes: float = 10
    """Life of a redirect link (upper bound of the Alipay+ cashier page)."""
    settle_seconds: float = 1
    """How long KakaoPay takes to settle a charge by stored source."""
    refund_seconds: float = 1
    """How long KakaoPay takes to decide a refund."""
    idempotency_hours: float = 24
    failed_refund_limit: int = 20
    """Declined refunds after which a payment takes no more (`action_failure_limit_exceeded`)."""
    requests_per_second: int | None = None
    """Limit of reads, and of writes, in a second; the rest get 429. Checkout.com's documented figure is 100. None: no limit."""
    return_payment_id: bool = False
    """Whether the return to the shop carries `cko-payment-id`; not evidenced for KakaoPay, so off."""
    acknowledge_seconds: float = 10
    """How long a receiver may take to answer a delivery."""
    zone: str = "Asia/Hong_Kong"
    """IANA zone of the entity, in which payouts are cut and reports are written."""
    payout_days: int = 1
    """Days between the end of a settlement day and the payout."""
    holding: dict[str, tuple[str, Decimal]] = field(default_factory=lambda: {"KRW": ("HKD", Decimal("0.00568"))})
    """Currencies that are not held as they are: the currency they are held in and the rate, major units for a major unit."""
    fees: Fees = Fees()

    def base(self) -> str:
        """The address of this simulator, without a slash at the end."""
        return (self.base_url if isinstance(self.base_url, str) else self.base_url()).rstrip("/")

    def webhook(self) -> str:
        """Where to deliver, or an empty string."""
        return self.webhook_url if isinstance(self.webhook_url, str) else self.webhook_url()
