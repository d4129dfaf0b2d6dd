"""Which ledger row a report's line is about, and how the two compare. No database in the comparing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from lib.ledger.record import PAYMENT, REFUND
from lib.ledger.search import WORD
from lib.ledger.state import capture_actions
from lib.ledger.statements.tables import STANDINGS, Standing
from lib.ledger.statements.units import units_of
from lib.money import Money

Line = dict[str, Any]
"""A row of `statement_line`, or one to be; `id` is missing in what is not stored yet."""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """Money of the ledger, as `Movement`. `action_id` is None where we do not know which action it was."""

    key: str
    kind: str
    payment_id: str
    reference: str | None
    action_id: str | None
    currency: str
    amount: int
    at: datetime


def ledger_rows(connection: Connection, payment_ids: Iterable[str]) -> dict[str, list[LedgerRow]]:
    """The rows of money of each of these payments, captures first."""
    ids = list(payment_ids)
    rows: dict[str, list[LedgerRow]] = defaultdict(list)
    columns = ("id", "reference", "currency", "captured", "captured_at", "untold", "untold_at", "folded")
    for row in connection.execute(select(*(PAYMENT.c[name] for name in columns)).where(PAYMENT.c.id.in_(ids))):
        about = row.id, row.reference
        if row.captured_at and row.currency:
            actions = capture_actions(row.folded)
            action = actions[0] if len(actions) == 1 else None
            key = f"capture:{row.id}"
            rows[row.id].append(LedgerRow(key, "capture", *about, action, row.currency, row.captured, row.captured_at))
        if row.untold_at and row.currency:
            key = f"untold:{row.id}"
            rows[row.id].append(LedgerRow(key, "untold", *about, None, row.currency, -row.untold, row.untold_at))
    refunds = (
        select(REFUND, PAYMENT.c.reference)
        .join(PAYMENT, (PAYMENT.c.id == REFUND.c.payment_id) & (PAYMENT.c.currency == REFUND.c.currency))
        .where(REFUND.c.payment_id.in_(ids), REFUND.c.status == "refunded")
        .order_by(REFUND.c.decided_at, REFUND.c.key)
    )
    for row in connection.execute(refunds):
        rows[row.payment_id].append(
            LedgerRow(
                f"refund:{row.action_id}",
                "refund",
                row.payment_id,
                row.reference,
                row.action_id,
                row.currency,
                -row.amount,
                row.decided_at,
            )
        )
    return rows


def resolve_payments(connection: Connection, lines: Sequence[Line]) -> set[str]:
    """Find the payment of each line whose own payment id we do not know: by its action, else by its reference.

    The ids of all payments that we know among the lines.
    """
    named = {line["payment_id"] for line in lines if line["payment_id"]}
    known = set(connection.execute(select(PAYMENT.c.id).where(PAYMENT.c.id.in_(named))).scalars())
    lost = [line for line in lines if line["payment_id"] not in known]
    if not lost:
        return known
    actions = {line["action_id"] for line in lost if line["action_id"]}
    asked = select(REFUND.c.action_id, REFUND.c.payment_id).where(REFUND.c.action_id.in_(actions))
    by_action = {row.action_id: row.payment_id for row in connection.execute(asked)}
    for line in lost:
        found = by_action.get(line["action_id"]) or _by_reference(connection, line["reference"])
        if found:
            line["payment_id"] = found
            known.add(found)
    return known


def _by_reference(connection: Connection, reference: str | None) -> str | None:
    """The payment with this reference, if it is the only one."""
    if not reference:
        return None
    seqs = select(WORD.c.seq).where(WORD.c.word == func.lower(reference))
    fits = PAYMENT.c.seq.in_(seqs) | (PAYMENT.c.searched == 0)
    found = list(
        connection.execute(select(PAYMENT.c.id).where(fits, PAYMENT.c.reference == reference).limit(2)).scalars()
    )
    return found[0] if len(found) == 1 else None


def assign(lines: Sequence[Line], rows: Sequence[LedgerRow], month_of: Callable[[datetime], str]) -> list[LedgerRow]:
    """Put every line of one payment into its class, in place; the ledger rows that no line speaks of are returned.

    A line that agrees with its row in everything has it before one that does not, and of equals the earlier. Two
    lines never share a row: the rest are duplicates of the one that has it.
    """
    candidates = [(line, _candidates(line, rows)) for line in lines]
    owned: dict[str, Line] = {}
    for wanted in (("matched", "other_period"), STANDINGS):
        for line, fitting in candidates:
            if line.get("own"):
                continue
            for row in fitting:
                verdict = compare(line, row, month_of)
                if row.key not in owned and verdict in wanted:
                    owned[row.key] = line
                    line |= {"own": True, "standing": verdict, **_ours(row)}
                    break
    homeless: set[tuple[Any, ...]] = set()
    for line, fitting in candidates:
        if line.pop("own", False):
            continue
        if fitting:
            line |= {"standing": "duplicate", **_ours(fitting[0], owned=False)}
            continue
        said = tuple(line[name] for name in ("kind", "action_id", "currency", "amount", "at"))
        line |= {"standing": "duplicate" if said in homeless else "missing_here", **_ours(None)}
        homeless.add(said)
    return [row for row in rows if row.key not in owned]


def compare(line: Mapping[str, Any], row: LedgerRow, month_of: Callable[[datetime], str]) -> Standing:
    """How a line stands to the ledger row it is about."""
    if line["currency"] != row.currency:
        return "currency_differs"
    if line["amount"] != units_of(Money(row.amount, row.currency)):
        return "amount_differs"
    return "matched" if line["month"] == month_of(row.at) else "other_period"


def _candidates(line: Mapping[str, Any], rows: Sequence[LedgerRow]) -> list[LedgerRow]:
    """The rows a line may be about: the one of its action; else, where one side knows no action, those of its payment."""
    kinds = ("capture",) if line["kind"] == "capture" else ("refund", "untold")
    fitting = [row for row in rows if row.kind in kinds]
    action = line["action_id"]
    same = [row for row in fitting if action and row.action_id == action]
    return same or [row for row in fitting if (not action or not row.action_id) and _may_be(line, row)]


def _may_be(line: Mapping[str, Any], row: LedgerRow) -> bool:
    """What only Checkout.com's totals tell of may be several refunds: a line is about it only when the amount says so."""
    return row.kind != "untold" or line["amount"] == units_of(Money(row.amount, row.currency))


def _ours(row: LedgerRow | None, *, owned: bool = True) -> dict[str, Any]:
    """What a line says of its ledger row. A duplicate names the row, but its amount counts with the line that has it."""
    return {
        "ledger_key": row.key if row else None,
        "ours": row.amount if row and owned else None,
        "our_currency": row.currency if row and owned else None,
    }
