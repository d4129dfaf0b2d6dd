"""What screens read, table by table; `lib.ledger.queries` is the door to it."""
