"""The first schema: facts, deliveries, and the payments, refunds and volumes they fold to."""

import sqlalchemy as sa
from alembic import op

from lib.ledger.tables import UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "creation",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("requested_at", UtcTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.String(length=120), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(op.f("ix_creation_status"), "creation", ["status"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("event_id", sa.String(length=120), nullable=True),
        sa.Column("event_type", sa.String(length=80), nullable=True),
        sa.Column("payment_id", sa.String(length=120), nullable=True),
        sa.Column("signature", sa.String(length=128), nullable=True),
        sa.Column("sender", sa.String(length=64), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("delivery_by_event", "delivery", ["event_id", "id"], unique=False)
    op.create_index("delivery_by_payment", "delivery", ["payment_id", "id"], unique=False)
    op.create_index("delivery_by_type", "delivery", ["event_type", "id"], unique=False)
    op.create_index("delivery_by_verdict", "delivery", ["verdict", "id"], unique=False)
    op.create_table(
        "event",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("payment_id", sa.String(length=120), nullable=True),
        sa.Column("action_id", sa.String(length=120), nullable=True),
        sa.Column("occurred_at", UtcTime(), nullable=False),
        sa.Column("recorded_at", UtcTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("event_of_payment", "event", ["payment_id", "seq"], unique=False)
    op.create_table(
        "payment",
        sa.Column("seq", SERIAL, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("currency", sa.String(length=8), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("captured", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("refund_pending", sa.BigInteger(), nullable=False),
        sa.Column("refund_reserved", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("customer_email", sa.String(), nullable=True),
        sa.Column("customer_name", sa.String(), nullable=True),
        sa.Column("payment_type", sa.String(), nullable=True),
        sa.Column("terminal_type", sa.String(), nullable=True),
        sa.Column("source_id", sa.String(), nullable=True),
        sa.Column("redirect_url", sa.Text(), nullable=True),
        sa.Column("response_code", sa.String(), nullable=True),
        sa.Column("response_summary", sa.String(), nullable=True),
        sa.Column("requested_by", sa.String(), nullable=True),
        sa.Column("attention", sa.String(), nullable=True),
        sa.Column("requested_at", UtcTime(), nullable=False),
        sa.Column("captured_at", UtcTime(), nullable=True),
        sa.Column("closed_at", UtcTime(), nullable=True),
        sa.Column("expires_at", UtcTime(), nullable=True),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index(
        "payment_by_currency",
        "payment",
        ["currency", "requested_at", "seq"],
        unique=False,
    )
    op.create_index(
        "payment_by_currency_status",
        "payment",
        ["currency", "status", "requested_at", "seq"],
        unique=False,
    )
    op.create_index("payment_by_email", "payment", ["customer_email"], unique=False)
    op.create_index("payment_by_reference", "payment", ["reference"], unique=False)
    op.create_index("payment_by_source", "payment", ["source_id"], unique=False)
    op.create_index("payment_by_status", "payment", ["status", "requested_at", "seq"], unique=False)
    op.create_index("payment_newest", "payment", ["requested_at", "seq"], unique=False)
    op.create_table(
        "refund",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("payment_id", sa.String(length=120), nullable=False),
        sa.Column("action_id", sa.String(length=120), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=8), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.String(), nullable=True),
        sa.Column("requested_at", UtcTime(), nullable=False),
        sa.Column("answered_at", UtcTime(), nullable=True),
        sa.Column("decided_at", UtcTime(), nullable=True),
        sa.Column("response_code", sa.String(), nullable=True),
        sa.Column("response_summary", sa.Text(), nullable=True),
        sa.CheckConstraint("amount >= 0", name="refund_amount_not_negative"),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index(op.f("ix_refund_payment_id"), "refund", ["payment_id"], unique=False)
    op.create_index("refund_by_action", "refund", ["action_id"], unique=True)
    op.create_index("refund_by_status", "refund", ["status", "requested_at", "key"], unique=False)
    op.create_index("refund_newest", "refund", ["requested_at", "key"], unique=False)
    op.create_table(
        "volume",
        sa.Column("bucket", UtcTime(), nullable=False),
        sa.Column("currency", sa.String(length=8), nullable=False),
        sa.Column("requested_count", sa.BigInteger(), nullable=False),
        sa.Column("requested", sa.BigInteger(), nullable=False),
        sa.Column("captured_count", sa.BigInteger(), nullable=False),
        sa.Column("captured", sa.BigInteger(), nullable=False),
        sa.Column("refunded_count", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("declined_count", sa.BigInteger(), nullable=False),
        sa.Column("expired_count", sa.BigInteger(), nullable=False),
        sa.Column("canceled_count", sa.BigInteger(), nullable=False),
        sa.Column("refund_declined_count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "currency"),
    )
