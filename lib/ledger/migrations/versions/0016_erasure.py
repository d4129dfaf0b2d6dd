"""How far the retention setting has had old payments erased."""

import sqlalchemy as sa
from alembic import op

from lib.ledger.tables import UtcTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("backfill", sa.Column("erased_at", UtcTime(), nullable=True))
    op.add_column("backfill", sa.Column("erased_seq", sa.BigInteger(), nullable=True))
