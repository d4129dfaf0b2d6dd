"""Whole words to look up from their beginning, beside the pieces that are found anywhere."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_word",
        sa.Column("word", sa.String().with_variant(sa.String(collation="C"), "postgresql"), primary_key=True),
        sa.Column("seq", sa.BigInteger(), primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    fields = ("id", "reference", "customer_email", "customer_name")
    words = " UNION ".join(
        f"SELECT substr(lower({name}), 1, 255), seq FROM payment WHERE searched = 1 AND {name} <> ''"  # noqa: S608 - our names
        for name in fields
    )
    op.execute(f"INSERT INTO search_word (word, seq) {words}")
    op.create_index("search_word_of_payment", "search_word", ["seq"])
