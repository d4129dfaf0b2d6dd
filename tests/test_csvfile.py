"""CSV files that spreadsheets read and that do nothing in them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.csvfile import harmless, render


def read(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def test_a_file_is_preamble_blank_line_header_and_rows() -> None:
    raw = render([["Time zone", "Asia/Hong_Kong"]], ["reference", "amount"], [["주문 1", "-11.00"], ["ORD,2", 7]])
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\r\n") == 5
    assert read(raw) == [
        ["Time zone", "Asia/Hong_Kong"],
        [],
        ["reference", "amount"],
        ["주문 1", "-11.00"],
        ["ORD,2", "7"],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+SUM(A1)", "-cmd", "@x", "\t=1", "  =1", "\r=1", "-1+1", "--1"])
def test_a_formula_is_a_text(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "ORD-1", "-11.00", "11", "mina@example.com", "'=1", "−5"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00")), min_size=1, max_size=4)
)
def test_what_is_read_back_is_what_was_written(cells: list[str]) -> None:
    assert read(render([], cells, [cells]))[-1] == [harmless(cell) for cell in cells]
