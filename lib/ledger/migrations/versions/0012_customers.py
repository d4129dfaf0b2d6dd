"""Customer ids among the whole words, so that all payments of a customer are found at once."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "INSERT INTO search_word (word, seq) SELECT substr(lower(customer_id), 1, 255), seq FROM payment "
        "WHERE searched = 1 AND customer_id <> '' ON CONFLICT (word, seq) DO NOTHING"
    )
