"""Fetching the reports that Checkout.com has made, through its Reports API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import select

from lib.checkout.client import CheckoutClient
from lib.ledger import audit
from lib.ledger.calendar import SettlementDays
from lib.ledger.database import Database
from lib.ledger.statements.cells import BadReport
from lib.ledger.statements.importing import Imported, import_report
from lib.ledger.statements.tables import REPORT_FILE
from lib.ledger.tables import time_text
from lib.operators import Operator

TYPES = frozenset({"FinancialActions", "FinancialActionsByPayoutId", "Payouts"})
_IN_MEMORY = 8 * 1024 * 1024
_MOST_PAGES = 100


@dataclass
class Fetched:
    """What one fetching brought: files imported, and of those that were no good the name and why."""

    imported: list[Imported] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)


def fetch_reports(
    operator: Operator,
    database: Database,
    checkout: CheckoutClient,
    days: SettlementDays,
    *,
    since: datetime,
    progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> Fetched:
    """Import every report made since then that was not fetched before, the oldest first.

    `progress` is told how many are done, of how many; an exception from it ends the fetching. A file that is no good
    keeps none of the others away. Raises `NotAllowed`, `CheckoutError` and `StoreUnavailable`; what was imported by
    then stays.
    """
    audit.permit(database, operator, "reconcile", "reports")
    with database.read() as connection:
        known = set(connection.execute(select(REPORT_FILE.c.report_id)).scalars())
    waiting = [each for each in _listed(checkout, since) if each.get("id") not in known and each.get("type") in TYPES]
    found = Fetched()
    for number, report in enumerate(reversed(waiting)):
        progress(number, len(waiting))
        for file in report.get("files") or ():
            with SpooledTemporaryFile(_IN_MEMORY) as spool:
                content = cast(IO[bytes], spool)
                checkout.download_report(str(report["id"]), str(file.get("id")), content)
                name = str(file.get("filename") or report["id"])
                try:
                    found.imported.append(
                        import_report(operator, database, days, name, content, report_id=str(report["id"]))
                    )
                except BadReport as problem:
                    found.refused.append((name, str(problem)))
    return found


def _listed(checkout: CheckoutClient, since: datetime) -> Iterator[dict[str, Any]]:
    """The reports made since then, newest first."""
    token = None
    for _ in range(_MOST_PAGES):
        page = checkout.list_reports(created_after=time_text(since), token=token).body
        yield from (each for each in page.get("data") or () if isinstance(each, dict))
        links = page.get("_links") or {}
        following = urlsplit(str((links.get("next") or {}).get("href", "")))
        token = next(iter(parse_qs(following.query).get("pagination_token", [])), None)
        if not token:
            return
