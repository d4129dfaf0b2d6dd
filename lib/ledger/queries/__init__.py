"""What screens read: lists by keyset, single rows, and whether anything has changed."""

from lib.ledger.payment_filter import PaymentFilter
from lib.ledger.queries.deliveries import (
    DeliveryFilter,
    body_of,
    deliveries_of,
    delivery_counts,
    find_deliveries,
    find_delivery,
    refused_about,
)
from lib.ledger.queries.keyset import Page
from lib.ledger.queries.payments import Count, count_payments, find_payments
from lib.ledger.queries.refunds import RefundFilter, find_refunds
from lib.ledger.queries.rows import (
    facts_of,
    find_payment,
    find_payment_by_reference,
    find_refund,
    payment_version,
    payments_of,
    pulse,
    refunds_of,
)

__all__ = [
    "Count",
    "DeliveryFilter",
    "Page",
    "PaymentFilter",
    "RefundFilter",
    "body_of",
    "count_payments",
    "deliveries_of",
    "delivery_counts",
    "facts_of",
    "find_deliveries",
    "find_delivery",
    "find_payment",
    "find_payment_by_reference",
    "find_payments",
    "find_refund",
    "find_refunds",
    "payment_version",
    "payments_of",
    "pulse",
    "refunds_of",
    "refused_about",
]
