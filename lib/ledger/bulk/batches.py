"""What a person does with a bulk file: upload, look again, confirm, stop, resume, and take the result home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, select, update

from lib.chunks import chunks
from lib.ledger import audit
from lib.ledger.batch import Batch
from lib.ledger.bulk import file
from lib.ledger.bulk.check import CHUNK, DryRun, Verdict
from lib.ledger.bulk.file import Given
from lib.ledger.bulk.tables import BULK, LINE, Bulk
from lib.ledger.bulk.views import Tally, find_bulk, tallies_in, would_move
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.record import insert_once
from lib.operators import Operator

_NAME_LENGTH = 200
_AT_REST = ("checked", "stopped", "done")


class CannotRun(ValueError):
    """The file cannot be started, stopped or resumed now; nothing was changed. The message is a sentence for the person."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """`new` is False when the same content was uploaded before: then `bulk` is that first upload, as it stands now."""

    bulk: Bulk
    new: bool
    ignored: tuple[str, ...]
    """Titles of columns in the file that mean nothing here."""


def upload(desk: Desk, operator: Operator, file_name: str, raw: bytes) -> Uploaded:
    """Read a file, keep it, and judge every row; no money moves. Content that is here already is not judged again.

    Raises `BadFile` with a sentence, `NotAllowed` and `StoreUnavailable`. An upload that breaks off is taken up by
    uploading the file once more.
    """
    audit.permit(desk.database, operator, "refund")
    sheet = file.read(raw)
    now = datetime.now(UTC)
    row = {
        "id": sheet.digest,
        "file_name": file_name.strip()[:_NAME_LENGTH] or "file without a name",
        "lines": sheet.count,
        "uploaded_by": operator.name,
        "uploaded_at": now,
        "state": "reading",
    }
    with desk.database.write() as connection:
        if insert_once(connection, BULK, "id", row):
            audit.note(connection, operator, "bulk.uploaded", sheet.digest, after={"lines": sheet.count})
    run = DryRun(desk, operator, sheet.digest)
    judged = all(_keep(desk.database, run, sheet.digest, rows) for rows in chunks(sheet.rows(), CHUNK))
    if judged:
        ready = update(BULK).where(BULK.c.id == sheet.digest, BULK.c.state == "reading")
        with desk.database.write() as connection:
            connection.execute(ready.values(state="checked", checked_at=datetime.now(UTC)))
    bulk = find_bulk(desk.database, sheet.digest)
    assert bulk, "it was written above"
    return Uploaded(bulk, judged, sheet.ignored)


def check_again(desk: Desk, operator: Operator, bulk_id: str) -> None:
    """Judge anew every row that was not sent, by what the ledger says now. Raises `CannotRun` while the file is running."""
    audit.permit(desk.database, operator, "refund", bulk_id)
    run = DryRun(desk, operator, bulk_id)
    after: int | None = -1
    while after is not None:
        with desk.database.write() as connection:
            if _lock(connection, bulk_id).state not in _AT_REST:
                raise CannotRun("The file is being worked on. Stop it first.")
            # What was confirmed may not be what can be sent now, so that it has to be confirmed anew.
            _set(connection, bulk_id, state="checked", checked_at=datetime.now(UTC))
            after = _rejudge(connection, run, bulk_id, after)
    with desk.database.write() as connection:
        bulk = _lock(connection, bulk_id)
        left = tallies_in(connection, bulk_id)
        if bulk.confirmed_at and bulk.state == "checked" and not would_move(left):
            # What a crash left half sent is for the workers to finish, once somebody resumes the file.
            half_sent = any(tally.status == "sending" for tally in left)
            _set(connection, bulk_id, state="stopped" if half_sent else "done")


def start(desk: Desk, operator: Operator, bulk_id: str, *, confirmed: Sequence[Tally]) -> None:
    """Let the workers send what is ready. `confirmed` is what the person was shown and said yes to (`would_move`).

    Raises `CannotRun` when that is no longer what would move, or the file is at work already.
    """
    audit.permit(desk.database, operator, "refund", bulk_id)
    with desk.database.write() as connection:
        bulk = _lock(connection, bulk_id)
        if bulk.state not in _AT_REST:
            raise CannotRun("The file is being worked on already.")
        tallies = would_move(tallies_in(connection, bulk_id))
        if not tallies:
            raise CannotRun("No row of this file can be sent.")
        if tallies != list(confirmed):
            raise CannotRun("What would move has changed since you saw it. Look at the new figures and confirm again.")
        _run(connection, operator, bulk_id, "bulk.started", tallies)


def stop(desk: Desk, operator: Operator, bulk_id: str) -> None:
    """Send no more rows; the few that are being sent at this moment are finished. Raises `CannotRun`."""
    audit.permit(desk.database, operator, "refund", bulk_id)
    with desk.database.write() as connection:
        if _lock(connection, bulk_id).state != "running":
            raise CannotRun("The file is not running, so there is nothing to stop.")
        _set(connection, bulk_id, state="stopped", problem=None)
        audit.note(connection, operator, "bulk.stopped", bulk_id)


def resume(desk: Desk, operator: Operator, bulk_id: str) -> None:
    """Go on with a stopped file where it stopped, in the name of who resumes it. Raises `CannotRun`."""
    audit.permit(desk.database, operator, "refund", bulk_id)
    with desk.database.write() as connection:
        if _lock(connection, bulk_id).state != "stopped":
            raise CannotRun("The file is not stopped, so there is nothing to resume.")
        tallies = would_move(tallies_in(connection, bulk_id))
        _run(connection, operator, bulk_id, "bulk.resumed", tallies)


def _lock(connection: Connection, bulk_id: str) -> Row[Any]:
    """The file's row, which nobody else changes until the transaction ends."""
    row = connection.execute(select(BULK).where(BULK.c.id == bulk_id).with_for_update()).one_or_none()
    if row is None:
        raise CannotRun("There is no such file here. Upload it.")
    return row


def _keep(database: Database, run: DryRun, bulk_id: str, rows: Sequence[Given]) -> bool:
    """Judge some rows and store them. False when another upload of the same file has finished meanwhile."""
    with database.write() as connection:
        if _lock(connection, bulk_id).state != "reading":
            return False
        _store(connection, bulk_id, list(zip(rows, run.judge(connection, rows), strict=True)))
    return True


def _rejudge(connection: Connection, run: DryRun, bulk_id: str, after: int) -> int | None:
    """Judge the rows after one anew and store what was found. The last row looked at, None after the last of all."""
    some = select(LINE).where(LINE.c.bulk_id == bulk_id, LINE.c.line > after).order_by(LINE.c.line).limit(CHUNK)
    lines = connection.execute(some.with_for_update()).all()
    for sent, group in groupby(lines, lambda line: line.status in ("sending", "sent")):
        if sent:
            for line in group:
                run.count_sent(line)
        else:
            rows = [_given(line) for line in group]
            _store(connection, bulk_id, list(zip(rows, run.judge(connection, rows), strict=True)))
    return lines[-1].line if len(lines) == CHUNK else None


def _given(line: Row[Any]) -> Given:
    return Given(
        line.line,
        line.reference,
        line.given_payment,
        line.given_amount,
        line.given_currency,
        line.given_reason,
        line.note,
        line.said if line.status == "bad_row" else None,
    )


def _store(connection: Connection, bulk_id: str, judged: Sequence[tuple[Given, Verdict]]) -> None:
    rows = [
        {
            "bulk_id": bulk_id,
            "line": given.line,
            "refund_key": f"bulk-{bulk_id}-{given.line}",
            "reference": given.reference,
            "given_payment": given.payment_id,
            "given_amount": given.amount,
            "given_currency": given.currency,
            "given_reason": given.reason,
            "note": given.note,
            "payment_id": verdict.payment_id,
            "amount": verdict.amount,
            "currency": verdict.currency,
            "reason": verdict.reason,
            "occurrence": verdict.occurrence,
            "status": verdict.status,
            "said": verdict.said,
        }
        for given, verdict in judged
    ]
    Batch(connection).upsert(LINE, ("bulk_id", "line"), rows)


def _run(connection: Connection, operator: Operator, bulk_id: str, action: str, tallies: Sequence[Tally]) -> None:
    _set(
        connection,
        bulk_id,
        state="running",
        confirmed_by=operator.name,
        confirmed_roles=",".join(sorted(operator.roles)),
        confirmed_origin=operator.origin,
        confirmed_at=datetime.now(UTC),
        ended_at=None,
        problem=None,
    )
    amounts = {f"{tally.status} {amount.currency}": amount.minor for tally in tallies for amount in tally.money}
    rows = sum(tally.count for tally in tallies)
    audit.note(connection, operator, action, bulk_id, after={"lines": rows, "amounts": amounts})


def _set(connection: Connection, bulk_id: str, **values: Any) -> None:
    connection.execute(update(BULK).where(BULK.c.id == bulk_id).values(**values))
