"""Months that are closed: their figures and rows stay as they were, and what is heard later goes to the next."""

from lib.ledger.closed.booked import booked_before, booked_by_day, closed_until
from lib.ledger.closed.close import CannotClose, ask_to_reopen, close_period, decide_reopening, sheet_text
from lib.ledger.closed.elsewhere import Elsewhere, booked_elsewhere
from lib.ledger.closed.late import Row
from lib.ledger.closed.months import Figures, Month, currencies_with_months, heard_late, months, past_closings
from lib.ledger.closed.recompute import Proof, recompute
from lib.ledger.closed.tables import Period

__all__ = [
    "CannotClose",
    "Elsewhere",
    "Figures",
    "Month",
    "Period",
    "Proof",
    "Row",
    "ask_to_reopen",
    "booked_before",
    "booked_by_day",
    "booked_elsewhere",
    "close_period",
    "closed_until",
    "currencies_with_months",
    "decide_reopening",
    "heard_late",
    "months",
    "past_closings",
    "recompute",
    "sheet_text",
]
