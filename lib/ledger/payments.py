"""Asking Checkout.com for a payment, so that a crash or a second click neither loses nor repeats it."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update

from lib.checkout import models
from lib.checkout.answer import Answer
from lib.checkout.errors import CheckoutError
from lib.ledger import facts
from lib.ledger.audit import note, permit
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.drafts import PaymentDraft
from lib.ledger.queries import find_payment
from lib.ledger.record import insert_once, store
from lib.ledger.tables import Creation, Table
from lib.money import Money
from lib.operators import Operator

KEY_LIFE = timedelta(seconds=100)
"""How long an idempotency key is surely remembered: Checkout.com's sandbox forgot after 120 s, the live system after 24 h."""

CREATION = Table.metadata.tables["creation"]
_CREATION = select(CREATION).where(CREATION.c.key == bindparam("key"))


class CannotCharge(ValueError):
    """A payment that cannot be charged again; the message says why."""


def new_key() -> str:
    """An idempotency key: one for each form that is opened, so that one form can only ever cause one thing."""
    return str(uuid.uuid4())


def request_payment(desk: Desk, operator: Operator, draft: PaymentDraft, *, key: str) -> Creation:
    """Ask for the payment that `draft` describes, under the idempotency key `key`.

    Calling again with the same key returns the same creation and asks for nothing new. The creation is `accepted`
    with its `payment_id`, `refused` with a sentence in `problem`, or `sending` when the outcome is not known yet: then
    the same key is sent again until it is. Raises `BadDraft` and `NotAllowed` before anything is written.
    """
    permit(desk.database, operator, "create", key)
    return _request(desk, operator, draft.body(desk.settings), key, "payment.requested")


def charge_again(
    desk: Desk,
    operator: Operator,
    payment_id: str,
    amount: Money,
    reference: str,
    *,
    key: str,
) -> Creation:
    """Charge the stored source of a recurring payment, without the customer (KakaoPay page, "Subsequent request").

    As `request_payment`. Raises `CannotCharge` when the payment has no stored source or never succeeded, and
    `BadDraft` for an amount or a reference that cannot be sent.
    """
    permit(desk.database, operator, "create", payment_id)
    payment = find_payment(desk.database, payment_id)
    if payment is None or not payment.source_id:
        raise CannotCharge("This payment has no stored source. Only a first recurring payment leaves one.")
    if not payment.captured:
        raise CannotCharge("The customer has not approved recurring payments yet: the first one was not captured.")
    draft = PaymentDraft(
        amount=f"{amount.major}",
        currency=amount.currency,
        reference=reference,
        payment_type="Recurring",
        customer_email=payment.customer_email or "",
        customer_name=payment.customer_name or "",
        success_url=desk.public_url,
        failure_url=desk.public_url,
    )
    body = draft.body(desk.settings)
    body["source"] = {"type": "id", "id": payment.source_id}
    for name in ("processing", "success_url", "failure_url", "capture"):
        del body[name]
    return _request(desk, operator, body, key, "payment.charged_again")


def find_creation(database: Database, key: str) -> Creation | None:
    """The creation asked for under `key`."""
    with database.read() as connection:
        row = connection.execute(_CREATION, {"key": key}).mappings().one_or_none()
    return Creation(**row) if row else None


def resume_creations(desk: Desk, *, older_than: datetime) -> int:
    """Send again, under their own keys, the requests whose outcome is unknown since before `older_than`. How many were."""
    wanted = select(CREATION.c.key).where(CREATION.c.status == "sending", CREATION.c.requested_at < older_than)
    with desk.database.read() as connection:
        keys = list(connection.execute(wanted.order_by(CREATION.c.requested_at).limit(100)).scalars())
    for key in keys:
        creation = find_creation(desk.database, key)
        if creation and creation.status == "sending" and not _found(desk, creation):
            _send(desk, creation)
    return len(keys)


def _request(desk: Desk, operator: Operator, body: dict[str, Any], key: str, action: str) -> Creation:
    row = {
        "key": key,
        "status": "sending",
        "requested_by": operator.name,
        "requested_at": datetime.now(UTC),
        "body": json.dumps(body, ensure_ascii=False),
    }
    with desk.database.write() as connection:
        first = insert_once(connection, CREATION, "key", row)
        if first:
            asked = {name: body[name] for name in ("amount", "currency", "payment_type")}
            note(connection, operator, action, key, None, asked)
    creation = find_creation(desk.database, key)
    assert creation is not None
    return _send(desk, creation) if first else creation


def _send(desk: Desk, creation: Creation) -> Creation:
    """Send a creation under its key and record what came back. A twin that runs beside it gets the same answer."""
    try:
        answer = desk.checkout.create_payment(json.loads(creation.body), idempotency_key=creation.key)
        accepted = models.read(models.PaymentAccepted, answer)
    except CheckoutError as error:
        refused = error.acted == "no"
        _settle(
            desk,
            creation,
            "refused" if refused else "sending",
            error.answer,
            problem=error.sentence,
        )
    else:
        _settle(desk, creation, "accepted", answer, payment_id=accepted.id)
    return find_creation(desk.database, creation.key) or creation


def _found(desk: Desk, creation: Creation) -> bool:
    """Whether a request that Checkout.com may have forgotten the key of was carried out after all.

    Sent again under a forgotten key it would become a second payment, so it is looked for by its reference first.
    """
    if datetime.now(UTC) - creation.requested_at < KEY_LIFE:
        return False
    request = json.loads(creation.body)
    try:
        answer = desk.checkout.find_by_reference(request["reference"])
        for found in models.read_list(models.PaymentDetails, answer):
            same = (found.amount, found.currency) == (
                request["amount"],
                request["currency"],
            )
            if same and not find_payment(desk.database, found.id):
                details = desk.checkout.get_payment(found.id)
                _settle(desk, creation, "accepted", details, payment_id=found.id)
                return True
    except CheckoutError:
        return False
    return False


def _settle(
    desk: Desk,
    creation: Creation,
    status: str,
    answer: Answer | None,
    *,
    payment_id: str | None = None,
    problem: str | None = None,
) -> None:
    exchange = None
    if answer:
        exchange = {
            "status": answer.status,
            "request_id": answer.request_id,
            "elapsed_ms": answer.elapsed_ms,
            "body": answer.body,
        }
    with desk.database.write() as connection:
        connection.execute(
            update(CREATION)
            .where(CREATION.c.key == creation.key, CREATION.c.status == "sending")
            .values(
                status=status,
                payment_id=payment_id,
                problem=problem,
                answer=json.dumps(exchange, ensure_ascii=False) if exchange else None,
            )
        )
        if payment_id and answer:
            by, at = creation.requested_by, creation.requested_at
            asked = facts.payment_requested(creation.key, payment_id, by, json.loads(creation.body), at)
            read = answer.method == "GET"
            said = (
                facts.payment_read(payment_id, answer)
                if read
                else facts.payment_accepted(creation.key, payment_id, answer)
            )
            store(connection, [asked, said])
