"""`/workflows/events`: looking up what was sent, and having it sent again, so that a client can catch up on what it missed."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lib.simulator.api import Gate
from lib.simulator.bodies import read_object
from lib.simulator.clock import stamp
from lib.simulator.delivery import Courier
from lib.simulator.engine import Engine
from lib.simulator.http import Json
from lib.simulator.problem import NOT_FOUND, Refusal, invalid
from lib.simulator.store import Attempt, Event

EVENT_TYPES: Final = (
    "payment_pending",
    "payment_capture_pending",
    "payment_captured",
    "payment_declined",
    "payment_expired",
    "payment_canceled",
    "payment_refund_pending",
    "payment_refunded",
    "payment_refund_declined",
)
_WORKFLOW: Final = "wf_" + "simulator".ljust(26, "a")
_WORKFLOW_ACTION: Final = "wfa_" + "simulator".ljust(26, "a")


class Workflows:
    """The event part of the Workflows API. There is one workflow, with one webhook action, and it is not edited here."""

    def __init__(self, engine: Engine, courier: Courier) -> None:
        self._engine = engine
        self._courier = courier

    def routes(self, gate: Gate) -> list[Route]:
        events = "/workflows/events"
        return [
            Route("/workflows/event-types", gate(self.types), methods=["GET"]),
            Route(f"{events}/subject/{{subject_id}}", gate(self.subject), methods=["GET"]),
            Route(f"{events}/subject/{{subject_id}}/reflow", gate(self.reflow_subject), methods=["POST"]),
            Route(f"{events}/reflow", gate(self.reflow_many), methods=["POST"]),
            Route(f"{events}/{{event_id}}/reflow", gate(self.reflow), methods=["POST"]),
            Route(f"{events}/{{event_id}}", gate(self.event), methods=["GET"]),
        ]

    async def types(self, _request: Request) -> Response:
        events = [{"id": name, "display_name": name.replace("_", " ").capitalize()} for name in EVENT_TYPES]
        return Json([{"id": "gateway", "display_name": "Gateway", "events": events}])

    async def event(self, request: Request) -> Response:
        """The event as it was sent, and how each try to deliver it went."""

        def query(db: Session) -> dict[str, Any]:
            event = db.scalar(select(Event).where(Event.id == request.path_params["event_id"]))
            if event is None:
                raise Refusal(NOT_FOUND)
            tries = db.scalars(select(Attempt).where(Attempt.event_seq == event.seq).order_by(Attempt.seq))
            body: dict[str, Any] = msgspec.json.decode(event.body)
            return {**body, "action_invocations": [_invocation(event, attempt) for attempt in tries]}

        return Json(await self._engine.read(query))

    async def subject(self, request: Request) -> Response:
        """The events of a payment, newest first. 404 if there are none."""
        base = self._engine.options.base()

        def query(db: Session) -> list[Event]:
            of = Event.payment_id == request.path_params["subject_id"]
            return list(db.scalars(select(Event).where(of).order_by(Event.seq.desc())))

        events = await self._engine.read(query)
        if not events:
            raise Refusal(NOT_FOUND)
        return Json({"data": [_summary(event, base) for event in events]})

    async def reflow(self, request: Request) -> Response:
        return await self._again(Event.id == request.path_params["event_id"])

    async def reflow_subject(self, request: Request) -> Response:
        return await self._again(Event.payment_id == request.path_params["subject_id"])

    async def reflow_many(self, request: Request) -> Response:
        """`{events: [...]}` or `{subjects: [...]}`."""
        body = read_object(await request.body())
        for name, column in (("events", Event.id), ("subjects", Event.payment_id)):
            wanted = body.get(name)
            if isinstance(wanted, list) and 0 < len(wanted) <= 100 and all(isinstance(each, str) for each in wanted):
                return await self._again(column.in_(wanted))
        raise invalid("parameter_invalid")

    async def _again(self, where: Any) -> Response:
        ids = await self._engine.read(lambda db: list(db.scalars(select(Event.id).where(where).order_by(Event.seq))))
        if not ids:
            raise Refusal(NOT_FOUND)
        await self._courier.resend(ids)
        return Response(status_code=202)


def _summary(event: Event, base: str) -> dict[str, Any]:
    href = f"{base}/workflows/events/{event.id}"
    return {
        "id": event.id,
        "type": event.type,
        "timestamp": stamp(event.occurred_at),
        "_links": {"self": {"href": href}, "reflow": {"href": f"{href}/reflow"}},
    }


def _invocation(event: Event, attempt: Attempt) -> dict[str, Any]:
    accepted = attempt.outcome == "acknowledged"
    return {
        "workflow_id": _WORKFLOW,
        "workflow_action_id": _WORKFLOW_ACTION,
        "status": "successful" if accepted else "pending" if event.next_at else "failed",
        "timestamp": stamp(attempt.at),
        "response_status": attempt.status,
        "outcome": attempt.outcome,
    }
