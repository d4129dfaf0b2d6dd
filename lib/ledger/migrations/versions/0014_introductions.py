"""How far the payments made elsewhere have been read for their customers."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("backfill", sa.Column("introduced_seq", sa.BigInteger(), nullable=True))
