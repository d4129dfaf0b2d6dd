"""What the watchdog asks about, what the asking came to, and the payments that need a person's attention by index."""

import sqlalchemy as sa
from alembic import op

from lib.ledger.tables import UtcTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    attention = sa.text("attention IS NOT NULL")
    op.create_index(
        "payment_with_attention",
        "payment",
        ["requested_at", "seq"],
        sqlite_where=attention,
        postgresql_where=attention,
    )
    op.create_table(
        "watch",
        sa.Column("payment_id", sa.String(length=120), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.Column("next_at", UtcTime(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("payment_id"),
    )
    op.create_index("watch_next", "watch", ["next_at"])
    backfill = op.create_table(
        "backfill",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("holder", sa.String(), nullable=True),
        sa.Column("held_until", UtcTime(), nullable=True),
        sa.Column("round_at", UtcTime(), nullable=True),
        sa.Column("asked", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("found", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("patrol_began_at", UtcTime(), nullable=True),
        sa.Column("patrol_ended_at", UtcTime(), nullable=True),
        sa.Column("patrol_at", UtcTime(), nullable=True),
        sa.Column("patrol_seq", sa.BigInteger(), nullable=True),
        sa.Column("patrol_asked", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("patrol_found", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(backfill, [{"id": 1}])
