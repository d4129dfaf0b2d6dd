"""What only Checkout.com's totals tell of as refunded, in columns of its own, and indexes for rows of money in order."""

import sqlalchemy as sa
from alembic import op

from lib.ledger.tables import UtcTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment", sa.Column("untold", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("payment", sa.Column("untold_at", UtcTime(), nullable=True))
    postgresql = op.get_context().dialect.name == "postgresql"
    told_at = "(folded::json #>> '{balances,0}')::timestamptz" if postgresql else "folded ->> '$.balances[0]'"
    heard_of = (
        "(SELECT coalesce(sum(refund.amount), 0) FROM refund WHERE refund.payment_id = payment.id "
        "AND refund.currency = payment.currency AND refund.status = 'refunded')"
    )
    op.execute(f"UPDATE payment SET untold = refunded - {heard_of} WHERE attention LIKE '%missing_facts%'")  # noqa: S608
    op.execute(f"UPDATE payment SET untold_at = {told_at} WHERE untold > 0")  # noqa: S608 - our own words
    for name, table, columns, condition in (
        ("payment_moved", "payment", ["currency", "captured_at", "seq"], "captured_at IS NOT NULL"),
        ("payment_untold", "payment", ["currency", "untold_at", "seq"], "untold_at IS NOT NULL"),
        ("refund_moved", "refund", ["currency", "decided_at", "action_id"], "status = 'refunded'"),
    ):
        only = sa.text(condition)
        op.create_index(name, table, columns, sqlite_where=only, postgresql_where=only)
