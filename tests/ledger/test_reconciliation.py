"""Three months of trade at the simulator, its reports tampered with: exactly what was tampered with is found."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from lib.checkout.client import CheckoutClient
from lib.ledger.books import (
    DIFFERENCES,
    BadReport,
    LineFilter,
    StatementLine,
    compare_again,
    csv_of_differences,
    fees_by_day,
    fees_of,
    fetch_reports,
    find_lines,
    find_payouts,
    import_report,
    months_compared,
    report_files,
    resolve,
    steps_of,
    summary,
    written,
)
from lib.ledger.calendar import SettlementDays
from lib.ledger.closing import close_period, months
from lib.ledger.database import Database
from lib.ledger.facts import from_webhook
from lib.ledger.movements import every
from lib.ledger.record import record
from lib.ledger.statements.standing import Books
from lib.money import Money
from lib.operators import NotAllowed, Operator
from lib.simulator.options import SECRET_KEY
from tests.simulator.house import House, house
from tests.support.events import webhook
from tests.support.waiting import until

ANA = Operator("Ana")
DAYS = SettlementDays(ZoneInfo("Asia/Hong_Kong"))
MONTHS = ("2026-01", "2026-02", "2026-03")


@pytest.fixture(scope="module")
def quarter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Three months: trade in three currencies, and refunds a month, or a minute, after the sale's own month."""
    with house(tmp_path_factory.mktemp("quarter")) as home:
        home.begin("golden", at="2026-01-31T15:50:00Z")  # ten to midnight in Hong Kong
        first = [home.paid(reference=f"JAN-{n}", amount=10_000 + n) for n in range(4)]
        won = home.paid(reference="JAN-WON", currency="KRW", amount=45_000)
        home.advance(minutes=15)
        home.refunded(first[0], 2_500)
        home.refunded(won, 5_000)
        home.advance(days=20)
        second = [home.paid(reference=f"FEB-{n}", amount=777 * (n + 1), currency="EUR") for n in range(3)]
        home.refunded(first[1])
        home.advance(days=10)
        home.refunded(second[0], 7)
        home.refunded(second[1], 7)
        home.paid(reference="MAR", amount=123_456)
        home.advance(days=2)
        yield home


@pytest.fixture
def told(database: Database, quarter: House) -> Database:
    """The ledger, which has heard everything."""
    record(database, [from_webhook(each.raw, datetime.now(UTC)) for each in quarter.receiver.deliveries])
    return database


def files(home: House, kind: str = "FinancialActions") -> list[tuple[str, str]]:
    """Name and content of every report of a kind, oldest first."""
    found = home.http.get("/reports", params={"limit": 100}).json()["data"]
    return [
        (file["filename"], home.http.get(f"/reports/{each['id']}/files/{file['id']}").text)
        for each in reversed(found)
        if each["type"] == kind
        for file in each["files"]
    ]


def one_file(home: House) -> list[list[str]]:
    """All days in one table, as a report of the whole quarter has them."""
    tables = [list(csv.reader(io.StringIO(text))) for _, text in files(home)]
    return [tables[0][0], *(row for table in tables for row in table[1:])]


def take(
    database: Database, table: list[list[str]], name: str = "financial-actions_ent_20260131_20260331_1.csv"
) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(table)
    import_report(ANA, database, DAYS, name, io.BytesIO(out.getvalue().encode()))


def standings(database: Database) -> set[str]:
    return {each.standing for month in MONTHS for each in summary(database, month)}


def differences(database: Database) -> list[StatementLine]:
    return [
        line
        for month in months_compared(database)
        for standing in DIFFERENCES
        for line in find_lines(database, LineFilter(month, standing), limit=100).rows
    ]


def test_untouched_reports_agree_in_everything(told: Database, quarter: House) -> None:
    take(told, one_file(quarter))

    assert differences(told) == []
    assert standings(told) == {"matched", "fee_only"}
    [won] = [each for each in summary(told, "2026-01") if (each.standing, each.currency) == ("matched", "KRW")]
    assert (won.count, written(won.theirs, "KRW"), won.ours) == (1, "45000", Money(45_000, "KRW"))


def test_a_missing_a_duplicated_and_an_altered_line_are_found_and_nothing_else(told: Database, quarter: House) -> None:
    table = one_file(quarter)
    column = {name: place for place, name in enumerate(table[0])}

    def line(reference: str, breakdown: str) -> list[str]:
        [found] = [
            row for row in table if (row[column["Reference"]], row[column["Breakdown Type"]]) == (reference, breakdown)
        ]
        return found

    table.remove(line("JAN-1", "Refund"))
    table.append(list(line("FEB-2", "Capture")))
    line("MAR", "Capture")[column["Processing Currency Amount"]] = "1234.65000000"

    take(told, table)

    sums = [each for month in MONTHS for each in summary(told, month)]
    assert sum(each.count for each in sums) == len(table) - 1 + 1  # every line, and the row that none speaks of
    with told.read() as connection:
        for currency in ("HKD", "EUR", "KRW"):
            rows = every(connection, currency, datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), DAYS)
            assert sum(each.ours.minor for each in sums if each.currency == currency) == sum(row.amount for row in rows)
            written_there = sum(
                Decimal(row[column["Processing Currency Amount"]])
                for row in table[1:]
                if row[column["Processing Currency"]] == currency
            )
            assert sum(each.theirs for each in sums if each.currency == currency) == written_there * 10**8
    found = {(line.standing, line.month, line.reference, line.kind): line for line in differences(told)}
    assert found.keys() == {
        ("missing_there", "2026-02", "JAN-1", "refund"),
        ("duplicate", "2026-02", "FEB-2", "capture"),
        ("amount_differs", "2026-03", "MAR", "capture"),
    }
    missing = found["missing_there", "2026-02", "JAN-1", "refund"]
    assert (missing.number, missing.ours, missing.our_currency) == (None, -10_001, "HKD")
    altered = found["amount_differs", "2026-03", "MAR", "capture"]
    assert (written(altered.amount or 0, "HKD"), altered.ours) == ("1234.65", 123_456)
    assert found["duplicate", "2026-02", "FEB-2", "capture"].number == len(table)
    handed_out = csv_of_differences(ANA, told, "2026-03", "Asia/Hong_Kong", world="Simulator").decode("utf-8-sig")
    assert "amount differs,HKD,1,1234.65" in handed_out
    assert "1234.56" in handed_out


def test_the_same_file_and_the_same_lines_change_nothing(told: Database, quarter: House) -> None:
    table = one_file(quarter)
    take(told, table)
    before = [summary(told, month) for month in MONTHS]
    fees = fees_by_day(told, date(2026, 1, 1), date(2026, 3, 31), DAYS)

    take(told, table)
    take(told, [*table, []], "again.csv")
    for kind in ("FinancialActions", "FinancialActionsByPayoutId"):
        for name, text in files(quarter, kind):
            import_report(ANA, told, DAYS, name, io.BytesIO(text.encode()))

    assert [summary(told, month) for month in MONTHS] == before
    assert fees_by_day(told, date(2026, 1, 1), date(2026, 3, 31), DAYS) == fees
    newest, *_, whole = report_files(told)
    assert (newest.lines, whole.known, whole.lines) == (newest.known, 0, len(table) - 1)


def test_a_bad_file_leaves_nothing_behind(told: Database, quarter: House) -> None:
    table = one_file(quarter)
    table[-1][table[0].index("Holding Currency Amount")] = "much"

    with pytest.raises(BadReport, match=f"Line {len(table)}, column “Holding Currency Amount”"):
        take(told, table)

    assert report_files(told) == []
    assert months_compared(told) == []


def test_payouts_are_the_sum_of_their_lines_or_one_sees_by_how_much_not(told: Database, quarter: House) -> None:
    table = one_file(quarter)
    place = table[0].index("Breakdown Type")
    fee = next(row for row in table if row[place] == "Gateway Fixed Fee")
    take(told, [row for row in table if row is not fee])
    for name, text in files(quarter, "Payouts"):
        import_report(ANA, told, DAYS, name, io.BytesIO(text.encode()))

    _, proofs = find_payouts(told)

    off = [proof for proof in proofs if proof.off_by]
    assert len(proofs) == 3
    assert [(proof.payout.id, written(proof.off_by, "HKD")) for proof in off] == [
        (fee[table[0].index("Payout ID")], "0.08")
    ]


def test_fetched_with_one_click_and_again_only_what_is_new(told: Database, quarter: House) -> None:
    client = CheckoutClient(base_url=quarter.url, secret_key=SECRET_KEY)
    since = datetime(2026, 1, 1, tzinfo=UTC)

    first = fetch_reports(ANA, told, client, DAYS, since=since)
    second = fetch_reports(ANA, told, client, DAYS, since=since)

    client.close()
    assert (first.refused, second.refused, second.imported) == ([], [], [])
    assert {each.file.kind for each in first.imported} == {"financial actions", "payouts"}
    assert differences(told) == []
    assert all(proof.off_by == 0 and proof.lines for proof in find_payouts(told)[1])


def test_what_the_ledger_hears_after_the_import_settles_the_difference(database: Database, quarter: House) -> None:
    facts = [from_webhook(each.raw, datetime.now(UTC)) for each in quarter.receiver.deliveries]
    late = [fact for fact in facts if fact.data.get("reference") == "MAR"]
    record(database, [fact for fact in facts if fact not in late])
    take(database, one_file(quarter))
    [missing] = differences(database)
    assert (missing.standing, missing.reference) == ("missing_here", "MAR")
    resolve(ANA, database, missing.id or 0, owner="Ben", resolution="asked", note="Where is it?")

    record(database, late)
    while compare_again(database, DAYS):
        pass

    assert differences(database) == []
    steps = steps_of(database, missing.id or 0)
    assert [(step.by, step.standing, step.note) for step in steps] == [
        ("Comparison", "matched", "Where is it?"),
        ("Ana", "missing_here", "Where is it?"),
    ]


def test_a_ledger_row_alone_finds_its_line_and_keeps_its_history(told: Database, quarter: House) -> None:
    table = one_file(quarter)
    reference, kind = table[0].index("Reference"), table[0].index("Breakdown Type")
    lost = next(row for row in table if (row[reference], row[kind]) == ("MAR", "Capture"))
    take(told, [row for row in table if row is not lost])
    [alone] = differences(told)
    resolve(ANA, told, alone.id or 0, owner="Ana", resolution="asked", note="Asked Checkout.com")

    take(told, [table[0], lost], "later.csv")

    assert differences(told) == []
    assert [(step.standing, step.owner) for step in steps_of(told, alone.id or 0)] == [
        ("matched", "Ana"),
        ("missing_there", "Ana"),
    ]


def test_a_correction_takes_the_place_of_what_was_wrong(told: Database, quarter: House) -> None:
    table = one_file(quarter)
    reference, kind = table[0].index("Reference"), table[0].index("Breakdown Type")
    right = next(row for row in table if (row[reference], row[kind]) == ("MAR", "Capture"))
    wrong = list(right)
    wrong[table[0].index("Processing Currency")] = "SGD"
    take(told, [wrong if row is right else row for row in table])
    assert [line.standing for line in differences(told)] == ["currency_differs"]

    take(told, [table[0], right], "correction.csv")

    assert [(line.standing, line.currency) for line in differences(told)] == [("duplicate", "SGD")]


def test_a_line_in_another_month_than_its_row_is_a_matter_of_timing(told: Database, quarter: House) -> None:
    table = one_file(quarter)
    utc = table[0].index("Processed On UTC")
    for row in table[1:]:
        if row[table[0].index("Reference")] == "JAN-2":
            row[utc] = "2026-02-01T00:00:00"
    take(told, table)

    assert [(line.standing, line.month, line.reference) for line in differences(told)] == [
        ("other_period", "2026-02", "JAN-2")
    ]


def test_fees_by_payment_and_by_day_and_in_the_closed_month(told: Database, quarter: House) -> None:
    take(told, one_file(quarter))
    line = find_lines(told, LineFilter("2026-03", "matched", "HKD")).rows[0]

    assert [(fee.what, fee.money) for fee in fees_of(told, line.payment_id or "")] == [
        ("Premium Variable Fee", Money(2716, "HKD")),
        ("Premium Fixed Fee", Money(20, "HKD")),
        ("Gateway Fixed Fee", Money(8, "HKD")),
    ]
    by_day = fees_by_day(told, date(2026, 1, 1), date(2026, 3, 31), DAYS)
    assert by_day[date(2026, 3, 3), "HKD"] == {"HKD": Money(2744, "HKD")}
    assert by_day[date(2026, 1, 31), "KRW"].keys() == {"HKD"}
    now = datetime(2026, 4, 2, tzinfo=UTC)
    seen = months(told, "HKD", DAYS, now)[-1].figures
    period = close_period(ANA, told, DAYS, "HKD", "2026-01", seen=seen, now=now)
    assert period.fees == by_day[date(2026, 1, 31), "HKD"]["HKD"].minor == 4 * (220 + 28)


def test_rights(told: Database, quarter: House) -> None:
    take(told, [row for row in one_file(quarter) if "MAR" not in row])
    [line] = differences(told)
    for roles in ("support", "approver", "admin"):
        stranger = Operator("Sue", frozenset({roles}))
        with pytest.raises(NotAllowed):
            resolve(stranger, told, line.id or 0, owner="", resolution="accepted", note="")
        with pytest.raises(NotAllowed):
            import_report(stranger, told, DAYS, "x.csv", io.BytesIO(b""))


def test_reports_by_payout_alone_prove_nothing_missing(told: Database, quarter: House) -> None:
    """Such a file holds one payout, so what is not in it may well be in another."""
    for name, text in files(quarter, "FinancialActionsByPayoutId")[:1]:
        import_report(ANA, told, DAYS, name, io.BytesIO(text.encode()))

    assert differences(told) == []


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
def test_deliveries_do_not_wait_for_an_import_to_end(told: Database, quarter: House) -> None:
    take(told, one_file(quarter))
    record(told, [webhook("payment_captured", 1, 0, "pay_new", amount=5, action_id="act_new")])

    def somebody_waits() -> bool:
        with told.read() as connection:
            return bool(connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar())

    with ThreadPoolExecutor(2) as pool:
        with told.write() as importing:
            Books(importing, DAYS, "Ana")
            comparing = pool.submit(compare_again, told, DAYS)
            until(somebody_waits)
            delivered = webhook("payment_captured", 2, 0, "pay_newer", amount=5, action_id="act_newer")
            assert pool.submit(record, told, [delivered]).result(timeout=10) == [True]
        assert comparing.result(timeout=10)
