"""Files that people upload: what becomes of each, and the one sentence a bad one gets."""

from __future__ import annotations

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ledger.bulk import file
from lib.ledger.bulk.file import BadFile, Given, read

HEADER = b"reference,amount,currency,reason\n"
ROW = b"ORD-1,11.00,HKD,damaged\n"
PLAIN = Given(2, "ORD-1", "", "11.00", "HKD", "damaged")


@pytest.mark.parametrize(
    "raw",
    [
        HEADER + ROW,
        (HEADER + ROW).rstrip(),
        b"\xef\xbb\xbf" + HEADER + ROW,
        (HEADER + ROW).replace(b"\n", b"\r\n"),
        (HEADER + ROW).replace(b"\n", b"\r"),
        (HEADER + ROW).replace(b",", b";"),
        (HEADER + ROW).replace(b",", b"\t"),
        b'"Reference";"Amount";"Currency";"Reason"\n"ORD-1";"11.00";"HKD";"damaged"\n',
        b"Reason,CURRENCY,Refund amount,Order number\ndamaged,HKD,11.00,ORD-1\n",
        HEADER + b"  ORD-1 , 11.00,HKD ,damaged,,\n\n,,,\n",
        b"Customer,reference,amount,currency,reason,note\nKim,ORD-1,11.00,HKD,damaged\n",
    ],
)
def test_many_ways_to_write_the_same_rows(raw: bytes) -> None:
    sheet = read(raw)
    assert [*sheet.rows()] == [PLAIN]
    assert (sheet.count, sheet.digest) == (1, read(HEADER + ROW).digest)


def test_columns_that_mean_nothing_are_named() -> None:
    assert read(b"Customer,reference,amount,currency,reason,\nKim,ORD-1,1,HKD,other,\n").ignored == ("Customer",)


def test_rows_are_counted_as_a_spreadsheet_counts_them() -> None:
    raw = HEADER + b'"ORD\n1",1,HKD,other\n\nORD-2,2,HKD,other\n'
    assert [(row.line, row.reference) for row in read(raw).rows()] == [(2, "ORD\n1"), (4, "ORD-2")]


def test_what_a_row_says_and_where_it_stands_is_its_files_identity() -> None:
    first = read(HEADER + ROW).digest
    assert read(HEADER + ROW + ROW).digest != first
    assert read(HEADER + b"\n" + ROW).digest != first
    assert read(HEADER + ROW.replace(b"11.00", b"11.01")).digest != first


def test_the_template_can_be_uploaded() -> None:
    assert [row.reason for row in read(file.template()).rows()] == ["damaged", "item_returned"]


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf", "The file is empty."),
        (b" \r\n,,,\r\n", "The file is empty."),
        (b'""\n', "The file is empty."),
        (HEADER, "The file has a header and no rows below it."),
        (HEADER + b"\n,,,\n", "The file has a header and no rows below it."),
        (
            b"hello\nworld\n",
            "The first row must name the columns: reference (or payment_id), amount, currency, reason.",
        ),
        (ROW, "The first row must name the columns: reference (or payment_id), amount, currency, reason."),
        (b"reference,amount,currency\nORD-1,1,HKD\n", "The column reason is missing."),
        (b"amount,reason\n1,other\n", "The columns reference (or payment_id), currency are missing."),
        (b"reference,Order,amount,currency,reason\n", "Two columns are for the reference."),
        (HEADER + b"ORD-1,1\x00,HKD,other\n", "The file has NUL characters in it"),
        ((HEADER + ROW).decode().encode("utf-16"), "The file is written in UTF-16."),
        ((HEADER + ROW).decode().encode("utf-16-le"), "The file has NUL characters in it"),
        (HEADER + b"ORD-1,1,HKD,other\nORD-\xe9,1,HKD,other\n", "Line 3 of the file is not written in UTF-8."),
        (b"PK\x03\x04rest of a workbook", "This is a spreadsheet, not a CSV file."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "This is a spreadsheet, not a CSV file."),
        (HEADER + b'ORD-1,"1,HKD,other\n', "Row 2 cannot be read: its quotation marks do not pair up."),
        (HEADER + b'ORD-1,"1"1,HKD,other\n', "Row 2 cannot be read: its quotation marks do not pair up."),
        (HEADER + ROW * 50_001, "The file has more than 50,000 rows. Split it"),
        (HEADER + ROW + b" " * 5 * 1024 * 1024, "The file is larger than 5 MB. Split it"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_a_bad_file_gets_one_sentence_and_what_to_do(raw: bytes, sentence: str) -> None:
    with pytest.raises(BadFile) as caught:
        read(raw)
    said = str(caught.value)
    assert said.startswith(sentence)
    assert said.endswith(".")
    assert len(said) < 250


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("ORD-1,1,234.50,HKD,other", "This row has 5 cells and the header has 4."),
        ("=1+1,1,HKD,other", "“=1+1” in the column reference is a formula."),
        ("ORD-1,=1+1,HKD,other", "“=1+1” in the column amount is a formula."),
        ("ORD-1,@SUM(A1),HKD,other", "“@SUM(A1)” in the column amount is a formula."),
    ],
)
def test_a_row_that_cannot_be_trusted_says_why(row: str, sentence: str) -> None:
    [given_row] = read(HEADER + row.encode()).rows()
    assert (given_row.problem or "").startswith(sentence)


def test_a_note_too_long_for_a_refund_is_said() -> None:
    [row] = read(b"payment_id,amount,currency,reason,note\npay_1,1,HKD,other," + b"x" * 1001).rows()
    assert row.problem == "The note may have 1000 characters, this has 1001."


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@given(
    raw=st.binary(max_size=200) | st.lists(st.sampled_from([HEADER, ROW, b'"', b",", b"\n", b"\r", b";"])).map(b"".join)
)
def test_any_bytes_are_rows_or_the_files_own_error(raw: bytes) -> None:
    with contextlib.suppress(BadFile):
        sheet = read(raw)
        assert len([*sheet.rows()]) == sheet.count > 0


@given(
    rows=st.lists(st.tuples(cells, cells, cells, cells, cells), min_size=1, max_size=5),
    separator=st.sampled_from(",;\t"),
)
def test_what_a_spreadsheet_writes_is_read_back(rows: list[tuple[str, ...]], separator: str) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerows([("reference", "amount", "currency", "reason", "note"), *rows])
    wanted = [tuple(cell.strip() for cell in row) for row in rows if any(cell.strip() for cell in row)]
    try:
        sheet = read(out.getvalue().encode())
    except BadFile:
        assert not wanted
    else:
        found = [(row.reference, row.amount, row.currency, row.reason, row.note) for row in sheet.rows()]
        assert found == wanted
