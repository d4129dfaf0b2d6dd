"""Months that are closed; `lib.ledger.closing` is the door to them."""
