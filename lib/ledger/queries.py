"""What screens read: lists by keyset, single rows, and whether anything has changed."""

from lib.ledger.payment_filter import PaymentFilter
from lib.ledger.reading.deliveries import (
    DeliveryFilter,
    body_of,
    deliveries_of,
    delivery_counts,
    find_deliveries,
    find_delivery,
    refused_about,
)
from lib.ledger.reading.keyset import Page
from lib.ledger.reading.payments import Count, count_payments, find_payments
from lib.ledger.reading.refunds import RefundFilter, any_refund, find_refunds
from lib.ledger.reading.rows import (
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
    "any_refund",
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
