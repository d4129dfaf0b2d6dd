"""Views of the payments list: those that are ready, by what a person may do, and the ones people save for themselves.

A view is the query part of the list's address, so that it can be sent to a colleague as it is.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from sqlalchemy import Index, Text, func, select
from sqlmodel import Field

from lib.ledger import audit
from lib.ledger.database import Database
from lib.ledger.rows import as_rows
from lib.ledger.tables import Table, UtcTime
from lib.operators import Operator, Right

MOST = 50
"""Views that one person can keep."""
_NAME_LENGTH = 60
_ADDRESS_LENGTH = 2000


class SavedView(Table, table=True):
    """A view that somebody keeps under a name of their own."""

    __tablename__ = "saved_view"

    id: str = Field(primary_key=True, max_length=40)
    owner: str = Field(max_length=255)
    """The person's `Operator.name`."""
    name: str = Field(max_length=60)
    address: str = Field(sa_type=Text)
    saved_at: datetime = Field(sa_type=UtcTime)

    __table_args__ = (Index("saved_view_of_owner", "owner", "name", unique=True),)


VIEW = Table.metadata.tables["saved_view"]


class ViewProblem(ValueError):
    """A view that cannot be saved; the message is a sentence for the person who tried."""


@dataclass(frozen=True, slots=True)
class ReadyView:
    """A view that everybody with the right finds ready. `search` is what stands in the search box."""

    name: str
    search: str
    right: Right

    @property
    def address(self) -> str:
        """The query part of its address."""
        return urlencode({"q": self.search})


READY = (
    ReadyView("Refund declined, not retried", "refund:unretried", "refund"),
    ReadyView("Pending over an hour", "status:pending age:>1h", "reread"),
    ReadyView("Refunds awaiting approval", "refund:awaiting", "approve"),
    ReadyView("Needs attention", "attention:yes", "read"),
    ReadyView("Captured today", "captured:today", "read"),
)


def ready_views(operator: Operator) -> list[ReadyView]:
    """The ready views about what this person may do."""
    return [view for view in READY if operator.may(view.right)]


def views_of(database: Database, operator: Operator) -> list[SavedView]:
    """The person's own views, by name."""
    audit.permit(database, operator, "read")
    with database.read() as connection:
        mine = select(VIEW).where(VIEW.c.owner == operator.name).order_by(VIEW.c.name)
        return as_rows(SavedView, connection.execute(mine).mappings().all())


def save_view(database: Database, operator: Operator, name: str, address: Mapping[str, str | list[str]]) -> SavedView:
    """Keep what `address` shows (the query parameters of the list) as `name`, in place of an own view of that name.

    Raises `ViewProblem` for no name, one that is too long, an address that shows everything or is too long, and one
    view too many.
    """
    audit.permit(database, operator, "read")
    called = " ".join(name.split())
    kept = {key: value for key, value in address.items() if value and key != "cursor"}
    view = SavedView(
        id=f"view_{secrets.token_hex(13)}",
        owner=operator.name,
        name=called,
        address=urlencode(sorted(kept.items()), doseq=True),
        saved_at=datetime.now(UTC),
    )
    if not called or len(called) > _NAME_LENGTH:
        raise ViewProblem(f"Give the view a name of at most {_NAME_LENGTH} characters.")
    if not kept:
        raise ViewProblem("This shows all payments. Search or filter first, then save what you see.")
    if len(view.address) > _ADDRESS_LENGTH:
        raise ViewProblem("This search is too long to be saved. Look for less at once.")
    with database.write() as connection:
        mine = VIEW.c.owner == operator.name
        held = connection.execute(select(VIEW.c.id).where(mine, VIEW.c.name == called)).scalar()
        if held:
            view.id = held
            connection.execute(VIEW.delete().where(VIEW.c.id == held))
        elif connection.execute(select(func.count()).where(mine)).scalar_one() >= MOST:
            raise ViewProblem(f"You have {MOST} views, which is the most. Delete one that you no longer need.")
        connection.execute(VIEW.insert().values(view.model_dump()))
        audit.note(connection, operator, "view.saved", view.id, after={"replaced": bool(held), "by": sorted(kept)})
    return view


def delete_view(database: Database, operator: Operator, view_id: str) -> bool:
    """Delete an own view; False where there is none, or it is somebody else's."""
    audit.permit(database, operator, "read", view_id)
    with database.write() as connection:
        mine = VIEW.c.id == view_id, VIEW.c.owner == operator.name
        gone = connection.execute(VIEW.delete().where(*mine)).rowcount > 0
        if gone:
            audit.note(connection, operator, "view.deleted", view_id)
    return gone
