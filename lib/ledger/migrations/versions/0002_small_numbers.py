"""Facts and deliveries find each other by small numbers, so that indexes grow at their end instead of everywhere."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("event", sa.Column("payment_seq", sa.BigInteger(), nullable=True))
    op.add_column("delivery", sa.Column("event_seq", sa.BigInteger(), nullable=True))
    op.add_column("delivery", sa.Column("key_index", sa.Integer(), nullable=True))
    op.execute("UPDATE event SET payment_seq = (SELECT seq FROM payment WHERE payment.id = event.payment_id)")
    op.execute("UPDATE delivery SET event_seq = (SELECT seq FROM event WHERE event.id = delivery.event_id)")
    op.drop_index("event_of_payment", "event")
    op.create_index("event_of_payment", "event", ["payment_seq", "seq"])
    op.drop_index("delivery_by_payment", "delivery")
    op.drop_index("delivery_by_event", "delivery")
    op.create_index("delivery_by_event", "delivery", ["event_seq", "id"])
