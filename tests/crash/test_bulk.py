"""Kill -9 of the server in the middle of a file of refunds: it goes on where it stopped, and every row is one refund."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lib.checkout.client import CheckoutClient
from lib.ledger import rebuild
from lib.ledger.bulk import batches
from lib.ledger.bulk.views import tallies, would_move
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.record import record
from lib.operators import Operator
from lib.settings import Settings
from lib.simulator.options import SECRET_KEY
from tests.simulator.house import House
from tests.support import databases
from tests.support.events import balances, webhook
from tests.support.server import Server
from tests.support.waiting import until

ANA = Operator("Ana")


def killed_and_resumed(folder: Path, house: House, *, rows: int, kills: int) -> None:
    database = Database(databases.sqlite(folder / "ledger.db"))
    payments = [house.paid(amount=1000) for _ in range(rows)]
    facts = [
        webhook(
            "payment_captured",
            each["id"],
            0,
            each["id"],
            amount=1000,
            action_id=f"c{number}",
            balances=balances(1000, 0),
        )
        for number, each in enumerate(payments)
    ]
    record(database, facts)
    settings = Settings(_env_file=None, checkout_timeout_seconds=1)  # type: ignore[call-arg]
    client = CheckoutClient(base_url=house.url, secret_key=SECRET_KEY)
    desk = Desk(settings, database, client, house.url)
    lines = "".join(f"{each['id']},3.00,HKD,damaged\n" for each in payments)
    bulk = batches.upload(desk, ANA, "march.csv", f"payment_id,amount,currency,reason\n{lines}".encode()).bulk

    def standing() -> dict[str, int]:
        return {tally.status: tally.count for tally in tallies(database, bulk.id)}

    environment = {
        "DATABASE_URL": f"sqlite:///{folder / 'ledger.db'}",
        "CHECKOUT_BASE_URL": house.url,
        "CHECKOUT_SECRET_KEY": SECRET_KEY,
        "CHECKOUT_TIMEOUT_SECONDS": "1",
    }
    server = Server(folder / "server", environment)
    house.faults(slow_answer={"seconds": 0.4})
    server.start()
    batches.start(desk, ANA, bulk.id, confirmed=would_move(tallies(database, bulk.id)))

    def amid(many: int) -> bool:
        now = standing()
        return now.get("sent", 0) > many and "sending" in now

    try:
        for kill in range(1, kills + 1):
            until(lambda many=kill * rows // (kills + 1): amid(many), seconds=60, what="enough of it sent")
            server.kill()
            assert standing().get("sent", 0) < rows, "it was done before it was killed"
            server.start()
        house.faults()
        until(lambda: standing() == {"sent": rows}, seconds=60, what="every row sent")
    finally:
        server.kill()
    refunds = [
        tuple(action["amount"] for action in house.actions(each) if action["type"] == "Refund") for each in payments
    ]
    assert Counter(refunds) == {(300,): rows}
    assert rebuild.compare(database).differing == 0
    client.close()
    database.close()


@pytest.mark.soak
def test_a_server_killed_amid_a_file_of_refunds(tmp_path: Path, house: House) -> None:
    killed_and_resumed(tmp_path, house, rows=20, kills=1)


@pytest.mark.soak
def test_a_server_killed_again_and_again_amid_a_file_of_refunds(tmp_path: Path, house: House) -> None:
    killed_and_resumed(tmp_path, house, rows=300, kills=8)
