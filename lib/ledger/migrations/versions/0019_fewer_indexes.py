"""Two indexes over payments less: what they led to is found by currency and status together."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("payment_by_status", table_name="payment")
    op.drop_index("payment_by_currency", table_name="payment")
