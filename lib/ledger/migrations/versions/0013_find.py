"""Payments by amount and by what was given back, and everybody's own views."""

import sqlalchemy as sa
from alembic import op

from lib.ledger.tables import UtcTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("payment_by_amount", "payment", ["currency", "amount"])
    some = sa.text("refunded > 0")
    op.create_index(
        "payment_by_refunded", "payment", ["currency", "refunded"], sqlite_where=some, postgresql_where=some
    )
    op.create_table(
        "saved_view",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("saved_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("saved_view_of_owner", "saved_view", ["owner", "name"], unique=True)
