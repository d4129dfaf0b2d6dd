"""Checkout.com's reports beside the ledger; `lib.ledger.books` is the door to them."""
