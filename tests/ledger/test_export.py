"""Files of rows: the same integers in CSV, Excel, journal and on screen, for any history, in any zone."""

from __future__ import annotations

import csv
import hashlib
import io
import zipfile
from collections import defaultdict
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from lib import catalog
from lib.ledger import export, volumes
from lib.ledger.audit import check
from lib.ledger.calendar import SettlementDays
from lib.ledger.database import Database
from lib.ledger.excel import exact
from lib.ledger.export import DoesNotTie, Selection, as_csv, as_excel, as_journal, download, gather
from lib.ledger.facts import Fact
from lib.ledger.movements import canonical
from lib.ledger.periods import edges, whole_days
from lib.ledger.record import record
from lib.ledger.settlement import settlement, settlement_totals
from lib.ledger.sums import added_up
from lib.ledger.volumes import adopt_zone, by_slot
from lib.money import Money
from lib.operators import NotAllowed, Operator
from tests.support import databases
from tests.support.events import at, balances, captured, refunded, webhook

ANA = Operator("Ana")
HONG_KONG = ZoneInfo("Asia/Hong_Kong")
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def chosen(*currencies: str, zone: str = "Asia/Hong_Kong", days: int = 2) -> Selection:
    return Selection(
        currencies, at(-86400), at(days * 86400), ZoneInfo(zone), SettlementDays(ZoneInfo("Europe/London"), 18)
    )


def read_csv(content: bytes) -> tuple[dict[str, str], list[dict[str, str]]]:
    """What stands above the rows, and the rows by the names in the header."""
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    gap = lines.index([])
    return dict(line for line in lines[:gap]), [
        dict(zip(lines[gap + 1], line, strict=True)) for line in lines[gap + 2 :]
    ]


def read_sheet(content: bytes, number: int) -> dict[str, tuple[str, str]]:
    """Cells of a sheet as they stand in the file: place to kind and text; kinds are `n`, `s` and `f` for a formula."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        strings = ["".join(item.itertext()) for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))]
        sheet = ElementTree.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))
    found = {}
    for cell in sheet.iter(f"{SHEET}c"):
        value = cell.findtext(f"{SHEET}v") or ""
        kind = "f" if cell.find(f"{SHEET}f") is not None else cell.get("t", "n")
        found[cell.get("r", "")] = (kind, strings[int(value)] if kind == "s" else value)
    return found


def minor(text: str, currency: str) -> int:
    return int(Decimal(text).scaleb(catalog.digits(currency)))


def test_a_csv_says_what_it_holds_and_can_be_checked_by_anybody(database: Database) -> None:
    record(database, [captured(1, 0, 110000, reference="=1+1"), refunded(1, 60, 5), captured(2, 30, 45000, "KRW")])
    about, rows = read_csv(as_csv(gather(database, chosen("HKD", "KRW"))))
    assert about["Filter"].startswith("HKD, KRW; 2026-03-01 12:00 HKT to before 2026-03-04 12:00 HKT")
    assert (about["Time zone"], about["Settlement days"], about["Rows"]) == (
        "Asia/Hong_Kong",
        "to 18:00, Europe/London",
        "3",
    )
    assert (about["HKD captured"], about["HKD refunded"], about["HKD net"]) == ("1100.00", "-0.05", "1099.95")
    assert about["KRW net"] == "45000"
    assert [row["Amount"] for row in rows] == ["1100.00", "-0.05", "45000"]
    assert (rows[0]["Time"], rows[0]["Time (UTC)"]) == ("2026-03-02 12:00:00", "2026-03-02 04:00:00")
    assert rows[0]["Reference"] == "'=1+1"
    lines = ["2026-03-02T04:00:00.000000Z|capture:pay_1|HKD|110000"]
    lines += ["2026-03-02T04:00:30.000000Z|capture:pay_2|KRW|45000", "2026-03-02T04:01:00.000000Z|refund:act_r1|HKD|-5"]
    assert about["SHA-256 of rows"] == hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def test_an_excel_file_has_typed_cells_and_runs_nothing(database: Database) -> None:
    record(database, [captured(1, 0, 110000, reference="=1+1"), refunded(1, 60, 5), captured(2, 30, 45000, "KRW")])
    content = as_excel(gather(database, chosen("HKD", "KRW")))
    hkd, krw = read_sheet(content, 2), read_sheet(content, 3)
    assert [hkd[f"F{row}"] for row in (1, 2, 3, 4)] == [
        ("n", "1100.00"),
        ("n", "-0.05"),
        ("n", "1099.95"),
        ("n", "2"),
    ]
    assert hkd["F5"] == ("f", "1099.95")
    assert (hkd["A7"], hkd["F7"]) == (("s", "Kind"), ("s", "Amount"))
    assert (hkd["F8"], hkd["F9"]) == (("n", "1100.00"), ("n", "-0.05"))
    assert hkd["I8"] == ("s", "=1+1")
    assert hkd["B8"] == ("n", "46083"), "a day is a number with a format"
    assert krw["F8"] == ("n", "45000")
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert b'state="frozen"' in book.read("xl/worksheets/sheet2.xml")
        assert [b'name="HKD"' in book.read("xl/workbook.xml"), b'name="KRW"' in book.read("xl/workbook.xml")] == [
            True,
            True,
        ]


def test_an_amount_that_a_cell_cannot_hold_is_text() -> None:
    assert exact(Money(999_999_999_999_999, "HKD")) == Decimal("9999999999999.99")
    assert exact(Money(-1_000_000_000_000_000, "HKD")) is None


def test_a_file_is_for_those_who_may_and_is_in_the_audit_log(database: Database) -> None:
    record(database, [captured(1, 0, 1000)])
    with pytest.raises(NotAllowed):
        download(Operator("Vic", frozenset({"viewer"})), database, chosen("HKD"), "csv", world="Simulator")
    assert check(database).entries == 1, "the attempt"
    assert download(ANA, database, chosen("HKD"), "csv", world="Simulator") == as_csv(
        replace(gather(database, chosen("HKD")), world="Simulator")
    )
    with database.read() as connection:
        action, after = connection.execute(text("SELECT action, after FROM audit WHERE seq = 2")).one()
    assert action == "rows.downloaded"
    assert gather(database, chosen("HKD")).sha256 in after


def test_rows_that_do_not_add_up_make_no_file(database: Database) -> None:
    record(database, [captured(1, 0, 1000)])
    with database.write() as connection:
        connection.execute(text("UPDATE volume SET captured = captured + 1"))
    with pytest.raises(DoesNotTie, match="rebuild"):
        gather(database, chosen("HKD"))


ZONES = ["Asia/Hong_Kong", "Europe/London", "Australia/Adelaide", "Asia/Kathmandu", "Pacific/Chatham"]
CHANGE = int((date(2026, 3, 29) - date(2026, 3, 2)).days * 86400)  # London's clocks went forward
BACK = int((date(2026, 4, 5) - date(2026, 3, 2)).days * 86400)  # Adelaide's and Chatham's went back
moments = st.sampled_from([0, CHANGE, BACK]).flatmap(
    lambda base: st.integers(-16, 30).map(lambda quarters: base + quarters * 3600 + 0.000001)
) | st.integers(0, 40 * 86400)


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    told: list[Fact] = []
    for number in range(draw(st.integers(1, 12))):
        currency = draw(st.sampled_from(["HKD", "KRW"]))
        amount = draw(st.integers(1, 10**9))
        told.append(captured(number, draw(moments), amount, currency))
        if draw(st.booleans()):
            told.append(refunded(number, draw(moments), draw(st.integers(0, amount)), currency))
        if draw(st.integers(0, 3)) == 0:
            totals = balances(amount, draw(st.integers(0, amount)))
            told.append(
                webhook(
                    "payment_refunded", f"b{number}", draw(moments), f"pay_{number}", currency=currency, balances=totals
                )
            )
    return draw(st.permutations(told))


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for a file of SQLite an example."""
    return tmp_path_factory.mktemp("histories")


numbers = iter(range(10**6))


@settings(max_examples=12, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    facts=histories(),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    days=st.builds(SettlementDays, st.sampled_from(ZONES).map(ZoneInfo), st.integers(0, 23)),
    step=st.sampled_from(["hour", "day", "week", "month"]),
    kept=st.sampled_from([None, *ZONES]),
)
def test_rows_chart_settlement_export_and_journal_agree_to_the_cent(
    stores: Path, facts: list[Fact], zone: ZoneInfo, days: SettlementDays, step: str, kept: str | None
) -> None:
    database = Database(databases.sqlite(stores / f"{next(numbers)}.db"))
    record(database, facts)
    if kept:
        adopt_zone(database, ZoneInfo(kept))
    period = whole_days(date(2026, 2, 20), date(2026, 4, 20), zone)
    borders = edges(period, zone, step)  # type: ignore[arg-type]
    with database.read() as connection:
        bars = by_slot(connection, borders)
    whole = gather(database, Selection(("HKD", "KRW"), borders[0], borders[-1], zone, days))
    lines = settlement(database, date(2026, 2, 20), date(2026, 4, 20), days)
    _, in_csv = read_csv(as_csv(whole))
    _, in_journal = read_csv(as_journal(whole))
    excel = as_excel(whole)
    for place, currency in enumerate(("HKD", "KRW")):
        rows, sums = whole.rows[currency], whole.sums[currency]
        charted = [volumes.Volumes(currency, (0,) * 10) if currency not in bar else bar[currency] for bar in bars]
        assert sum(bar.captured.minor for bar in charted) == sums.captured.minor
        assert sum(bar.refunded.minor for bar in charted) == sums.refunded.minor
        for (begin, end), bar in zip(pairwise(borders), charted, strict=True):
            assert added_up(currency, [row for row in rows if begin <= row.at < end]).net == bar.net
        by_day: dict[date, int] = defaultdict(int)
        for row in rows:
            by_day[row.day] += row.amount
        settled = {line.day: line for line in lines if line.currency == currency}
        assert {day: line.sums.net.minor for day, line in settled.items()} == by_day
        if settled:
            assert settlement_totals(lines)[currency] == sums
            assert settled[max(settled)].closing == sums.net
        mine = [line for line in in_csv if line["Currency"] == currency]
        assert [minor(line["Amount"], currency) for line in mine] == [row.amount for row in rows]
        entries = [line for line in in_journal if line["Currency"] == currency]
        debit, credit = (sum(minor(line[side] or "0", currency) for line in entries) for side in ("Debit", "Credit"))
        assert debit == credit
        owed = [line for line in entries if line["Account"] == "Receivable from Checkout.com"]
        assert sum(minor(line["Debit"] or "0", currency) - minor(line["Credit"] or "0", currency) for line in owed) == (
            sums.net.minor
        )
        cells = read_sheet(excel, place + 2)
        assert [minor(cells[f"F{number}"][1], currency) for number in range(8, 8 + len(rows))] == [
            row.amount for row in rows
        ]
        assert minor(cells["F3"][1], currency) == sums.net.minor
    text_of = sorted(canonical(row) for rows in whole.rows.values() for row in rows)
    assert whole.sha256 == hashlib.sha256("".join(f"{line}\n" for line in text_of).encode()).hexdigest()
    assert period.until - period.since >= timedelta(days=59)
    assert export.COLUMNS[5] == "Amount"
    database.close()


def test_a_journal_of_whole_days_takes_fees_from_what_is_owed(database: Database) -> None:
    record(database, [captured(1, 0, 110000), captured(2, 30, 45000, "KRW")])
    days = SettlementDays(HONG_KONG, 0)
    day = days.day_of(at(0))
    selection = Selection(("HKD", "KRW"), *days.span(day, day), HONG_KONG, days)
    fees = {(day, "HKD"): {"HKD": Money(2448, "HKD")}, (day, "KRW"): {"HKD": Money(84, "HKD")}}
    about, entries = read_csv(as_journal(replace(gather(database, selection), fees=fees)))
    assert about["Fees"] == "as far as reports are imported"
    assert {about[f"{currency} debit less credit"] for currency in ("HKD", "KRW")} == {"0.00", "0"}
    cost = [
        (line["Entry"], line["Account"], line["Debit"], line["Credit"]) for line in entries if "fees" in line["Entry"]
    ]
    assert cost == [
        (f"fees of {currency} payments, {day}", account, debit, credit)
        for currency, amount in (("HKD", "24.48"), ("KRW", "0.84"))
        for account, debit, credit in (
            ("Fees of Checkout.com", amount, ""),
            ("Receivable from Checkout.com", "", amount),
        )
    ]
    about, _ = read_csv(as_journal(gather(database, chosen("HKD"))))
    assert about["Fees"].startswith("left out")
