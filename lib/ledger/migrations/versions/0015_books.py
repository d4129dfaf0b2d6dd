"""Imported reports and where their lines stand; closed periods, which the database itself keeps as they are."""

import sqlalchemy as sa
from alembic import op

from lib.ledger.tables import UtcTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

FROZEN = (
    "currency, month, since, until, opening, gross, refunded, fees, closing, captured_count, refunded_count, rows, "
    "sha256, event_seq, closed_at, closed_by"
)
REFUSAL = "a closed period keeps its figures"


def upgrade() -> None:
    _reports()
    _periods()


def _number() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", kind, primary_key=True, autoincrement=True)


def _reports() -> None:
    op.create_table(
        "report_file",
        _number(),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("scope", sa.String(6), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("report_id", sa.String(120), unique=True),
        sa.Column("imported_at", UtcTime(), nullable=False),
        sa.Column("imported_by", sa.String(255), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("covers_from", UtcTime()),
        sa.Column("covers_until", UtcTime()),
    )
    op.create_index("report_file_once", "report_file", ["sha256", "scope"], unique=True)
    op.create_table(
        "statement_line",
        _number(),
        sa.Column("standing", sa.String(20), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("file_id", sa.BigInteger()),
        sa.Column("number", sa.Integer()),
        sa.Column("identity", sa.String(40), unique=True),
        sa.Column("breakdown", sa.String(80)),
        sa.Column("action_id", sa.String(100)),
        sa.Column("payment_id", sa.String(120)),
        sa.Column("reference", sa.Text()),
        sa.Column("amount", sa.BigInteger()),
        sa.Column("holding", sa.String(8)),
        sa.Column("held", sa.BigInteger()),
        sa.Column("payout_id", sa.String(40)),
        sa.Column("ledger_key", sa.String(120)),
        sa.Column("ours", sa.BigInteger()),
        sa.Column("our_currency", sa.String(8)),
        sa.Column("extra", sa.Text()),
        sa.Column("found_at", UtcTime(), nullable=False),
        sa.Column("owner", sa.String(255)),
        sa.Column("resolution", sa.String(20)),
        sa.Column("note", sa.Text()),
    )
    op.create_index("statement_line_by_standing", "statement_line", ["month", "standing", "currency", "id"])
    only = sa.text("standing <> 'duplicate'")
    op.create_index(
        "statement_line_of_row",
        "statement_line",
        ["ledger_key"],
        unique=True,
        sqlite_where=only,
        postgresql_where=only,
    )
    op.create_index("statement_line_of_payout", "statement_line", ["payout_id", "holding", "held"])
    op.create_index("statement_line_of_payment", "statement_line", ["payment_id", "id"])
    op.create_table(
        "statement_sum",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("standing", sa.String(20), primary_key=True),
        sa.Column("currency", sa.String(8), primary_key=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("theirs", sa.Text(), nullable=False),
        sa.Column("ours", sa.Text(), nullable=False),
    )
    op.create_table(
        "statement_step",
        _number(),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("by", sa.String(255), nullable=False),
        sa.Column("standing", sa.String(20), nullable=False),
        sa.Column("owner", sa.String(255)),
        sa.Column("resolution", sa.String(20)),
        sa.Column("note", sa.Text()),
    )
    op.create_index("statement_step_of_line", "statement_step", ["line_id", "id"])
    op.create_table(
        "payout",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("holding", sa.String(8), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.String(10), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("extra", sa.Text()),
    )
    op.create_index("payout_newest", "payout", ["paid_on", "id"])
    op.create_table(
        "fee_quarter",
        sa.Column("bucket", UtcTime(), primary_key=True),
        sa.Column("currency", sa.String(8), primary_key=True),
        sa.Column("holding", sa.String(8), primary_key=True),
        sa.Column("units", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "compared",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
    )


def _periods() -> None:
    figures = ("opening", "gross", "refunded", "fees", "closing", "captured_count", "refunded_count", "rows")
    op.create_table(
        "period",
        _number(),
        sa.Column("currency", sa.String(8), nullable=False),
        sa.Column("month", sa.String(7), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.Column("until", UtcTime(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in figures),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", UtcTime(), nullable=False),
        sa.Column("closed_by", sa.String(255), nullable=False),
        sa.Column("reopen_reason", sa.Text()),
        sa.Column("reopen_asked_by", sa.String(255)),
        sa.Column("reopen_asked_at", UtcTime()),
        sa.Column("reopened_by", sa.String(255)),
        sa.Column("reopened_at", UtcTime()),
        sa.CheckConstraint("opening + gross - refunded - fees = closing", name="period_adds_up"),
        sa.CheckConstraint(
            "(reopened_by IS NULL) = (reopened_at IS NULL) AND (reopened_by IS NULL OR (reopen_asked_by IS NOT NULL "
            "AND reopen_reason IS NOT NULL AND reopened_by <> reopen_asked_by))",
            name="period_reopened_by_another",
        ),
    )
    only = sa.text("reopened_at IS NULL")
    op.create_index(
        "period_closed", "period", ["currency", "month"], unique=True, sqlite_where=only, postgresql_where=only
    )
    op.create_table(
        "period_sheet",
        sa.Column("period_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("part", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("first_at", UtcTime(), nullable=False),
        sa.Column("last_at", UtcTime(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
    )
    op.create_table(
        "period_quarter",
        sa.Column("period_id", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("bucket", UtcTime(), primary_key=True),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("captured", "captured_count", "refunded", "refunded_count")
        ),
    )
    _keep("period", f"UPDATE OF {FROZEN}", "DELETE")
    _keep("period_sheet", "UPDATE", "DELETE")
    _keep("period_quarter", "UPDATE", "DELETE")
    _keep("statement_step", "DELETE")


def _keep(table: str, *changes: str) -> None:
    """Have the database refuse these changes of a table's rows."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE OR REPLACE FUNCTION {table}_stays() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}'; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {table}_stays BEFORE {' OR '.join(changes)} ON {table} "
            f"FOR EACH ROW EXECUTE FUNCTION {table}_stays()"
        )
        return
    for number, change in enumerate(changes):
        op.execute(
            f"CREATE TRIGGER {table}_stays_{number} BEFORE {change} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
