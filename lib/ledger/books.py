"""Checkout.com's reports beside the ledger: taken in, compared line by line, and what finance makes of the differences."""

from lib.ledger.reading.keyset import Page
from lib.ledger.statements.cells import BadReport
from lib.ledger.statements.differences import (
    RESOLUTIONS,
    ClassSum,
    LineFilter,
    csv_of_differences,
    find_line,
    find_lines,
    months_compared,
    resolve,
    steps_of,
    summary,
)
from lib.ledger.statements.fees import Fee, fees_by_day, fees_of, fees_until
from lib.ledger.statements.fetching import fetch_reports
from lib.ledger.statements.importing import Imported, import_report, report_files
from lib.ledger.statements.payouts import PayoutProof, find_payouts, payout_lines
from lib.ledger.statements.standing import compare_again
from lib.ledger.statements.tables import (
    DIFFERENCES,
    STANDINGS,
    Payout,
    ReportFile,
    Standing,
    StatementLine,
    StatementStep,
)
from lib.ledger.statements.units import written

__all__ = [
    "DIFFERENCES",
    "RESOLUTIONS",
    "STANDINGS",
    "BadReport",
    "ClassSum",
    "Fee",
    "Imported",
    "LineFilter",
    "Page",
    "Payout",
    "PayoutProof",
    "ReportFile",
    "Standing",
    "StatementLine",
    "StatementStep",
    "compare_again",
    "csv_of_differences",
    "fees_by_day",
    "fees_of",
    "fees_until",
    "fetch_reports",
    "find_line",
    "find_lines",
    "find_payouts",
    "import_report",
    "months_compared",
    "payout_lines",
    "report_files",
    "resolve",
    "steps_of",
    "summary",
    "written",
]
