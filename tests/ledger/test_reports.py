"""Reading the reports: columns in any order, every amount exact, and a bad file refused with the line and the column."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib import catalog
from lib.ledger.statements.cells import BadReport
from lib.ledger.statements.reports import ActionRow, read
from lib.ledger.statements.units import units_of, whole, written
from lib.money import Money

ZONE = ZoneInfo("Asia/Hong_Kong")
ROW = {
    "Action Type": "Capture",
    "Action ID": "act_1",
    "Payment ID": "pay_1",
    "Reference": "ORD-1",
    "Processed On": "2026-03-02T12:00:00.000000",
    "Processed On UTC": "2026-03-02T04:00:00.000000",
    "Breakdown Type": "Capture",
    "Processing Currency": "HKD",
    "Processing Currency Amount": "1100.00000000",
    "Holding Currency": "HKD",
    "Holding Currency Amount": "1100.00000000",
    "Payout ID": "000G7HDD96SH",
    "Payment Method": "KAKAOPAY",
    "A new column": "kept",
}
PAYOUT = {"Payout ID": "000G7HDD96SH", "Holding Currency": "HKD", "Payout Amount": "10.5", "Payout Date": "2026-03-06"}


def csv_of(*rows: dict[str, str], without: tuple[str, ...] = ()) -> bytes:
    names = [name for name in rows[0] if name not in without]
    lines = [names, *([row[name] for name in names] for row in rows)]
    return "".join(",".join(line) + "\r\n" for line in lines).encode()


def rows_of(raw: bytes, zone: ZoneInfo = ZONE) -> list[ActionRow]:
    return list(read(io.BytesIO(raw), zone).rows)  # type: ignore[arg-type]


def test_columns_in_any_order_and_unknown_ones_kept() -> None:
    backwards = dict(reversed(list(ROW.items())))

    [one], [other] = rows_of(csv_of(ROW)), rows_of(b"\xef\xbb\xbf" + csv_of(backwards))

    assert one == other
    assert (one.amount, one.held, one.extra) == (110_000_000_000, 110_000_000_000, {"A new column": "kept"})
    assert one.processed_at == datetime(2026, 3, 2, 4, tzinfo=UTC)


def test_local_times_are_in_the_zone_of_the_file_else_in_ours() -> None:
    plain = csv_of(ROW, without=("Processed On UTC",))
    named = csv_of(ROW | {"Timezone": "Europe/London"}, without=("Processed On UTC",))

    assert rows_of(plain)[0].processed_at == datetime(2026, 3, 2, 4, tzinfo=UTC)
    assert rows_of(plain, ZoneInfo("Asia/Kathmandu"))[0].processed_at == datetime(2026, 3, 2, 6, 15, tzinfo=UTC)
    assert rows_of(named)[0].processed_at == datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_line_is_told_by_what_it_says_and_not_by_its_payout() -> None:
    first, later, other = rows_of(csv_of(ROW, ROW | {"Payout ID": ""}, ROW | {"Holding Currency Amount": "1"}))

    assert first.identity == later.identity != other.identity


BAD = [
    (b"", "The file is empty"),
    (b"PK\x03\x04rest", "Excel or zip"),
    (b"Payout ID;Holding Currency;Payout Amount\n", "Line 1: the columns are separated by semicolons"),
    (b"Name,Age\nAnn,3\n", "Line 1: a Financial Actions report needs “Action Type”"),
    (csv_of(ROW, without=("Breakdown Type",)), "Line 1: a Financial Actions report needs “Breakdown Type”"),
    (csv_of(ROW, without=("Processed On", "Processed On UTC")), "needs “Processed On or Processed On UTC”"),
    (csv_of(PAYOUT, without=("Holding Currency",)), "Line 1: a Payouts report needs “Holding Currency”"),
    (b"Payout ID,Payout ID,Holding Currency,Payout Amount\n", "Line 1, column “Payout ID”: it is there twice"),
    (csv_of(ROW) + b"Capture,act_2\r\n", "Line 3, column “Action ID”: expected 14 cells as in the first line; found 2"),
    (csv_of(ROW) + b"\r\n\r\n" + b"x\r\n", "Line 5, column “Action Type”: expected 14 cells"),
    (csv_of(ROW) + b'"no end', "Line 3: not CSV"),
    (
        csv_of(ROW, ROW | {"Reference": "caf?"}).replace(b"?", b"\xe9"),
        "Line 3, column “Reference”: expected text in UTF-8",
    ),
    ("Payout ID".encode("utf-16"), "The file is in UTF-16"),
    *(
        (csv_of(ROW, ROW | {column: value}), f"Line 3, column “{column}”: expected {expected}")
        for column, value, expected in (
            ("Processing Currency Amount", "1.100.00", "an amount such as -24.20"),
            ("Processing Currency Amount", "1e3", "an amount such as -24.20"),
            ("Processing Currency Amount", "", "an amount such as -24.20"),
            ("Holding Currency Amount", "1.123456789", "an amount such as -24.20"),
            ("Holding Currency Amount", "NaN", "an amount such as -24.20"),
            ("Processing Currency Amount", "-5", "an amount above zero for a capture"),
            ("Processing Currency", "HK$", "a currency such as HKD"),
            ("Holding Currency", "", "a currency such as HKD"),
            ("Processed On UTC", "2026-02-30T00:00:00", "a date and time"),
            ("Processed On UTC", "2026-03-02", "a date and time"),
            ("Breakdown Type", "", "a value"),
            ("Payment ID", "pay_" + "x" * 200, "a short text"),
        )
    ),
    (
        csv_of(ROW | {"Timezone": "Mars/Olympus"}, without=("Processed On UTC",)),
        "column “Timezone”: expected a time zone",
    ),
    (csv_of(ROW | {"Action ID": "", "Payment ID": ""}), "column “Action ID”: expected the id of a payment"),
    (csv_of(PAYOUT | {"Payout Amount": "HKD 10"}), "Line 2, column “Payout Amount”: expected an amount"),
    (csv_of(PAYOUT | {"Payout Date": "soon"}), "Line 2, column “Payout Date”: expected a date"),
]


@pytest.mark.parametrize(("raw", "sentence"), BAD, ids=[sentence for _, sentence in BAD])
def test_a_bad_file_is_told_with_its_line_and_column(raw: bytes, sentence: str) -> None:
    with pytest.raises(BadReport) as refused:
        rows_of(raw)

    assert sentence in str(refused.value)


@given(st.integers(-(10**17), 10**17), st.sampled_from(("HKD", "KRW")))
def test_amounts_come_and_go_without_loss(units: int, currency: str) -> None:
    [row] = rows_of(csv_of(ROW | {"Breakdown Type": "Tax", "Processing Currency Amount": written(units, currency)}))

    assert row.amount == units


@given(st.integers(-(10**12), 10**12), st.sampled_from(sorted(catalog.currencies())))
def test_whole_minor_units_stay_themselves(minor: int, currency: str) -> None:
    money = Money(minor, currency)

    assert whole(units_of(money), currency) == money
    assert written(units_of(money), currency) == str(money.major)
