"""Rows of money as files: CSV, Excel and a double-entry journal. Their totals are the integers that the screen shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from lib import catalog, csvfile
from lib.ledger import audit
from lib.ledger.calendar import SettlementDays
from lib.ledger.database import Database
from lib.ledger.excel import workbook
from lib.ledger.journal import fee_entries, journal
from lib.ledger.movements import Movement, digest, every
from lib.ledger.statements.fees import fees_by_day
from lib.ledger.sums import Sums, added_up, sums
from lib.ledger.tables import time_text
from lib.money import Money
from lib.operators import Operator

Form = Literal["csv", "xlsx", "journal"]

COLUMNS = (
    "Kind",
    "Settlement day",
    "Time",
    "Time (UTC)",
    "Currency",
    "Amount",
    "Payment",
    "Action",
    "Reference",
    "Status of payment",
)
_JOURNAL = ("Settlement day", "Entry", "Account", "Currency", "Debit", "Credit", "Payment", "Reference")
_WORDS = {"capture": "Captured", "refund": "Refunded", "untold": "Refunded, by totals only"}


class DoesNotTie(RuntimeError):
    """The rows do not add up to the figure on the screen. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows: those of `currencies` from `since` to before `until`. Times are written in `zone`."""

    currencies: tuple[str, ...]
    since: datetime
    until: datetime
    zone: ZoneInfo
    days: SettlementDays

    @property
    def words(self) -> str:
        """The filter as a person would say it."""
        ends = " to before ".join(
            f"{edge.astimezone(self.zone):%Y-%m-%d %H:%M %Z}" for edge in (self.since, self.until)
        )
        return f"{', '.join(self.currencies)}; {ends}"


@dataclass(frozen=True, slots=True)
class Export:
    """The chosen rows, earliest first by currency, with their sums and the SHA-256 of their canonical lines."""

    selection: Selection
    rows: Mapping[str, Sequence[Movement]]
    sums: Mapping[str, Sums]
    sha256: str
    fees: Mapping[tuple[date, str], Mapping[str, Money]] | None = None
    """As `fees_by_day`; None where the selection is no whole settlement days, to which alone fees can be assigned."""
    world: str = ""
    """Which money it is, in words."""

    @property
    def count(self) -> int:
        return sum(len(rows) for rows in self.rows.values())

    @property
    def preamble(self) -> list[tuple[str, str]]:
        """What a reader must know before the rows: filter, zones, number of rows, totals, hash."""
        return [
            ("World", self.world),
            ("Filter", self.selection.words),
            ("Time zone", self.selection.zone.key),
            ("Settlement days", str(self.selection.days)),
            ("Rows", str(self.count)),
            *(
                (f"{currency} {word}", decimal(money))
                for currency, total in self.sums.items()
                for word, money in (("captured", total.captured), ("refunded", -total.refunded), ("net", total.net))
            ),
            ("SHA-256 of rows", self.sha256),
            ("Hashed", "a line a row: time (UTC)|kind:id|currency|amount in minor units; sorted; UTF-8; LF"),
        ]


def gather(database: Database, selection: Selection) -> Export:
    """Read the rows, and prove that they add up to the figures on the screen. Raises `DoesNotTie`."""
    rows: dict[str, list[Movement]] = {}
    found: dict[str, Sums] = {}
    span = selection.since, selection.until
    with database.read() as connection:
        for currency in selection.currencies:
            rows[currency] = list(every(connection, currency, *span, selection.days))
            found[currency] = added_up(currency, rows[currency])
            if found[currency] != sums(connection, currency, *span):
                raise DoesNotTie(
                    f"The rows in {currency} do not add up to the figure on the screen, so there is no file. "
                    "Run `python -m lib.ledger.rebuild`, then try again."
                )
    return Export(
        selection, rows, found, digest(row for some in rows.values() for row in some), _fees(database, selection)
    )


def _fees(database: Database, selection: Selection) -> Mapping[tuple[date, str], Mapping[str, Money]] | None:
    days = selection.days
    first, last = days.day_of(selection.since), days.day_of(selection.until - timedelta(microseconds=1))
    if days.span(first, last) != (selection.since, selection.until):
        return None
    told = fees_by_day(database, first, last, days)
    return {place: fees for place, fees in told.items() if place[1] in selection.currencies}


def download(operator: Operator, database: Database, selection: Selection, form: Form, *, world: str) -> bytes:
    """The file of a selection, in the words of its `world`. That it was taken is in the audit log before anybody has it.

    Raises `NotAllowed`, `DoesNotTie`.
    """
    audit.permit(database, operator, "download")
    export = replace(gather(database, selection), world=world)
    content = _FORMS[form](export)
    taken = {"form": form, "currencies": ",".join(selection.currencies), "rows": export.count, "sha256": export.sha256}
    with database.write() as connection:
        span = f"{time_text(selection.since)}/{time_text(selection.until)}"
        audit.note(connection, operator, "rows.downloaded", span, after=taken)
    return content


def as_csv(export: Export) -> bytes:
    """Every row, under the totals."""
    return csvfile.render(export.preamble, COLUMNS, _lines(export))


def as_journal(export: Export) -> bytes:
    """Two postings a row, and two for each day's fees. Debits less credits are zero in each currency."""
    entries = [posting for rows in export.rows.values() for posting in journal(rows)]
    postings = [posting for posting in (*entries, *fee_entries(export.fees or {})) if posting.money]
    control = []
    for currency in sorted({posting.money.currency for posting in postings} | export.rows.keys()):
        amounts = [posting.money.minor for posting in postings if posting.money.currency == currency]
        debit, credit = sum(a for a in amounts if a > 0), sum(a for a in amounts if a < 0)
        control.append((f"{currency} debit", decimal(Money(debit, currency))))
        control.append((f"{currency} credit", decimal(Money(-credit, currency))))
        control.append((f"{currency} debit less credit", decimal(Money(debit + credit, currency))))
    fees = "left out: these are not whole settlement days" if export.fees is None else "as far as reports are imported"
    lines = (
        (
            posting.day.isoformat(),
            posting.entry,
            posting.account,
            posting.money.currency,
            *(decimal(money) if money.minor > 0 else "" for money in (posting.money, -posting.money)),
            posting.payment_id,
            posting.reference,
        )
        for posting in postings
    )
    return csvfile.render([*export.preamble, ("Fees", fees), *control], _JOURNAL, lines)


def as_excel(export: Export) -> bytes:
    """A sheet of totals, then a sheet a currency."""
    sheets = {currency: [_cells(export, row) for row in rows] for currency, rows in export.rows.items()}
    return workbook(export.preamble, COLUMNS, sheets, export.sums)


_FORMS: Mapping[Form, Callable[[Export], bytes]] = {"csv": as_csv, "xlsx": as_excel, "journal": as_journal}


def decimal(money: Money) -> str:
    """The exact amount in major units, as machines read it: `-1100.00`."""
    return f"{money.major:.{catalog.digits(money.currency)}f}"


def _lines(export: Export) -> Iterator[list[str]]:
    for rows in export.rows.values():
        for row in rows:
            yield [
                decimal(cell)
                if isinstance(cell, Money)
                else f"{cell:%Y-%m-%d %H:%M:%S}"
                if isinstance(cell, datetime)
                else str(cell)
                for cell in _cells(export, row)
            ]


def _cells(export: Export, row: Movement) -> list[object]:
    return [
        _WORDS[row.kind],
        row.day,
        row.at.astimezone(export.selection.zone),
        row.at,
        row.currency,
        row.money,
        row.payment_id,
        row.action_id or "",
        row.reference or "",
        row.status,
    ]
