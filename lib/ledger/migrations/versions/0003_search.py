"""A search index over any part of id, reference, e-mail address and name, filled in the background."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payment", sa.Column("searched", sa.Integer(), nullable=False, server_default="0"))
    op.create_index(
        "payment_unsearched",
        "payment",
        ["seq"],
        sqlite_where=sa.text("searched = 0"),
        postgresql_where=sa.text("searched = 0"),
    )
    op.create_index("payment_by_terminal", "payment", ["terminal_type", "requested_at", "seq"])
    op.drop_index("payment_by_reference", "payment")
    op.drop_index("payment_by_email", "payment")
    op.drop_index("payment_by_source", "payment")
    op.create_index(
        "payment_by_source",
        "payment",
        ["source_id"],
        sqlite_where=sa.text("source_id IS NOT NULL"),
        postgresql_where=sa.text("source_id IS NOT NULL"),
    )
    if op.get_context().dialect.name == "postgresql":
        op.create_table(
            "search",
            sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
            sa.Column("words", sa.Text(), nullable=False),
            sa.Column("grams", sa.ARRAY(sa.Text()), nullable=False),
        )
        op.create_index("search_grams", "search", ["grams"], postgresql_using="gin")
    else:
        op.execute("CREATE VIRTUAL TABLE search USING fts5(words, tokenize = 'trigram')")
