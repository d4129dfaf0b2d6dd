"""One of several processes that all want the same refund.

`python -m tests.support.rush DATABASE_URL CHECKOUT_URL SECRET_KEY PAYMENT_ID AMOUNT COUNT` says `ready`, waits for a
line, lets COUNT threads try at once, and prints how many of them were let through.
"""

from __future__ import annotations

import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from lib.checkout.client import CheckoutClient
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.queries import find_payment
from lib.ledger.refund_rules import ExceedsRefundable, RemainingMoved
from lib.ledger.refunds import request_refund
from lib.money import Money
from lib.operators import Operator
from lib.settings import Settings


def attempt(desk: Desk, payment_id: str, amount: int) -> bool:
    """Try as a person does: with what the screen shows, and again when that moved meanwhile."""
    for _ in range(300):
        payment = find_payment(desk.database, payment_id)
        assert payment
        try:
            request_refund(
                desk,
                Operator("Ana"),
                payment_id,
                Money(amount, "HKD"),
                key=str(uuid.uuid4()),
                drawn_with=payment.refundable,
                reason="damaged",
            )
            return True
        except RemainingMoved:
            time.sleep(0.001)
        except ExceedsRefundable:
            return False
    raise AssertionError("the remaining amount never stood still")


def main() -> None:
    database_url, checkout_url, secret_key, payment_id, amount, count = sys.argv[1:]
    desk = Desk(
        Settings(_env_file=None),  # type: ignore[call-arg]
        Database(database_url),
        CheckoutClient(base_url=checkout_url, secret_key=secret_key, timeout=10),
        checkout_url,
    )
    assert find_payment(desk.database, payment_id)
    print("ready", flush=True)
    sys.stdin.readline()
    with ThreadPoolExecutor(int(count)) as pool:
        print(sum(pool.map(lambda _: attempt(desk, payment_id, int(amount)), range(int(count)))), flush=True)


if __name__ == "__main__":
    main()
