"""`/reports`: what finance downloads. One row of the Financial Actions files is one line of an action's breakdown.

Times in the files are local to the entity's zone, with the UTC time beside them. Only the Holding Currency Amount column
may be added up; for a payout it adds up to what was paid.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lib.simulator import finance
from lib.simulator.api import Gate
from lib.simulator.clock import stamp
from lib.simulator.engine import Engine
from lib.simulator.http import Json
from lib.simulator.options import Options
from lib.simulator.pages import moment, page
from lib.simulator.problem import NOT_FOUND, Refusal
from lib.simulator.statements import currency_account
from lib.simulator.store import Action, Payment, Payout, Report

FINANCIAL_ACTIONS: Final = (
    "Entity ID",
    "Processing Channel ID",
    "Action Type",
    "Action ID",
    "Payment ID",
    "Reference",
    "Requested On",
    "Requested On UTC",
    "Processed On",
    "Processed On UTC",
    "Timezone",
    "Payment Method",
    "Response Code",
    "Response Description",
    "Breakdown Type",
    "Processing Currency",
    "Processing Currency Amount",
    "Transaction Currency",
    "Transaction Currency Amount",
    "Holding Currency",
    "Holding Currency Amount",
    "FX Rate Applied",
    "Payout ID",
    "Currency Account ID",
)
PAYOUTS: Final = (
    "Client Entity ID",
    "Client Entity Name",
    "Sub Entity ID",
    "Sub Entity Name",
    "Currency Account ID",
    "Currency Account Name",
    "Holding Currency",
    "Payout ID",
    "Payout Date",
    "Reporting Start Date",
    "Reporting End Date",
    "Payout Amount",
    "Merchant Payout Fees",
    "Payments",
    "Refunds",
    "Chargebacks",
    "Pay To Cards",
    "Premium Fixed Fee",
    "Premium Variable Fee",
    "Gateway Fixed Fee",
    "Refund Fixed Fee",
)
_FEES: Final = PAYOUTS[-4:]
_DESCRIPTIONS: Final = {
    "FinancialActions": "Financial actions of a settlement day.",
    "FinancialActionsByPayoutId": "Financial actions of a payout.",
    "Payouts": "Payouts of a settlement day.",
}


class Reports:
    """The reports of one simulator."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def routes(self, gate: Gate) -> list[Route]:
        one = "/reports/{report_id}"
        return [
            Route("/reports", gate(self.list), methods=["GET"]),
            Route(one, gate(self.details), methods=["GET"]),
            Route(one + "/files/{file_id}", gate(self.file), methods=["GET"]),
        ]

    async def list(self, request: Request) -> Response:
        """Newest first; `created_after`, `created_before`, `entity_id`."""
        options = self._engine.options
        asked = page(request, f"{options.base()}/reports")
        after, before = moment(request, "created_after"), moment(request, "created_before")
        where: list[Any] = []
        if after is not None:
            where.append(Report.created_on >= after)
        if before is not None:
            where.append(Report.created_on < before)
        if asked.before is not None:
            where.append(Report.seq < asked.before)
        if asked.asked.get("entity_id", options.entity_id) != options.entity_id:
            where.append(Report.seq < 0)

        def query(db: Session) -> list[tuple[int, dict[str, Any]]]:
            found = db.scalars(select(Report).where(*where).order_by(Report.seq.desc()).limit(asked.limit + 1))
            return [(report.seq, _shape(report, options)) for report in found]

        return Json(asked.body(await self._engine.read(query)))

    async def details(self, request: Request) -> Response:
        report = await self._engine.read(lambda db: _find(db, request.path_params["report_id"]))
        return Json(_shape(report, self._engine.options))

    async def file(self, request: Request) -> Response:
        options = self._engine.options

        def query(db: Session) -> tuple[str, str]:
            report = _find(db, request.path_params["report_id"])
            if report.file_id != request.path_params["file_id"]:
                raise Refusal(NOT_FOUND)
            rows = _payouts(db, report, options) if report.type == "Payouts" else _actions(db, report, options)
            return report.filename, _csv(PAYOUTS if report.type == "Payouts" else FINANCIAL_ACTIONS, rows)

        name, content = await self._engine.read(query)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type="text/csv", headers=headers)


def _find(db: Session, identifier: str) -> Report:
    report = db.scalar(select(Report).where(Report.id == identifier))
    if report is None:
        raise Refusal(NOT_FOUND)
    return report


def _shape(report: Report, options: Options) -> dict[str, Any]:
    href = f"{options.base()}/reports/{report.id}"
    file = {
        "id": report.file_id,
        "filename": report.filename,
        "format": "CSV",
        "_links": {"self": {"href": f"{href}/files/{report.file_id}"}},
    }
    return {
        "id": report.id,
        "created_on": stamp(report.created_on),
        "last_modified_on": stamp(report.created_on),
        "type": report.type,
        "description": _DESCRIPTIONS[report.type],
        "account": {"client_id": "cli_" + options.entity_id.removeprefix("ent_"), "entity_id": options.entity_id},
        "tags": [f"payout_id:{report.payout_id}"] if report.payout_id else [],
        "from": stamp(report.period_start),
        "to": stamp(report.period_end),
        "files": [file],
        "_links": {"self": {"href": href}},
    }


def _actions(db: Session, report: Report, options: Options) -> Iterator[tuple[Any, ...]]:
    zone = ZoneInfo(options.zone)
    found = (
        select(Action, Payment)
        .join(Payment, Payment.id == Action.payment_id)
        .where(Action.holding_currency.is_not(None))
        .order_by(Action.processed_on, Action.seq)
    )
    if report.payout_id:
        found = found.where(Action.payout_id == report.payout_id)
    else:
        found = found.where(Action.processed_on >= report.period_start, Action.processed_on < report.period_end)
    for action, payment in db.execute(found):
        held = action.holding_currency or ""
        rate = finance.holding(payment.currency, options)[1]
        processed = action.processed_on or action.requested_on
        for line in finance.lines(action):
            yield (
                options.entity_id,
                payment.details["processing_channel_id"],
                action.type,
                action.id,
                payment.id,
                payment.reference,
                _local(action.requested_on, zone),
                _local(action.requested_on, ZoneInfo("UTC")),
                _local(processed, zone),
                _local(processed, ZoneInfo("UTC")),
                options.zone,
                "KAKAOPAY",
                action.response_code,
                action.response_summary,
                line.kind,
                payment.currency,
                f"{line.processing:f}",
                payment.currency,
                f"{line.processing:f}",
                held,
                f"{finance.major(line.holding, held):f}",
                f"{rate:f}",
                action.payout_id or "",
                currency_account(held, options),
            )


def _payouts(db: Session, report: Report, options: Options) -> Iterator[tuple[Any, ...]]:
    zone = ZoneInfo(options.zone)
    for payout in db.scalars(select(Payout).where(Payout.period_end == report.period_end).order_by(Payout.seq)):
        sums = dict.fromkeys(("Capture", "Refund", *_FEES), 0)
        for action in db.scalars(select(Action).where(Action.payout_id == payout.id)):
            for line in finance.lines(action):
                sums[line.kind] += line.holding
        major = {kind: f"{finance.major(total, payout.currency):f}" for kind, total in sums.items()}
        nothing = f"{finance.major(0, payout.currency):f}"
        yield (
            options.entity_id,
            options.entity_name,
            "",
            "",
            currency_account(payout.currency, options),
            f"{options.entity_name} {payout.currency}",
            payout.currency,
            payout.id,
            f"{payout.pays_at.astimezone(zone):%Y-%m-%d}",
            _local(payout.period_start, zone),
            _local(payout.period_end, zone),
            f"{finance.major(payout.amount, payout.currency):f}",
            nothing,
            major["Capture"],
            major["Refund"],
            nothing,
            nothing,
            *(major[fee] for fee in _FEES),
        )


def _local(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M:%S.%f}"


def _csv(header: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()
