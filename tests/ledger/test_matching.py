"""Whatever a report and the ledger hold: every line and every row ends in exactly one class, and the sums add up."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lib.ledger.statements.matching import LedgerRow, assign
from lib.ledger.statements.tables import STANDINGS
from lib.ledger.statements.units import units_of
from lib.money import Money

MOMENTS = [datetime(2026, month, 28, tzinfo=UTC) for month in (1, 2)]


def month_of(moment: datetime) -> str:
    return f"{moment:%Y-%m}"


ROWS = st.lists(
    st.builds(
        lambda kind, action, currency, amount, at: LedgerRow(
            f"{kind}:{action}", kind, "pay_1", None, action if kind == "refund" else None, currency, amount, at
        ),
        st.sampled_from(("capture", "refund", "untold")),
        st.sampled_from(("a", "b", "c")),
        st.sampled_from(("HKD", "SGD")),
        st.integers(1, 3),
        st.sampled_from(MOMENTS),
    ),
    max_size=6,
    unique_by=lambda row: row.key,
)
LINES = st.lists(
    st.builds(
        lambda kind, action, currency, amount, at: {
            "kind": kind,
            "action_id": action,
            "currency": currency,
            "amount": units_of(Money(amount, currency)),
            "at": at,
            "month": month_of(at),
            "standing": "",
        },
        st.sampled_from(("capture", "refund")),
        st.sampled_from(("a", "b", "c", "d", None)),
        st.sampled_from(("HKD", "SGD")),
        st.integers(1, 3),
        st.sampled_from(MOMENTS),
    ),
    max_size=8,
)


@given(LINES, ROWS)
def test_every_line_and_every_row_is_in_exactly_one_class(lines: list[dict[str, Any]], rows: list[LedgerRow]) -> None:
    said = Counter((line["currency"], line["amount"]) for line in lines)

    alone = assign(lines, rows, month_of)

    assert {line["standing"] for line in lines} <= set(STANDINGS) - {"missing_there", "fee_only"}
    owners = Counter(line["ledger_key"] for line in lines if line["standing"] not in ("duplicate", "missing_here"))
    assert set(owners.values()) <= {1}
    assert owners.keys() | {row.key for row in alone} == {row.key for row in rows}
    assert not owners.keys() & {row.key for row in alone}
    assert Counter((line["currency"], line["amount"]) for line in lines) == said
    by_key = {row.key: row for row in rows}
    for line in lines:
        row = by_key.get(line["ledger_key"])
        same = row and (line["currency"], line["amount"]) == (row.currency, units_of(Money(row.amount, row.currency)))
        if line["standing"] in ("matched", "other_period"):
            assert same
            assert (line["month"] == month_of(row.at)) == (line["standing"] == "matched")
        elif line["standing"] in ("amount_differs", "currency_differs"):
            assert not same
    ours = sum(line["ours"] for line in lines if line["ours"] is not None)
    assert ours + sum(row.amount for row in alone) == sum(row.amount for row in rows)


@given(LINES, ROWS)
def test_whoever_is_judged_again_stays_where_they_are(lines: list[dict[str, Any]], rows: list[LedgerRow]) -> None:
    assign(lines, rows, month_of)
    before = [dict(line) for line in lines]

    assign(lines, rows, month_of)

    assert lines == before
