"""Volumes by local day of the ledger's zone; filled when a process that knows the zone starts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MEASURES = (
    "requested_count",
    "requested",
    "captured_count",
    "captured",
    "refunded_count",
    "refunded",
    "declined_count",
    "expired_count",
    "canceled_count",
    "refund_declined_count",
)


def upgrade() -> None:
    op.create_table(
        "volume_day",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("currency", sa.String(8), primary_key=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in MEASURES),
    )
    op.create_table(
        "ledger_zone",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("zone", sa.String(60), nullable=False),
    )
