"""The simulator's board against a real simulator: what is switched on screen is switched there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox, Toggle

from lib.board import Board
from lib.ledger.database import Database
from pages.parts import fault_rows
from tests.pages.conftest import Open, forget_desk, opened, payment, said
from tests.simulator.house import House, house
from tests.support.server import free_port
from tests.support.waiting import until

PAGE = "simulator_board.py"


@pytest.fixture
def home(empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A simulator that the screens point at."""
    with house(tmp_path) as one:
        monkeypatch.setenv("CHECKOUT_BASE_URL", one.url)
        forget_desk()
        yield one


@pytest.fixture
def board(home: House) -> Board:
    return Board(home.url)


def calm(page: AppTest) -> AppTest:
    assert not [*page.error, *page.exception]
    return page


def with_settings(page: AppTest, fault: str, where: str = "webhook") -> AppTest:
    """The screen with the settings of this fault open."""
    opened(page, f"fault_set_{where}")
    return page.selectbox(key=f"fault_chosen_{where}").set_value(fault).run()


def moved(widgets: Any, name: str) -> Any:
    """The one of these widgets that shows `name` of what the simulator says."""
    [widget] = [each for each in widgets if each.key and re.fullmatch(rf"{name}_\d+", each.key)]
    return widget


def test_all_faults_off_at_first(home: House, open_page: Open) -> None:
    page = calm(open_page(PAGE))
    switches = {toggle.label: toggle.value for toggle in page.toggle if toggle.key and toggle.key.startswith("fault_")}
    assert len(switches) == 15
    assert not any(switches.values())
    assert page.button(key="all_off").disabled
    assert "None on" in said(page)
    assert not [button for button in page.button if button.proto.type == "primary"]


def test_every_fault_says_what_it_does_and_what_to_look_for(board: Board, home: House, open_page: Open) -> None:
    page = calm(open_page(PAGE))
    seen = fault_rows.SEEN
    assert seen.keys() == board.state().faults.keys()
    for name, fault in board.state().faults.items():
        assert moved(page.toggle, f"fault_{name}_on").help == f"{fault.effect} {seen[name]}"
        assert seen[name] not in said(page)
    moved(page.toggle, "fault_drop_on").set_value(True).run()
    assert seen["drop"] in said(calm(page))


def test_a_switch_holds_at_the_simulator_at_once_and_all_off_ends_it(board: Board, open_page: Open) -> None:
    page = open_page(PAGE)
    moved(page.toggle, "fault_duplicate_on").set_value(True).run()
    assert board.state().faults["duplicate"].on
    assert "1 on" in said(calm(page))
    page.button(key="all_off").click().run()
    assert not board.state().faults["duplicate"].on
    assert not moved(page.toggle, "fault_duplicate_on").value
    assert [text.value for text in page.success] == ["Every fault is off and set as it began."]


def test_how_often_how_long_and_which_code(board: Board, open_page: Open) -> None:
    page = with_settings(open_page(PAGE), "drop")
    moved(page.number_input, "fault_drop_rate").set_value(35)
    moved(page.number_input, "fault_drop_times").set_value(3).run()
    with_settings(page, "delay")
    moved(page.number_input, "fault_delay_seconds").set_value(12.5).run()
    with_settings(page, "payment_declined", "wallet")
    moved(page.selectbox, "fault_payment_declined_code").set_value("20120").run()
    faults = board.state().faults
    assert (faults["drop"].rate, faults["drop"].times) == (0.35, 3)
    assert faults["delay"].seconds == 12.5
    assert faults["payment_declined"].code == "20120"
    with_settings(calm(page), "drop")
    assert moved(page.number_input, "fault_drop_rate").value == 35
    assert moved(page.toggle, "fault_drop_on").label.endswith(":small[:gray[· 35\xa0% · 3\xa0more]]")


def test_the_fault_to_set_is_one_that_is_on_and_stays_the_one_that_was_chosen(board: Board, open_page: Open) -> None:
    board.set_fault("delay", on=True)
    page = opened(open_page(PAGE), "fault_set_webhook")
    assert page.selectbox(key="fault_chosen_webhook").value == "delay"
    with_settings(page, "drop")
    board.set_fault("duplicate", on=True)
    opened(page, "fault_set_webhook")
    assert page.selectbox(key="fault_chosen_webhook").value == "drop"
    assert moved(page.number_input, "fault_drop_rate").value == 100


def test_what_the_simulator_refuses_is_said_and_taken_back(
    board: Board, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fault_rows, "CODES", ("12",))  # what somebody may type; a headless screen cannot type
    page = with_settings(open_page(PAGE), "payment_declined", "wallet")
    moved(page.selectbox, "fault_payment_declined_code").set_value("12").run()
    [problem] = [error.value for error in page.error]
    assert "a response code such as 20051" in problem
    with_settings(page, "payment_declined", "wallet")
    assert moved(page.selectbox, "fault_payment_declined_code").value == "20051"


def test_what_is_set_elsewhere_shows(board: Board, open_page: Open) -> None:
    page = open_page(PAGE)
    board.set_fault("reorder", on=True, rate=0.5, times=0, seconds=4)
    with_settings(page, "reorder")
    assert moved(page.toggle, "fault_reorder_on").value
    assert moved(page.number_input, "fault_reorder_rate").value == 50
    assert "None on" in said(page)
    moved(page.toggle, "fault_reorder_on").set_value(False).run()
    moved(page.toggle, "fault_reorder_on").set_value(True).run()
    assert board.state().faults["reorder"].times is None


def test_the_account(board: Board, open_page: Open) -> None:
    page = open_page(PAGE)
    moved(page.selectbox, "account_currencies").set_value("2024-07").run()
    moved(page.toggle, "account_kakaopay").set_value(False).run()
    calm(page)
    assert (board.state().account.currencies, board.state().account.kakaopay) == ("2024-07", False)
    assert "As documented since July 2024: KRW, HKD, SGD" in moved(page.selectbox, "account_currencies").options


def test_a_browser_that_missed_a_run_changes_nothing_at_the_simulator(board: Board, open_page: Open) -> None:
    board.set_fault("drop", on=True, rate=0.5)
    board.set_account(currencies="default")
    before = board.state()
    page = with_settings(open_page(PAGE), "drop")  # two runs: what only the first has told reached nobody
    for widget in (each for each in [*page.toggle, *page.number_input, *page.selectbox] if not each.proto.set_value):
        known = isinstance(widget, Toggle) or widget.proto.HasField("default")
        default = widget.proto.default if known else None
        widget.set_value(widget.options[default] if isinstance(widget, Selectbox) else default)
    calm(page.run())
    after = board.state()
    assert (after.faults, after.account) == (before.faults, before.account)


def test_a_browser_that_has_not_heard_yet_takes_nothing_back(board: Board, open_page: Open) -> None:
    board.set_fault("drop", on=True)
    page = open_page(PAGE)
    shown = [toggle.set_value(toggle.value) for toggle in page.toggle]
    board.set_account(kakaopay=False)
    board.all_off()
    page.run()
    shown[0].run()  # sends all that the screen before showed
    assert not board.state().account.kakaopay
    assert not board.state().faults["drop"].on
    assert not moved(page.run().toggle, "account_kakaopay").value


def test_the_clock_moves_to_what_is_next(board: Board, open_page: Open) -> None:
    page = open_page(PAGE)
    assert page.button(key="travel").disabled
    for stop, least, most in (
        ("Link expiry", 0, 1),
        ("Next charge", 28, 31),
        ("Payout day", 1, 2),
        ("Day 366", 366, 366),
    ):
        before = board.state().clock.ahead_seconds
        travel(page, stop)
        moved = (board.state().clock.ahead_seconds - before) / 86400
        assert least - 0.001 <= moved <= most + 0.001, stop
        assert moved > 0.006  # ten minutes
        assert "the clock was moved" in calm(page).success[0].value
    assert "In step" not in [metric.value for metric in page.metric]


def travel(page: AppTest, stop: str) -> None:
    page.select_slider(key="time_stop").set_value(stop).run()
    page.button(key="travel").click().run()


def test_the_clock_goes_where_the_slider_was_dragged_last(board: Board, open_page: Open) -> None:
    page = open_page(PAGE)
    page.select_slider(key="time_stop").set_value("Link expiry").run()
    page.select_slider(key="time_stop").set_value("Next charge")
    page.button(key="travel").click().run()
    assert board.state().clock.ahead_seconds >= 28 * 86400 - 1
    assert "Next charge: the clock was moved." in calm(page).success[0].value


def test_two_who_go_to_the_same_stop_meet_there(board: Board, open_page: Open) -> None:
    one, other = open_page(PAGE), open_page(PAGE)
    for page in (one, other):
        page.select_slider(key="time_stop").set_value("Next charge").run()
    one.button(key="travel").click().run()
    there = board.state().clock.ahead_seconds
    assert there >= 28 * 86400 - 1
    other.button(key="travel").click().run()
    assert board.state().clock.ahead_seconds - there < 3600
    assert "Next charge: the clock was moved." in calm(other).success[0].value


def test_a_link_expires_when_the_clock_goes_there(home: House, open_page: Open) -> None:
    payment = home.create()
    page = open_page(PAGE)
    travel(page, "Link expiry")
    assert home.status(payment) == "Expired"


def test_the_screens_follow_the_clock(filled: Database, home: House, open_page: Open) -> None:
    board, late, paid = open_page(PAGE), open_page("overdue.py"), open_page("payment.py", id=payment(8))
    assert "ORD-0001" not in waiting(late)
    assert "Nothing more happens by itself; it can be refunded until" in said(paid)
    assert [button for button in paid.button if "Refund" in button.label]
    travel(board, "Link expiry")
    assert "ORD-0001" in waiting(late.run())
    travel(board, "Day 366")
    paid.run()
    assert "It could be refunded until" in said(paid)
    assert any("KakaoPay refunds within 365 days" in warning.value for warning in calm(paid).warning)
    assert not [button for button in paid.button if "Refund" in button.label]


def waiting(page: AppTest) -> list[str]:
    """The references of what is overdue."""
    return [reference for table in calm(page).dataframe for reference in table.value["reference"]]


def test_any_other_time(board: Board, open_page: Open) -> None:
    page = opened(open_page(PAGE), "further")
    page.number_input(key="far").set_value(3)
    page.button(key="to_far").click().run()
    assert board.state().clock.ahead_seconds == 3 * 86400


def test_the_next_retry_is_offered_only_while_something_waits(board: Board, home: House, open_page: Open) -> None:
    page = open_page(PAGE)
    assert "Next retry" not in page.select_slider(key="time_stop").options
    assert "Nothing waits: every event was acknowledged." in said(page)
    board.set_fault("drop", on=True, times=1)
    payment = home.create()
    until(lambda: [parcel for parcel in board.parcels("waiting") if parcel.attempts])
    page.run()
    [rows] = [frame.value for frame in calm(page).dataframe]
    assert list(rows["type"]) == ["payment_pending"]
    assert list(rows["tries"]) == ["1, last: lost, drop"]
    travel(page, "Next retry")
    home.told("payment_pending", payment)
    assert board.state().clock.ahead_seconds >= 5 * 60 - 5
    assert "Nothing waits: every event was acknowledged." in said(page)


def test_a_new_run_on_a_seed_empties_the_simulator(board: Board, home: House, open_page: Open) -> None:
    payment = home.create()
    page = opened(open_page(PAGE), "new_run")
    page.text_input(key="new_seed").set_value(" 42 ")
    page.toggle(key="new_standing").set_value(True)
    page.button(key="begin").click().run()
    assert "A new run on seed 42 has begun, its clock stands still." in [text.value for text in calm(page).success]
    assert board.state().run.seed == "42"
    assert home.http.get(f"/payments/{payment['id']}").status_code == 404
    assert "Stands still" in [metric.value for metric in page.metric]
    opened(page, "new_run").text_input(key="new_seed").set_value("")
    page.button(key="begin").click().run()
    assert "in real time" in calm(page).success[0].value
    assert not board.state().clock.standing


def test_a_saved_run_is_lived_again(board: Board, home: House, open_page: Open) -> None:
    board.begin("7", standing=True)
    payment = home.paid()
    saved = board.save()
    board.begin(None, standing=False)
    page = opened(open_page(PAGE), "replay_run")
    assert page.button(key="replay").disabled
    page.file_uploader(key="saved_run").upload("run.json", saved, "application/json").run()
    page.button(key="replay").click().run()
    [text] = [text.value for text in calm(page).success]
    assert text == "Replayed 2 inputs, which brought 3 events: every event came out the same, to the byte."
    assert home.status(payment) == "Captured"


def test_a_file_that_is_no_run_is_refused_in_a_sentence(home: House, open_page: Open) -> None:
    page = opened(open_page(PAGE), "replay_run")
    page.file_uploader(key="saved_run").upload("run.json", b"{}", "application/json").run()
    page.button(key="replay").click().run()
    assert ["This is not a saved run" in error.value for error in page.error] == [True]


def test_a_stored_source_is_revoked(board: Board, home: House, open_page: Open) -> None:
    source = home.paid(payment_type="Recurring")["source"]["id"]
    page = open_page(PAGE)
    page.session_state["sources"] = True
    page.run()
    page.button(key=f"revoke_{source}").click().run()
    assert "is revoked" in calm(page).success[0].value


def test_without_a_simulator_there_is_no_board(
    empty: Database, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHECKOUT_BASE_URL", f"http://127.0.0.1:{free_port()}")
    forget_desk()
    with pytest.raises(ValueError, match="Could not find a navigation page"):
        open_page(PAGE)


def test_a_simulator_that_falls_silent_is_said_to_be_silent(
    empty: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, open_page: Open
) -> None:
    with house(tmp_path) as home:
        monkeypatch.setenv("CHECKOUT_BASE_URL", home.url)
        forget_desk()
        page = calm(open_page(PAGE))
    page.run()
    assert "The simulator does not answer" in said(page)
    assert not page.exception
