"""`/financial-actions` and `/balances`: what each action did to the merchant's money, and what the account holds.

The first speaks signed decimals in major units, the second whole minor units, as the API does.
"""

from __future__ import annotations

import base64
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lib import catalog
from lib.simulator import finance
from lib.simulator.api import Gate
from lib.simulator.clock import stamp
from lib.simulator.engine import Engine
from lib.simulator.http import Json
from lib.simulator.options import Options
from lib.simulator.pages import moment, page
from lib.simulator.problem import NOT_FOUND, Refusal, invalid
from lib.simulator.store import Action, Payment, Payout


class Statements:
    """The finance side of the API that is not a file."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def routes(self, gate: Gate) -> list[Route]:
        return [
            Route("/financial-actions", gate(self.actions), methods=["GET"]),
            Route("/balances/{entity_id}", gate(self.balances), methods=["GET"]),
        ]

    async def actions(self, request: Request) -> Response:
        """By `payment_id`, `action_id` or `reference`, one of which must be given; newest first."""
        options = self._engine.options
        asked = page(request, f"{options.base()}/financial-actions")
        filters = {"payment_id": Payment.id, "action_id": Action.id, "reference": Payment.reference}
        where: list[Any] = [column == asked.asked[name] for name, column in filters.items() if asked.asked.get(name)]
        if not where:
            raise invalid("parameter_invalid")
        if asked.before is not None:
            where.append(Action.seq < asked.before)

        def query(db: Session) -> list[tuple[int, dict[str, Any]]]:
            found = (
                select(Action, Payment)
                .join(Payment, Payment.id == Action.payment_id)
                .where(Action.holding_currency.is_not(None), *where)
                .order_by(Action.seq.desc())
                .limit(asked.limit + 1)
            )
            return [(action.seq, _item(action, payment, options)) for action, payment in db.execute(found)]

        return Json(asked.body(await self._engine.read(query)))

    async def balances(self, request: Request) -> Response:
        """By entity; `query=currency:HKD`, `withCurrencyAccountId=true`, `balancesAt`. 404 for another entity."""
        options, asked = self._engine.options, request.query_params
        if request.path_params["entity_id"] != options.entity_id:
            raise Refusal(NOT_FOUND)
        offered = catalog.offers()[self._engine.account.currencies].currencies
        currencies = list(dict.fromkeys(finance.holding(currency, options)[0] for currency in offered))
        if asked.get("query"):
            name, _, currency = asked["query"].partition(":")
            if name.strip() != "currency" or not currency.strip():
                raise invalid("parameter_invalid")
            currencies = [each for each in currencies if each == currency.strip().upper()]
        now = self._engine.clock.now()
        at = moment(request, "balancesAt")
        if at is not None and at > now:
            raise invalid("parameter_invalid")
        with_account = asked.get("withCurrencyAccountId", "").lower() == "true"
        held = await self._engine.read(lambda db: {each: _held(db, each, at or now) for each in currencies})
        data = []
        for currency in currencies:
            row: dict[str, Any] = {"currency_account_id": currency_account(currency, options)} if with_account else {}
            row |= {"descriptor": f"{options.entity_name} {currency}", "holding_currency": currency}
            if at is not None:
                row["balances_as_of"] = stamp(at)
            data.append({**row, "balances": held[currency]})
        return Json({"data": data})


def currency_account(currency: str, options: Options) -> str:
    """The id of the account that holds a currency: `ca_` and 26 characters, the same for ever."""
    digest = blake2b(f"{options.entity_id} {currency}".encode(), digest_size=20).digest()
    return "ca_" + base64.b32encode(digest).decode().lower()[:26]


def _item(action: Action, payment: Payment, options: Options) -> dict[str, Any]:
    held, rate = finance.holding(payment.currency, options)
    held = action.holding_currency or held
    return {
        "payment_id": payment.id,
        "action_id": action.id,
        "action_type": action.type,
        "entity_id": options.entity_id,
        "currency_account_id": currency_account(held, options),
        "payment_method": "KAKAOPAY",
        "processing_channel_id": payment.details["processing_channel_id"],
        "reference": payment.reference,
        "response_code": action.response_code,
        "response_description": action.response_summary,
        "processed_on": stamp(action.processed_on or action.requested_on),
        "requested_on": stamp(action.requested_on),
        "breakdown": [
            {
                "breakdown_type": line.kind,
                "fx_rate_applied": rate,
                "holding_currency": held,
                "holding_currency_amount": finance.major(line.holding, held),
                "processing_currency": payment.currency,
                "processing_currency_amount": line.processing,
                "transaction_currency": payment.currency,
                "transaction_currency_amount": line.processing,
                "processing_to_transaction_currency_fx_rate": 1,
                "transaction_to_holding_currency_fx_rate": rate,
            }
            for line in finance.lines(action)
        ],
    }


def _held(db: Session, currency: str, at: datetime) -> dict[str, int]:
    """What the account held at a time: money not yet cut into a payout, and payouts on their way to the bank."""
    uncut = (
        select(func.coalesce(func.sum(Action.holding_net), 0))
        .outerjoin(Payout, Payout.id == Action.payout_id)
        .where(
            Action.holding_currency == currency,
            Action.processed_on <= at,
            or_(Action.payout_id.is_(None), Payout.period_end > at),
        )
    )
    leaving = select(func.coalesce(func.sum(Payout.amount), 0)).where(
        Payout.currency == currency, Payout.period_end <= at, Payout.pays_at > at
    )
    available, payable = (int(db.scalar(each) or 0) for each in (uncut, leaving))
    return {"pending": 0, "available": available, "payable": payable, "collateral": 0, "operational": 0}
