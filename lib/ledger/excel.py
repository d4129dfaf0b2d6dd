"""Excel files of money: typed cells, never a formula from outside, and amounts that are exact."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from xlsxwriter import Workbook

from lib import catalog
from lib.ledger.sums import Sums
from lib.money import Money

_HEAD_ROWS = 6
"""Lines above the header of a currency's sheet: the control totals, and an empty one."""
_WIDTHS = {"Payment": 34, "Action": 34, "Reference": 24, "Kind": 22, "Time": 20, "Time (UTC)": 20}


def workbook(
    about: Sequence[tuple[str, str]],
    columns: Sequence[str],
    sheets: Mapping[str, Sequence[Sequence[object]]],
    totals: Mapping[str, Sums],
) -> bytes:
    """A sheet "About" with what a reader must know, then a sheet a currency: control totals, frozen header, rows.

    Cells of `sheets` may be text, dates, aware times (written as they stand on their own clock) and `Money`.
    """
    out = io.BytesIO()
    book = Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    writer = _Writer(book)
    front = book.add_worksheet("About")
    front.set_column(0, 0, 26)
    front.set_column(1, 1, 90)
    for place, (name, value) in enumerate(about):
        writer.text(front, place, 0, name)
        writer.text(front, place, 1, value)
    for currency, rows in sheets.items():
        sheet = book.add_worksheet(currency)
        _controls(writer, sheet, columns.index("Amount"), totals[currency], len(rows))
        for place, name in enumerate(columns):
            sheet.write_string(_HEAD_ROWS, place, name, writer.bold)
            sheet.set_column(place, place, _WIDTHS.get(name, 16))
        sheet.freeze_panes(_HEAD_ROWS + 1, 0)
        for number, row in enumerate(rows, _HEAD_ROWS + 1):
            for place, cell in enumerate(row):
                writer.cell(sheet, number, place, cell)
        if rows:
            sheet.autofilter(_HEAD_ROWS, 0, _HEAD_ROWS + len(rows), len(columns) - 1)
    book.close()
    return out.getvalue()


def exact(money: Money) -> Decimal | None:
    """The amount, if a cell can hold it exactly; Excel keeps 15 digits."""
    return money.major if len(str(abs(money.minor))) <= 15 else None


class _Writer:
    def __init__(self, book: Any) -> None:
        self._book = book
        self.bold = book.add_format({"bold": True})
        self._day = book.add_format({"num_format": "yyyy-mm-dd"})
        self._time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._right = book.add_format({"align": "right"})
        self._money: dict[int, Any] = {}

    def text(self, sheet: Any, row: int, column: int, text: str) -> None:
        sheet.write_string(row, column, text)

    def cell(self, sheet: Any, row: int, column: int, value: object) -> None:
        if isinstance(value, Money):
            self.money(sheet, row, column, value)
        elif isinstance(value, datetime):
            sheet.write_datetime(row, column, value.replace(tzinfo=None), self._time)
        elif isinstance(value, date):
            sheet.write_datetime(row, column, value, self._day)
        else:
            self.text(sheet, row, column, str(value))

    def money(self, sheet: Any, row: int, column: int, money: Money) -> None:
        amount = exact(money)
        if amount is None:
            sheet.write_string(row, column, f"{money.major:f}", self._right)
        else:
            sheet.write_number(row, column, amount, self.amount(money.currency))

    def amount(self, currency: str) -> Any:
        digits = catalog.digits(currency)
        if digits not in self._money:
            pattern = "#,##0" + ("." + "0" * digits if digits else "")
            self._money[digits] = self._book.add_format({"num_format": pattern})
        return self._money[digits]


def _controls(writer: _Writer, sheet: Any, amount: int, sums: Sums, count: int) -> None:
    """Captured, refunded and net as we know them, the number of rows, and the sum that the spreadsheet finds itself."""
    for place, (name, money) in enumerate(
        (("Captured", sums.captured), ("Refunded", -sums.refunded), ("Net", sums.net))
    ):
        sheet.write_string(place, 0, name, writer.bold)
        writer.money(sheet, place, amount, money)
    sheet.write_string(3, 0, "Rows", writer.bold)
    sheet.write_number(3, amount, count)
    sheet.write_string(4, 0, "Sum of the rows below", writer.bold)
    first, last = _HEAD_ROWS + 2, _HEAD_ROWS + 1 + count
    letter = chr(ord("A") + amount)
    formula = f"=SUM({letter}{first}:{letter}{last})" if count else "=0"
    sheet.write_formula(4, amount, formula, writer.amount(sums.currency), sums.net.major)
