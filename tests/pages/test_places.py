"""What stays on a screen keeps its place when something comes or goes above it.

The browser has elements by their place. What moves is drawn twice until the whole screen is drawn again, and on a slow
line a click meets the wrong one of two buttons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block, Element, Expander

from lib.ledger import facts
from lib.ledger.calendar import SettlementDays
from lib.ledger.closing import close_period, months
from lib.ledger.database import Database
from lib.ledger.deliveries import Incoming, receive
from lib.ledger.facts import from_webhook
from lib.ledger.record import record
from lib.operators import Operator
from tests.ledger.test_reports import ROW, csv_of
from tests.pages.conftest import Open, StandIn, forget_desk, payment
from tests.pages.test_approvals import wait_for_approval
from tests.pages.test_bulk_refunds import start, uploaded
from tests.pages.test_payment import ask, refund_key
from tests.simulator.house import house
from tests.support.events import event

READ = ("markdown", "caption", "subheader", "heading", "metric", "code")


def places(page: AppTest) -> dict[str, tuple[int, ...]]:
    """Where each widget and each text stands: the way to it through the containers. What is there twice is left out."""
    found: dict[str, list[tuple[int, ...]]] = {}

    def walk(block: Block, way: tuple[int, ...], read: tuple[str, ...]) -> None:
        for index, node in block.children.items():
            if isinstance(node, Block):
                # What is read in an expander may move with it: most are entries of a list, the newest of which comes first.
                walk(node, (*way, index), () if isinstance(node, Expander) else read)
                if isinstance(node, Expander):
                    found.setdefault(f"list of {node.label}", []).append(way)
            elif isinstance(node, Element) and (
                name := node.key or (node.type in read and f"{node.type} {node.value}")
            ):
                found.setdefault(name, []).append((*way, index))

    walk(page.main, (), READ)
    return {name: ways[0] for name, ways in found.items() if len(ways) == 1}


@contextmanager
def nothing_moves(page: AppTest, *staying: str) -> Iterator[None]:
    """`staying` are keys of widgets that are there before and after."""
    before = places(page)
    yield
    after = places(page)
    assert set(staying) <= before.keys() & after.keys()
    assert {name: (way, after[name]) for name, way in before.items() if after.get(name, way) != way} == {}


def test_a_payment_whose_refund_comes_to_nothing(filled: Database, open_page: Open) -> None:
    page = open_page("payment.py", id=payment(2))
    with nothing_moves(page, "ask_now"):
        record(filled, [facts.refund_refused("key-of-ben", payment(2), datetime.now(UTC), {"status": 422})])
        page.run()
        assert any(button.label == "Try again" for button in page.button)


def test_a_payment_that_is_asked_about(filled: Database, checkout: StandIn, open_page: Open) -> None:
    page = open_page("payment.py", id=payment(2))
    with nothing_moves(page, "ask_now"):
        page.button(key="ask_now").click().run()
        assert [*page.success, *page.error]


def test_a_refund_that_leaves_too_little(filled: Database, open_page: Open) -> None:
    page = open_page("payment.py", id=payment(3))
    key = page.session_state[f"refund_key_{payment(3)}"]
    page.text_input(key=f"amount_{key}").set_value("500").run()
    with nothing_moves(page, f"reason_{key}", f"note_{key}", f"ask_{key}"):
        page.text_input(key=f"amount_{key}").set_value("29990").run()
        assert any("10 would be left" in each.value for each in page.markdown)


def test_a_refund_that_a_colleague_was_faster_with(filled: Database, checkout: StandIn, open_page: Open) -> None:
    ana, ben = (open_page("payment.py", id=payment(8)) for _ in range(2))
    key = ask(ana, 8, "90")
    ask(ben, 8, "90")
    with nothing_moves(ana, f"amount_{key}", f"reason_{key}", f"note_{key}", f"ask_{key}"):
        ben.button(key=f"sure_{refund_key(ben, 8)}").click().run()
        ana.button(key=f"sure_{key}").click().run()
        assert any("meanwhile" in error.value for error in ana.error)


def test_a_charge_that_is_typed(filled: Database, checkout: StandIn, open_page: Open) -> None:
    recurring = {"id": payment(1), "action_id": "act_r", "amount": 1100, "currency": "HKD", "source": {"id": "src_1"}}
    record(
        filled, [from_webhook(event("payment_captured", "chain", datetime.now(UTC), **recurring), datetime.now(UTC))]
    )
    page = open_page("payment.py", id=payment(1))
    key = page.session_state[f"charge_key_{payment(1)}"]
    with nothing_moves(page, f"charge_{key}", f"reference_{key}", f"charge_now_{key}"):
        page.text_input(key=f"charge_{key}").set_value("4.40").run()
        assert not page.button(key=f"charge_now_{key}").disabled


def test_a_new_payment_with_fields_to_mend(empty: Database, open_page: Open) -> None:
    page = open_page("new_payment.py")
    with nothing_moves(page, "new_customer_name", "new_terminal_type", "new_country", "new_description"):
        page.text_input(key="new_reference").set_value("").run()
        page.text_input(key="new_customer_email").set_value("nobody").run()
        next(button for button in page.button if button.label == "Add an item").click().run()
        assert sum("material/error" in each.value for each in page.markdown) >= 2


def test_a_month_that_is_proved(empty: Database, open_page: Open) -> None:
    days = SettlementDays(ZoneInfo("Asia/Hong_Kong"))
    this_month = datetime.now(days.zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    moment = (this_month - timedelta(days=1)).replace(day=2).astimezone(UTC)
    captured = event("payment_captured", "one", moment, id=payment(1), currency="HKD", amount=1000, action_id="act_one")
    record(empty, [from_webhook(captured, moment)])
    seen = months(empty, "HKD", days, datetime.now(UTC))[-1]
    close_period(Operator("Ana"), empty, days, "HKD", seen.month, seen=seen.figures, now=datetime.now(UTC))
    page = open_page("month_close.py", month=seen.month)
    with nothing_moves(page, "close_prove", "close_rows"):
        page.button(key="close_prove").click().run()
        assert page.success


def test_a_report_that_was_taken(empty: Database, open_page: Open) -> None:
    def take() -> None:
        page.file_uploader[0].set_value([("report.csv", csv_of(ROW), "text/csv")]).run()
        page.button(key="books_import").click().run()

    page = open_page("reconcile.py")
    take()
    page.run()  # says no more what was taken
    assert not any("imported" in each.value for each in page.success)
    with nothing_moves(page, "books_view", "books_month"):
        take()
        assert any("imported before" in each.value for each in page.success)


def test_an_overview_on_which_something_is_overdue(empty: Database, open_page: Open) -> None:
    now = datetime.now(UTC)
    asked = {"currency": "HKD", "amount": 1000}
    captured = event("payment_captured", "paid", now, id=payment(1), action_id="act_paid", **asked)
    record(empty, [from_webhook(captured, now)])
    page = open_page("overview.py")
    with nothing_moves(page, "steps", "bars_HKD"):
        long_ago = now - timedelta(hours=2)
        record(empty, [from_webhook(event("payment_pending", "lost", long_ago, id=payment(2), **asked), now)])
        page.run()
        assert any("longer than expected" in link.label for link in page.page_link)


def test_an_approval_that_is_decided(
    filled: Database, checkout: StandIn, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPERATOR_NAME", "Ana, Ben")
    monkeypatch.setenv("REFUND_LIMITS", "support HKD 5, approver HKD 5, admin HKD 5")
    first, second = (wait_for_approval(open_page, filled, amount) for amount in ("25.00", "12.00"))
    page = open_page("approvals.py")
    page.session_state["acting_name"] = "Ben"
    page.run()
    with nothing_moves(page, f"approve_{first.key}"):
        page.text_input(key=f"why_{second.key}").set_value("Twice").run()
        page.button(key=f"reject_{second.key}").click().run()
        assert page.success


def test_a_bulk_of_refunds_that_is_sent(filled: Database, checkout: StandIn, open_page: Open) -> None:
    running, first = uploaded()
    page = open_page("bulk_refunds.py", file=first.bulk.id)
    with nothing_moves(page, "bulk_leave", "rows", "bulk_lines_Next"):
        start(running, first.bulk.id)  # by a colleague, which the screen does not know yet
        page.button(key="bulk_again").click().run()
        assert page.error
        assert "bulk_stop" in places(page)


def test_a_search_that_cannot_be_read(filled: Database, open_page: Open) -> None:
    page = open_page("payments.py", q="ORD-0002")
    with nothing_moves(page, "status"):
        page.text_input(key="q").set_value("ORD-0002 amount:much").run()
        assert page.warning


def test_deliveries_that_are_tried_again(empty: Database, open_page: Open) -> None:
    receive(empty, [Incoming(b"{", datetime.now(UTC), None, "127.0.0.1", 1)])
    page = open_page("webhook_events.py", view="Quarantine")
    with nothing_moves(page):
        page.button(key="try_page").click().run()
        assert page.info


MOVES: dict[str, Callable[[AppTest], object]] = {
    "a stop is chosen": lambda page: page.select_slider(key="time_stop").set_value("Link expiry").run(),
    "a fault is switched on": lambda page: page.toggle[0].set_value(True).run(),
    "all faults are off": lambda page: (page.toggle[0].set_value(True).run(), page.button(key="all_off").click().run()),
}


@pytest.mark.parametrize("what", MOVES)
def test_the_simulators_board(
    what: str, empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_page: Open
) -> None:
    with house(tmp_path) as home:
        monkeypatch.setenv("CHECKOUT_BASE_URL", home.url)
        forget_desk()
        page = open_page("simulator_board.py")
        with nothing_moves(page, "travel", "all_off"):
            MOVES[what](page)
        assert not [*page.error, *page.exception]
