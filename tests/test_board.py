"""The control board's client against the real simulator, and against what is none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from lib.board import Board, BoardError
from tests.simulator.house import House, house, order
from tests.support.waiting import until


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as one:
        yield one


@pytest.fixture
def board(home: House) -> Board:
    return Board(home.url)


def answering(status: int, content: bytes = b"") -> Board:
    return Board("http://simulator", transport=httpx.MockTransport(lambda _: httpx.Response(status, content=content)))


def test_switches(board: Board) -> None:
    assert not any(fault.on for fault in board.state().faults.values())
    board.set_fault("delay", on=True, rate=0.25, seconds=7.5)
    board.set_fault("payment_declined", on=True, times=2, code="20005")
    set_ = board.state().faults
    assert (set_["delay"].on, set_["delay"].rate, set_["delay"].seconds, set_["delay"].times) == (True, 0.25, 7.5, None)
    assert (set_["payment_declined"].code, set_["payment_declined"].times) == ("20005", 2)
    board.all_off()
    cleared = board.state().faults
    assert not any(fault.on for fault in cleared.values())
    assert cleared["delay"].seconds == 30


def test_a_setting_that_makes_no_sense_is_explained_and_changes_nothing(board: Board) -> None:
    with pytest.raises(BoardError, match="a response code such as 20051"):
        board.set_fault("payment_declined", code="1", on=True)
    assert not board.state().faults["payment_declined"].on


def test_account(board: Board, home: House) -> None:
    account = board.state().account
    assert account.offers[account.currencies]
    assert datetime.now(account.timezone).utcoffset() == timedelta(hours=8)
    board.set_account(currencies="2024-07", kakaopay=False)
    assert (board.state().account.currencies, board.state().account.kakaopay) == ("2024-07", False)
    assert "payee_not_onboarded" in home.post("/payments", order()).text


def test_the_clock_moves_forward_and_the_pulse_with_it(board: Board, home: House) -> None:
    before = board.state().pulse
    assert board.state().pulse == before
    board.advance(timedelta(days=366))
    clock = board.state().clock
    assert clock.ahead_seconds == 366 * 86400
    assert abs(clock.now - timedelta(days=366) - datetime.now(UTC)) < timedelta(seconds=30)
    moved = board.state().pulse
    assert moved != before
    board.set_fault("drop", on=True)
    switched = board.state().pulse
    assert switched != moved
    board.set_account(kakaopay=False)
    assert board.state().pulse != switched
    board.set_account(kakaopay=True)
    assert board.state().pulse == switched
    home.create()
    assert board.state().pulse != switched
    assert board.state().clock.next_happening


def test_a_run_begins_on_a_seed_is_saved_and_lived_again(board: Board, home: House) -> None:
    board.begin("42", standing=True)
    assert board.state().run.seed == "42"
    assert board.state().clock.standing
    first = home.paid()
    saved = board.save()
    board.begin(None, standing=False)
    assert board.state().run.seed != "42"
    assert not board.state().clock.standing
    assert home.http.get(f"/payments/{first['id']}").status_code == 404
    again = board.replay(saved)
    assert (again.same, again.events) == (True, 3)
    assert again.inputs == 2
    assert home.status(first) == "Captured"


def test_what_is_no_saved_run_is_refused(board: Board) -> None:
    for file in (b'{"format": "other"}', b"not JSON", b"[]"):
        with pytest.raises(BoardError):
            board.replay(file)


def test_a_delivery_waits_with_its_tries_and_is_sent_again(board: Board, home: House) -> None:
    board.set_fault("drop", on=True, times=1)
    payment = home.create()
    until(lambda: [parcel for parcel in board.parcels("waiting") if parcel.attempts])
    [parcel] = board.parcels("waiting")
    assert (parcel.type, parcel.payment_id) == ("payment_pending", payment["id"])
    assert [(each.outcome, each.status, each.faults) for each in parcel.attempts] == [("lost", None, ("drop",))]
    assert parcel.next_at
    assert board.state().clock.next_delivery == parcel.next_at
    board.resend(parcel.id)
    home.told("payment_pending", payment)
    until(lambda: not board.parcels("waiting"))
    [delivered] = board.parcels()
    assert delivered.state == "delivered"


def test_a_stored_source_is_listed_and_revoked(board: Board, home: House) -> None:
    home.paid()
    assert board.sources() == []
    payment = home.paid(payment_type="Recurring", reference="FIRST")
    [source] = board.sources()
    assert (source.id, source.reference, source.customer) == (payment["source"]["id"], "FIRST", "Kim Minji")
    board.revoke(source.id)
    charge = order(source={"type": "id", "id": source.id}, payment_type="Recurring")
    assert "source_id_unknown" in home.post("/payments", charge).text


@pytest.mark.parametrize("identifier", ["evt_unknown", "../seed", "a/b?c#d"])
def test_an_unknown_event_or_source_is_said_to_be_unknown(board: Board, identifier: str) -> None:
    for action in (board.resend, board.revoke):
        with pytest.raises(BoardError, match="does not know"):
            action(identifier)


def test_nobody_there(tmp_path: Path) -> None:
    with house(tmp_path) as home:
        board = Board(home.url)
        assert board.answers()
    assert not board.answers()
    with pytest.raises(BoardError, match="cannot be reached"):
        board.state()


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (200, b"<html>a login page</html>", "not this simulator's control board"),
        (200, b'{"seed": 1}', "not this simulator's control board"),
        (404, b"", "does not know it"),
        (413, b"", "larger than the simulator takes"),
        (500, b"Internal Server Error", "status 500"),
        (422, b'{"error": 7}', "status 422"),
    ],
)
def test_odd_answers_are_told_in_a_sentence(status: int, content: bytes, sentence: str) -> None:
    board = answering(status, content)
    with pytest.raises(BoardError, match=sentence):
        board.state()
    assert not board.answers()


def test_silence_is_told_in_a_sentence() -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    with pytest.raises(BoardError, match="did not answer within 5 seconds"):
        Board("http://simulator", transport=httpx.MockTransport(silent)).state()


def test_when_a_wallet_page_was_first_opened(board: Board, home: House) -> None:
    payment = home.create()
    assert board.opened_on(payment["id"]) is None
    home.http.head(home.wallet(payment))
    assert board.opened_on(payment["id"]) is None
    home.http.get(home.wallet(payment))
    first = board.opened_on(payment["id"])
    assert first
    assert abs(first - datetime.now(UTC)) < timedelta(seconds=30)
    board.advance(timedelta(minutes=1))
    home.http.get(home.wallet(payment))
    assert board.opened_on(payment["id"]) == first
    assert board.opened_on("pay_unknown") is None


@pytest.mark.parametrize(("decision", "status"), [("pay", "Captured"), ("decline", "Declined"), ("cancel", "Canceled")])
def test_playing_the_customer(board: Board, home: House, decision: str, status: str) -> None:
    payment = home.create()
    board.decide(payment["_links"]["redirect"]["href"], decision)
    assert home.status(payment) == status
    with pytest.raises(BoardError):
        board.decide("http://elsewhere/wallet/unknown", decision)
