"""What is settled about a refund before it is sent: approval, hold, order lines, and what it tries again."""

import sqlalchemy as sa
from alembic import op

from lib.ledger.tables import UtcTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("refund") as refund:
        refund.add_column(sa.Column("reason_label", sa.String(), nullable=True))
        refund.add_column(sa.Column("retry_of", sa.String(120), nullable=True))
        refund.add_column(sa.Column("lines", sa.Text(), nullable=True))
        refund.add_column(sa.Column("approval_limit", sa.BigInteger(), nullable=True))
        refund.add_column(sa.Column("approve_by", UtcTime(), nullable=True))
        refund.add_column(sa.Column("approved_by", sa.String(), nullable=True))
        refund.add_column(sa.Column("approved_at", UtcTime(), nullable=True))
        refund.add_column(sa.Column("ended_as", sa.String(10), nullable=True))
        refund.add_column(sa.Column("ended_by", sa.String(), nullable=True))
        refund.add_column(sa.Column("ended_why", sa.Text(), nullable=True))
        refund.add_column(sa.Column("held_until", UtcTime(), nullable=True))
        refund.add_column(sa.Column("send_at", UtcTime(), nullable=True))
        refund.create_check_constraint(
            "refund_approved_by_another", "approved_by IS NULL OR approved_by <> requested_by"
        )
    op.create_index(
        "refund_to_send",
        "refund",
        ["send_at"],
        sqlite_where=sa.text("send_at IS NOT NULL"),
        postgresql_where=sa.text("send_at IS NOT NULL"),
    )
    # As the fold says of refunds from before: to be sent as long as Checkout.com's own answer is not known.
    op.execute(
        "UPDATE refund SET send_at = requested_at WHERE requested_by IS NOT NULL AND NOT EXISTS "
        "(SELECT 1 FROM event WHERE event.id IN ('api:' || refund.key, 'refused:' || refund.key))"
    )
