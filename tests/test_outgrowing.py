"""What the README says of more than one machine is run here, all of it on this one."""

from __future__ import annotations

import random
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lib.checkout.client import CheckoutClient
from lib.ledger import payments, queries, rebuild
from lib.ledger.database import Database
from lib.ledger.desk import Desk
from lib.ledger.drafts import PaymentDraft
from lib.operators import Operator
from lib.settings import Settings
from lib.simulator.app import create
from lib.simulator.options import Options
from tests.simulator.house import House, served
from tests.simulator.house import Receiver as Nobody
from tests.support import databases
from tests.support.alone import WEBHOOK_KEY
from tests.support.load import Load, id_of, lives
from tests.support.server import CHANNEL, ROOT, SECRET_KEY, Server
from tests.support.waiting import until

README = (ROOT / "README.md").read_text("utf-8")


def commands() -> list[list[str]]:
    """The commands of the section, each to be run in a process of its own."""
    section = re.search(r"^## Outgrowing one machine\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL)
    assert section
    [block] = re.findall(r"```sh\n(.*?)```", section[1], re.DOTALL)
    return [shlex.split(line, comments=True) for line in block.splitlines() if line.startswith(".venv/bin/")]


class AsWritten(Server):
    """A server started by a command of the README; only its port is another."""

    command: list[str]

    def _spawn(self) -> subprocess.Popen[bytes]:
        self.folder.mkdir(parents=True, exist_ok=True)
        program, *arguments = self.command
        port = "--server.port" if program.endswith("streamlit") else "--port"
        if port in arguments:
            place = arguments.index(port)
            del arguments[place : place + 2]
        module = [sys.executable, "-m", Path(program).name, *arguments, port, str(self.port)]
        with self._log_file.open("ab") as log:
            return subprocess.Popen(
                module, cwd=ROOT, env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )


@pytest.fixture
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with databases.fresh("postgresql", tmp_path_factory, empty=True) as database:
        yield database


def test_receivers_and_a_dashboard_share_one_postgresql(database: Database, tmp_path: Path) -> None:
    url = database.url.render_as_string(hide_password=False)
    started = commands()
    assert [Path(command[0]).name for command in started] == ["uvicorn", "uvicorn", "streamlit"]
    with ExitStack() as stack:
        servers = []
        door = ""  # where the simulator delivers, once somebody is there
        options = {"database_url": f"sqlite:///{tmp_path / 's.db'}", "webhook_keys": (WEBHOOK_KEY,)}
        simulator = stack.enter_context(
            served(
                lambda base: create(
                    Options(base_url=base, webhook_url=lambda: door, secret_keys=(SECRET_KEY,), **options)  # type: ignore[arg-type]
                )
            )
        )
        for number, command in enumerate(started):
            server = AsWritten(tmp_path / f"server-{number}", {"DATABASE_URL": url, "CHECKOUT_BASE_URL": simulator})
            server.command = command
            stack.callback(server.kill)
            server.start()
            servers.append(server)
        first, second, dashboard = (server.url for server in servers)

        raws = lives(60, random.Random(1))
        load = Load([first, second, dashboard], raws * 2)  # every delivery comes twice, at whichever door
        load.run()
        assert load.acknowledged == {id_of(raw) for raw in raws}

        door = f"{second}/webhooks/checkout"
        client = CheckoutClient(base_url=simulator, secret_key=SECRET_KEY, timeout=10)
        desk = Desk(Settings(_env_file=None, checkout_processing_channel_id=CHANNEL), database, client, dashboard)  # type: ignore[call-arg]
        draft = PaymentDraft("11.00", "HKD", "ORD-1", success_url=dashboard, failure_url=dashboard)
        creation = payments.request_payment(desk, Operator("Ana"), draft, key=payments.new_key())
        payment = queries.find_payment(database, creation.payment_id or "")
        assert payment
        house = House(simulator, Nobody())
        house.decide({"_links": {"redirect": {"href": payment.redirect_url}}}, "pay")
        until(lambda: (found := queries.find_payment(database, payment.id)) and found.status == "Captured")
        with servers[2].client() as browser:
            assert browser.get("/").status_code == 200
            until(lambda: browser.get("/healthz").json()["workers"]["status"] == "ok", what="the workers")
        house.http.close()
        client.close()
        for server in servers:
            server.stop()
    comparison = rebuild.compare(database)
    assert (comparison.payments, comparison.differing) == (61, 0)
