"""The simulator on PostgreSQL: a whole run, lived twice, and text that database cannot hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.simulator.house import house, order
from tests.support import databases
from tests.support.waiting import until


def test_a_run_is_the_same_as_on_sqlite(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    digests = []
    with databases.fresh_url("postgresql", tmp_path_factory, empty=True) as url:
        for database in (url, f"sqlite:///{tmp_path / 'simulator.db'}"):
            with house(tmp_path, database_url=database) as home:
                home.begin("databases")
                payment = home.paid(key="once", payment_type="Recurring")
                home.paid(currency="KRW", amount=45_000)
                home.refund(payment, 100, key="refund")
                home.refund(payment, 5000)
                home.create(reference="LEFT")
                home.advance(days=1)
                until(lambda home=home: all(each["state"] == "delivered" for each in home.deliveries()))
                saved = home.http.get("/_control/run").json()
                assert home.body(home.post("/_control/run", saved))["same"] is True
                assert len(home.http.get("/reports").json()["data"]) == 3
                digests.append(saved["digest"])

                assert home.post("/payments", order(customer={"name": "a\0b"})).status_code in (202, 400)
                assert home.http.get("/payments?reference=%00").status_code in (200, 400)
                assert home.http.get("/payments/%00").status_code in (404, 400)

    assert digests[0] == digests[1]
