"""What a life leaves behind in a ledger: its facts, and the deliveries that brought them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from lib import catalog
from lib.checkout.answer import Answer
from lib.demo.lives import Life, Refund, letters
from lib.ledger import facts
from lib.ledger.facts import Fact

_API = "https://sample.example"
_MOMENT = timedelta(milliseconds=300)
APPROVED = "10000"
REFUSED = "20006"
_SUMMARIES = {
    APPROVED: "Approved",
    REFUSED: "Error / Invalid Request Parameters",
    "20005": "Declined - Do Not Honour",
    "20051": "Insufficient Funds",
    "20120": "Invalid Customer/User",
}


class Arrival(NamedTuple):
    """One delivery of a webhook; `again` when it had come before."""

    at: datetime
    fact: Fact
    again: bool = False


def facts_of(life: Life) -> list[Fact]:
    """All that is known of a life: what was asked for here, what webhooks said, and whose it is."""
    return [*_asked(life), *webhooks(life), *_read(life), *_refunds_asked(life)]


def arrivals(life: Life, told: list[Fact], until: datetime) -> Iterator[Arrival]:
    """The deliveries of the webhooks among `told`."""
    events = [fact for fact in told if fact.source == "webhook"]
    for number, fact in enumerate(events):
        yield Arrival(fact.recorded_at, fact)
        again = fact.recorded_at + timedelta(seconds=2)
        if life.repeated and number == life.index % len(events) and again < until:
            yield Arrival(again, fact, again=True)


def webhooks(life: Life) -> Iterator[Fact]:
    """What webhooks said, in the order of their times."""
    metadata = {"metadata": life.details["metadata"]}
    yield _event(life, 0, "payment_pending", life.born_at, life.amount, metadata)
    ended = life.ended_at
    if ended is None:
        return
    late = timedelta(seconds=life.late)
    if life.fate == "captured":
        yield _event(life, 1, "payment_capture_pending", ended - timedelta(milliseconds=200), life.amount, metadata)
        settled = {**_decided(APPROVED), "balances": _balances(life, 0), **processing(life, 0), **metadata}
        yield _event(life, 2, "payment_captured", ended, life.amount, settled, late=late)
    elif life.fate == "declined":
        source = {"type": "kakaopay"} | ({"id": life.source_id} if life.source_id else {})
        said = {
            **_decided(life.code or ""),
            "payment_type": "Recurring" if life.source_id else "Regular",
            "customer": life.customer._asdict(),
            "source": source,
            **metadata,
        }
        yield _event(life, 1, "payment_declined", ended, life.amount, said, late=late)
    else:
        yield _event(life, 1, f"payment_{life.fate}", ended, life.amount, {}, late=late)
    refunded = 0
    for refund in life.refunds:
        yield from _refund_events(life, refund, refunded)
        refunded += 0 if refund.declined else refund.amount


def _refund_events(life: Life, refund: Refund, before: int) -> Iterator[Fact]:
    number = refund.number + 1
    mine = {"reference": f"RF-{_refund_key(life, refund)}"[:50]} if refund.by else {}
    yield _event(life, 1 + 2 * number, "payment_refund_pending", refund.asked_at, refund.amount, {}, action=number)
    after = before if refund.declined else before + refund.amount
    said = {
        **mine,
        **_decided(REFUSED if refund.declined else APPROVED),
        "balances": _balances(life, after),
        **processing(life, number),
        "metadata": {"refund_key": _refund_key(life, refund)} if refund.by else life.details["metadata"],
    }
    kind = "payment_refund_declined" if refund.declined else "payment_refunded"
    yield _event(life, 2 + 2 * number, kind, refund.decided_at, refund.amount, said, action=number)


def _event(
    life: Life,
    number: int,
    kind: str,
    at: datetime,
    amount: int,
    said: dict[str, Any],
    *,
    action: int = 0,
    late: timedelta = timedelta(),
) -> Fact:
    identity = f"evt_sample{life.key}{letters(f'event {number} {life.key}', 7)}"
    moment = stamp(at)
    data: dict[str, Any] = {"id": life.payment_id}
    if kind != "payment_pending":
        data["action_id"] = life.action_id(action)
    if kind != "payment_refund_pending":
        data["reference"] = life.reference
    data |= {"amount": amount, "currency": life.currency, "processed_on": moment, **said}
    href = f"{_API}/payments/{life.payment_id}"
    body = {
        "id": identity,
        "type": kind,
        "version": "1.0.29",
        "created_on": moment,
        "source": "gateway",
        "data": data,
        "_links": {
            "self": {"href": f"{_API}/workflows/events/{identity}"},
            "payment": {"href": href},
            "payment_actions": {"href": f"{href}/actions"},
        },
    }
    return Fact(
        id=identity,
        type=kind,
        source="webhook",
        occurred_at=at,
        recorded_at=at + _MOMENT + late,
        body=body,
        text=msgspec.json.encode(body).decode(),
        payment_id=life.payment_id,
        action_id=data.get("action_id"),
    )


def _asked(life: Life) -> Iterator[Fact]:
    """A person asked for it at the dashboard."""
    if life.by is None:
        return
    key = f"sample-{life.key}"
    request: dict[str, Any] = {
        "amount": life.amount,
        "currency": life.currency,
        "reference": life.reference,
        "payment_type": "Recurring" if life.source_id else "Regular",
        "capture": True,
        "source": {"type": "kakaopay"} | ({"id": life.source_id} if life.charge else {}),
        **life.details,
        "customer": {"email": life.customer.email, "name": life.customer.name},
    }
    response: dict[str, Any] = {
        "id": life.payment_id,
        "status": "Pending",
        "reference": life.reference,
        "customer": life.customer._asdict(),
    }
    if life.source_id:
        response["source"] = {"id": life.source_id, "type": "kakaopay"}
    response["_links"] = {"self": {"href": f"{_API}/payments/{life.payment_id}"}, **_redirect(life)}
    asked = life.born_at - timedelta(milliseconds=200)
    yield facts.payment_requested(key, life.payment_id, life.by, request, asked)
    answered = life.born_at + timedelta(milliseconds=150)
    answer = Answer(202, letters(f"request {life.key}", 20), response, "POST", "/payments", request, 350, 1, answered)
    yield facts.payment_accepted(key, life.payment_id, answer)


def _read(life: Life) -> Iterator[Fact]:
    """What reading a payment says that the shop's own server asked for: whose it is."""
    if life.by is not None:
        return
    body = {
        "id": life.payment_id,
        "requested_on": stamp(life.born_at),
        "source": {"type": "kakaopay"} | ({"id": life.source_id} if life.source_id else {}),
        "amount": life.amount,
        "currency": life.currency,
        "payment_type": "Recurring" if life.source_id else "Regular",
        "reference": life.reference,
        "status": "Pending",
        "approved": False,
        **({"expires_on": stamp(life.expires_at)} if life.link_code else {}),
        "balances": _balances(life, 0) | {"total_captured": 0, "total_authorized": 0, "available_to_refund": 0},
        "customer": life.customer._asdict(),
        **life.details,
        "_links": {"self": {"href": f"{_API}/payments/{life.payment_id}"}, **_redirect(life)},
    }
    path = f"/payments/{life.payment_id}"
    at = life.born_at + timedelta(seconds=1)
    yield facts.payment_read(
        life.payment_id, Answer(200, letters(f"read {life.key}", 20), body, "GET", path, None, 40, 1, at)
    )


def _refunds_asked(life: Life) -> Iterator[Fact]:
    """Refunds that a person asked for at the dashboard, with reasons, and Checkout.com's answers."""
    for refund in life.refunds:
        if refund.by is None:
            continue
        key, label = _refund_key(life, refund), catalog.kakaopay().refund_reasons[refund.reason]
        yield facts.refund_requested(
            key,
            life.payment_id,
            amount=refund.amount,
            currency=life.currency,
            reason=refund.reason,
            note="",
            by=refund.by,
            at=refund.asked_at - timedelta(milliseconds=300),
            terms={"reason_label": label},
        )
        action = life.action_id(refund.number + 1)
        sent = {"amount": refund.amount, "reference": f"RF-{key}"[:50], "metadata": {"refund_key": key}}
        href = f"{_API}/payments/{life.payment_id}"
        answer = Answer(
            202,
            letters(f"refund {key}", 20),
            {"action_id": action, "reference": sent["reference"], "_links": {"payment": {"href": href}}},
            "POST",
            f"/payments/{life.payment_id}/refunds",
            sent,
            300,
            1,
            refund.asked_at,
        )
        yield facts.refund_accepted(key, life.payment_id, action, answer)


def _refund_key(life: Life, refund: Refund) -> str:
    return f"sample-{life.key}-{refund.number}"


def _redirect(life: Life) -> dict[str, Any]:
    return {"redirect": {"href": f"{_API}/wallet/{life.link_code}"}} if life.link_code else {}


def _decided(code: str) -> dict[str, str]:
    return {"response_code": code, "response_summary": _SUMMARIES[code]}


def _balances(life: Life, refunded: int) -> dict[str, int]:
    return {
        "total_authorized": life.amount,
        "total_voided": 0,
        "available_to_void": 0,
        "total_captured": life.amount,
        "available_to_capture": 0,
        "total_refunded": refunded,
        "available_to_refund": life.amount - refunded,
    }


def processing(life: Life, number: int) -> dict[str, Any]:
    """The acquirer's numbers of the capture (0) or of a refund (from 1)."""
    return {
        "processing": {
            "acquirer_transaction_id": f"{9_000_000_000 + life.index}{number:02}",
            "acquirer_reference_number": f"{900_000_000_000 + life.index * 8 + number}",
        }
    }


def stamp(moment: datetime) -> str:
    """A time as Checkout.com writes it."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "0Z"
