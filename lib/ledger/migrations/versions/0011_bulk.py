"""Bulk refunds: the files and their rows."""

import sqlalchemy as sa
from alembic import op

from lib.ledger.tables import UtcTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bulk",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("uploaded_by", sa.String(length=255), nullable=False),
        sa.Column("uploaded_at", UtcTime(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("checked_at", UtcTime(), nullable=True),
        sa.Column("confirmed_by", sa.String(length=255), nullable=True),
        sa.Column("confirmed_roles", sa.String(), nullable=True),
        sa.Column("confirmed_origin", sa.String(length=20), nullable=True),
        sa.Column("confirmed_at", UtcTime(), nullable=True),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("bulk_newest", "bulk", ["uploaded_at", "id"])
    op.create_index("ix_bulk_state", "bulk", ["state"])
    op.create_table(
        "bulk_line",
        sa.Column("bulk_id", sa.String(length=32), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("refund_key", sa.String(length=50), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("given_payment", sa.Text(), nullable=False),
        sa.Column("given_amount", sa.Text(), nullable=False),
        sa.Column("given_currency", sa.Text(), nullable=False),
        sa.Column("given_reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.String(length=120), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=8), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("occurrence", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("claimed_until", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("bulk_id", "line"),
    )
    op.create_index("bulk_line_by_status", "bulk_line", ["bulk_id", "status", "line", "currency", "amount"])
    op.create_index("bulk_line_of_payment", "bulk_line", ["payment_id"])
