"""The dry run: a verdict for each row, on both databases, before any money moves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, event

from lib.ledger import audit
from lib.ledger.bulk import batches
from lib.ledger.bulk.check import CHUNK
from lib.ledger.bulk.views import LineShown, find_bulk, lines_of, newest_bulks, tallies, would_move
from lib.ledger.desk import Desk
from lib.ledger.record import record
from lib.ledger.search import index_waiting
from lib.money import Money
from lib.operators import NotAllowed, Operator
from tests.ledger.bulk.conftest import ANA, HEADER, Provider, paid, upload
from tests.support.databases import on_both
from tests.support.events import webhook

TABLE = [
    ("ORD-1,10,HKD,damaged", "ready", ""),
    ("pay_1,10,hkd,Damaged or faulty", "ready", ""),
    ('ORD-2,"45,000",KRW,other', "ready", ""),
    ("ORD-RETRIED,1.00,HKD,other", "ready", ""),
    ("ORD-1,10.01,HKD,damaged", "exceeds", "Only HKD 10.00 is left to refund."),
    ('ORD-1,"1,234.50",HKD,other', "exceeds", "Only HKD 10.00 is left to refund."),
    ("ORD-1,1,234.50,HKD,other", "bad_row", "The currency column says “234.50”."),
    ("ORD-1,1,234.50,HKD,other,cup", "bad_row", "This row has 6 cells and the header has 5."),
    ('ORD-1,"1.234,50",HKD,other', "bad_amount", "“1.234,50” is not an amount: decimals come after a point"),
    ('ORD-1,"10,50",HKD,other', "bad_amount", "“10,50” is not an amount: decimals come after a point"),
    ("ORD-1,-5,HKD,other", "bad_amount", "The amount must be more than zero; leave out the minus sign."),
    ("ORD-1,0,HKD,other", "bad_amount", "The amount must be more than zero."),
    ("ORD-1,,HKD,other", "bad_amount", "Enter an amount, for example 1,100.00."),
    ("ORD-1,ten,HKD,other", "bad_amount", "“ten” is not an amount: leave out the letters."),
    ("ORD-2,100.50,KRW,other", "bad_amount", "KRW has no decimals, but “100.50” has 2."),
    ("ORD-1,10,KRW,other", "wrong_currency", "This payment was made in HKD, not in KRW."),
    ("ORD-1,10,,other", "wrong_currency", "This payment was made in HKD, and the row names no currency."),
    ("ORD-9,10,HKD,other", "unknown_payment", "There is no payment with the reference ORD-9 here."),
    ("ord-1,10,HKD,other", "unknown_payment", "There is no payment with the reference ord-1 here."),
    (",10,HKD,other", "unknown_payment", "This row names no payment."),
    ("ORD-TWICE,1,HKD,other", "ambiguous", "2 captured payments have the reference ORD-TWICE."),
    ("ORD-3,1,HKD,other", "not_refundable", "Only a captured payment can be refunded, and this one is Declined."),
    ("ORD-1,1,HKD,because", "unknown_reason", "“because” is not one of the reasons."),
    ("ORD-1,1,HKD,", "unknown_reason", "The row gives no reason."),
    ("ORD-1,=1+1,HKD,other", "bad_row", "“=1+1” in the column amount is a formula."),
    ("@SUM(1),1,HKD,other", "bad_row", "“@SUM(1)” in the column reference is a formula."),
]


def verdicts(desk: Desk, bulk_id: str) -> list[tuple[str, str]]:
    return [(shown.line.status, shown.line.said.replace("\u00a0", " ")) for shown in rows(desk, bulk_id)]


def rows(desk: Desk, bulk_id: str) -> list[LineShown]:
    return lines_of(desk.database, bulk_id).rows


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """A payment in dollars, one in won, one that was declined, and one reference that three payments carry."""
    database = desk.database
    paid(database, 1)
    paid(database, 2, 45_000, "KRW")
    record(database, [webhook("payment_declined", "d3", 3, "pay_3", amount=5, action_id="d", reference="ORD-3")])
    paid(database, 4, reference="ORD-TWICE")
    index_waiting(database)  # what comes now is not in the search index yet
    paid(database, 5, reference="ORD-TWICE")
    record(database, [webhook("payment_declined", "d6", 6, "pay_6", amount=5, action_id="d", reference="ORD-RETRIED")])
    paid(database, 7, reference="ORD-RETRIED")
    return desk


@on_both
def test_every_row_gets_a_verdict_and_a_sentence(shop: Desk, provider: Provider) -> None:
    for row, status, sentence in TABLE:
        uploaded = upload(shop, row)
        [(found, said)] = verdicts(shop, uploaded.bulk.id)
        assert (row, found) == (row, status)
        assert said.startswith(sentence)
        assert bool(said) == (status != "ready")
        assert uploaded.bulk.state == "checked"
    assert provider.calls == []


def test_rows_by_payment_id_and_the_two_that_contradict_each_other(shop: Desk) -> None:
    header = "payment id,reference,amount,currency,reason\n"
    given = ("pay_1,,1,HKD,other", "pay_1,ORD-1,2,HKD,other", "pay_1,ORD-2,3,HKD,other", "pay_8,,4,HKD,other")
    found = verdicts(shop, upload(shop, *given, header=header).bulk.id)
    assert [status for status, _ in found] == ["ready", "ready", "ambiguous", "unknown_payment"]
    assert found[2][1].startswith("The payment id is that of ORD-1, the reference is ORD-2.")


@on_both
def test_rows_on_one_payment_add_up(shop: Desk) -> None:
    bulk = upload(shop, "ORD-1,6,HKD,other", "pay_1,5,HKD,other", "ORD-1,4,HKD,other", "ORD-2,100,KRW,other").bulk
    assert verdicts(shop, bulk.id) == [
        ("ready", ""),
        ("exceeds", "Only HKD 4.00 is left to refund after the rows above."),
        ("ready", ""),
        ("ready", ""),
    ]
    [ready] = would_move(tallies(shop.database, bulk.id))
    assert (ready.count, ready.money) == (3, (Money(1000, "HKD"), Money(100, "KRW")))


def test_rules_with_their_source_and_a_second_person_above_the_limit(shop: Desk) -> None:
    limited = replace(shop, settings=shop.settings.model_copy(update={"refund_limits": "support HKD 3"}))
    support = Operator("Sam", frozenset({"support"}))
    given = "ORD-1,2,HKD,other\nORD-1,2,HKD,damaged\nORD-1,1,HKD,other\nORD-2,49,KRW,other\n"
    bulk = batches.upload(limited, support, "refunds.csv", (HEADER + given).encode()).bulk
    found = verdicts(limited, bulk.id)
    assert [status for status, _ in found] == ["ready", "needs_approval", "ready", "not_refundable"]
    assert found[3][1].startswith("KakaoPay refuses refunds under KRW 50 (")
    assert sum(tally.count for tally in would_move(tallies(limited.database, bulk.id))) == 3


def test_a_payment_too_old_to_be_refunded_is_kept_back(desk: Desk) -> None:
    paid(desk.database, 1, days=800)
    [(status, said)] = verdicts(desk, upload(desk, "ORD-1,2,HKD,other").bulk.id)
    assert status == "not_refundable"
    assert said.startswith("KakaoPay refunds within 365 days")


def test_the_same_row_twice_is_a_slip_unless_the_notes_differ(shop: Desk) -> None:
    bulk = upload(shop, "ORD-1,1,HKD,other,cup", "ORD-1,1.00,HKD,Other,cup", "ORD-1,1,HKD,other,plate").bulk
    found = verdicts(shop, bulk.id)
    assert [status for status, _ in found] == ["ready", "duplicate", "ready"]
    assert found[1][1].startswith("The same as row 2.")


def test_the_same_content_is_the_same_file(shop: Desk) -> None:
    first = upload(shop, "ORD-1,1,HKD,other")
    again = upload(shop, "ORD-1;1;HKD;other", header=HEADER.replace(",", ";"), name="copy.csv")
    assert (first.new, again.new) == (True, False)
    assert again.bulk == first.bulk
    assert [bulk.file_name for bulk in newest_bulks(shop.database)] == ["refunds.csv"]


def test_an_upload_that_broke_off_is_taken_up_by_the_next(shop: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CHUNK", 2)
    keep, times = batches._keep, iter([True, False])

    def break_off(*given: object) -> bool:
        if next(times, False):
            return keep(*given)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    given = [f"ORD-1,0.0{cents},HKD,other" for cents in range(1, 6)]
    with monkeypatch.context() as broken:
        broken.setattr(batches, "_keep", break_off)
        with pytest.raises(KeyboardInterrupt):
            upload(shop, *given)
    [half] = newest_bulks(shop.database)
    assert (half.state, len(rows(shop, half.id))) == ("reading", 2)
    whole = upload(shop, *given)
    assert (whole.new, whole.bulk.id, whole.bulk.state) == (True, half.id, "checked")
    assert len(rows(shop, half.id)) == 5


@on_both
def test_looking_again_judges_by_what_the_ledger_says_now(shop: Desk) -> None:
    bulk = upload(shop, "ORD-8,10,HKD,other", "=1,1,HKD,other").bulk
    assert [status for status, _ in verdicts(shop, bulk.id)] == ["unknown_payment", "bad_row"]
    paid(shop.database, 8)
    batches.check_again(shop, ANA, bulk.id)
    assert [status for status, _ in verdicts(shop, bulk.id)] == ["ready", "bad_row"]
    assert find_bulk(shop.database, bulk.id).state == "checked"  # type: ignore[union-attr]


def test_pages_of_rows_there_and_back(shop: Desk) -> None:
    bulk = upload(shop, *(f"ORD-{'1' if number % 2 else '9'},0.{number:02},HKD,other" for number in range(1, 13))).bulk

    def page(**place: int | None) -> list[int]:
        return [shown.line.line for shown in lines_of(shop.database, bulk.id, ("ready",), limit=4, **place).rows]

    first = lines_of(shop.database, bulk.id, ("ready",), limit=4)
    second = lines_of(shop.database, bulk.id, ("ready",), limit=4, after=first.after)
    assert (page(), page(after=first.after), page(before=second.before)) == ([2, 4, 6, 8], [10, 12], [2, 4, 6, 8])
    assert (first.before, second.after) == (None, None)


def test_rows_are_judged_by_the_hundred_and_not_one_by_one(shop: Desk) -> None:
    asked: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        upload(shop, *(f"ORD-{number},1,HKD,other" for number in range(2 * CHUNK)))
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    assert len(asked) < 40


def test_only_who_may_refund_may_upload(shop: Desk) -> None:
    viewer = Operator("Vera", frozenset({"viewer"}))
    with pytest.raises(NotAllowed, match="may not refund"):
        batches.upload(shop, viewer, "refunds.csv", HEADER.encode() + b"ORD-1,1,HKD,other\n")
    assert newest_bulks(shop.database) == []


def test_an_upload_is_in_the_log_once(shop: Desk) -> None:
    for _ in range(2):
        upload(shop, "ORD-1,1,HKD,other")
    with shop.database.read() as connection:
        logged = [(row.action, row.who, row.after) for row in connection.execute(audit.AUDIT.select())]
    assert logged == [("bulk.uploaded", "Ana", '{"lines":1}')]
