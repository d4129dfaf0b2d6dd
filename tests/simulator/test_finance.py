"""The finance side: every figure ties to its rows, and every payout to the cent."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from lib.simulator.options import ENTITY
from tests.simulator.house import House, house

HONG_KONG = ZoneInfo("Asia/Hong_Kong")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    """A simulator whose clock stands at noon in Hong Kong."""
    with house(tmp_path) as home:
        home.begin("finance", at="2026-03-02T04:00:00Z")
        yield home


def exact(home: House, path: str, **query: Any) -> Any:
    """JSON with its numbers as decimals."""
    answer = home.http.get(path, params=query or None)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_float=Decimal)


def reports(home: House, kind: str | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = exact(home, "/reports")["data"]
    return [each for each in found if kind in (None, each["type"])]


def rows(home: House, report: dict[str, Any]) -> list[dict[str, str]]:
    file = report["files"][0]
    answer = home.http.get(f"/reports/{report['id']}/files/{file['id']}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert file["filename"] in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.text)))


def total(rows: list[dict[str, str]]) -> Decimal:
    return sum((Decimal(row["Holding Currency Amount"]) for row in rows), Decimal())


def busy_days(home: House) -> None:
    """Three days of trade in three currencies, with a day that ends below zero and one without any."""
    for amount in (110_000, 55_501, 99):
        last = home.paid(amount=amount)
    won = home.paid(currency="KRW", amount=45_000)
    first = home.paid(currency="EUR", amount=10_000)
    home.refunded(won, 5000)
    home.advance(days=1)
    home.refunded(first)
    home.advance(days=1)
    home.paid(currency="EUR", amount=77_777)
    home.refunded(last, 50)
    home.refunded(won)
    home.advance(days=2)


def test_each_payout_is_the_sum_of_its_rows(home: House) -> None:
    busy_days(home)

    paid = [row for report in reports(home, "Payouts") for row in rows(home, report)]
    by_id = {
        report["tags"][0].removeprefix("payout_id:"): report for report in reports(home, "FinancialActionsByPayoutId")
    }
    assert by_id.keys() == {row["Payout ID"] for row in paid}
    assert {row["Holding Currency"] for row in paid} == {"HKD", "EUR"}
    for payout in paid:
        lines = rows(home, by_id[payout["Payout ID"]])
        assert total(lines) == Decimal(payout["Payout Amount"]) > 0
        assert {line["Payout ID"] for line in lines} == {payout["Payout ID"]}
        assert {line["Holding Currency"] for line in lines} == {payout["Holding Currency"]}
        for column, kinds in {
            "Payments": ("Capture",),
            "Refunds": ("Refund",),
            "Premium Variable Fee": ("Premium Variable Fee",),
            "Refund Fixed Fee": ("Refund Fixed Fee",),
        }.items():
            assert total([line for line in lines if line["Breakdown Type"] in kinds]) == Decimal(payout[column])
        parts = parts_of(payout)
        assert sum(parts) == Decimal(payout["Payout Amount"])


def parts_of(payout: dict[str, str]) -> list[Decimal]:
    names = list(payout)
    return [Decimal(payout[name]) for name in names[names.index("Merchant Payout Fees") :]]


def test_every_line_is_in_one_payout_at_most_and_in_the_day_it_happened(home: House) -> None:
    busy_days(home)

    by_payout = [line for report in reports(home, "FinancialActionsByPayoutId") for line in rows(home, report)]
    by_day = [line for report in reports(home, "FinancialActions") for line in rows(home, report)]
    key = ("Action ID", "Breakdown Type")
    assert len({tuple(line[name] for name in key) for line in by_payout}) == len(by_payout)
    assert len({tuple(line[name] for name in key) for line in by_day}) == len(by_day)
    assert {line["Action ID"] for line in by_payout} <= {line["Action ID"] for line in by_day}
    for report in reports(home, "FinancialActions"):
        start, end = (datetime.fromisoformat(report[name]) for name in ("from", "to"))
        assert start.astimezone(HONG_KONG).time() == end.astimezone(HONG_KONG).time() == datetime.min.time()
        for line in rows(home, report):
            local = datetime.fromisoformat(line["Processed On"]).replace(tzinfo=HONG_KONG)
            assert local == datetime.fromisoformat(line["Processed On UTC"]).replace(tzinfo=UTC)
            assert start <= local < end
            assert line["Timezone"] == "Asia/Hong_Kong"


def test_days_are_cut_in_the_zone_of_the_entity(home: House) -> None:
    before = home.paid()
    home.advance(hours=11, minutes=59)  # 23:59 in Hong Kong
    evening = home.paid()
    home.advance(minutes=2)
    after = home.paid()
    home.advance(days=1)

    newest, oldest = reports(home, "FinancialActions")
    assert {line["Payment ID"] for line in rows(home, oldest)} == {before["id"], evening["id"]}
    assert {line["Payment ID"] for line in rows(home, newest)} == {after["id"]}
    assert oldest["files"][0]["filename"] == f"financial-actions_{ENTITY}_20260302_20260302_1.csv"
    assert oldest["to"] == "2026-03-02T16:00:00.0000000Z"


def test_a_day_below_zero_is_carried_forward(home: House) -> None:
    payment = home.paid(amount=10_000)
    home.advance(days=1)
    home.refunded(payment)
    home.advance(days=1)
    assert len(reports(home, "Payouts")) == 1
    [balance] = exact(home, f"/balances/{ENTITY}", query="currency:HKD")["data"]
    assert balance["balances"]["available"] == -10_015

    home.paid(amount=50_000)
    home.advance(days=1)

    newest, _ = reports(home, "Payouts")
    [payout] = rows(home, newest)
    assert Decimal(payout["Payout Amount"]) == Decimal("500.00") - 11 - Decimal("0.28") - Decimal("100.15")
    assert payout["Reporting Start Date"].startswith("2026-03-03")
    assert payout["Payout Date"] == "2026-03-06"


def test_a_capture_and_its_fees(home: House) -> None:
    payment = home.paid(amount=110_000)
    action = home.refunded(payment, 10_000)

    found = exact(home, "/financial-actions", payment_id=payment["id"])

    refund, capture = found["data"]
    lines = [(line["breakdown_type"], line["holding_currency_amount"]) for line in capture["breakdown"]]
    assert lines == [
        ("Capture", Decimal(1100)),
        ("Premium Variable Fee", Decimal("-24.20")),
        ("Premium Fixed Fee", Decimal("-0.20")),
        ("Gateway Fixed Fee", Decimal("-0.08")),
    ]
    assert (refund["action_id"], refund["action_type"]) == (action, "Refund")
    assert [line["holding_currency_amount"] for line in refund["breakdown"]] == [Decimal(-100), Decimal("-0.15")]
    assert (capture["payment_method"], capture["entity_id"]) == ("KAKAOPAY", ENTITY)
    assert (capture["response_code"], capture["response_description"]) == ("10000", "Approved")
    only = exact(home, "/financial-actions", action_id=action)
    assert [each["action_id"] for each in only["data"]] == [action]


def test_won_is_held_in_hong_kong_dollars(home: House) -> None:
    payment = home.paid(currency="KRW", amount=45_000)

    [capture] = exact(home, "/financial-actions", reference="ORDER-1")["data"]

    money = capture["breakdown"][0]
    assert capture["payment_id"] == payment["id"]
    assert (money["processing_currency"], money["processing_currency_amount"]) == ("KRW", Decimal(45_000))
    assert (money["holding_currency"], money["holding_currency_amount"]) == ("HKD", Decimal("255.60"))
    assert money["fx_rate_applied"] == Decimal("0.00568")
    answer = home.http.get("/financial-actions", params={"payment_id": payment["id"]})
    assert '"holding_currency_amount":255.60000000' in answer.text


def test_nothing_declined_and_nothing_pending_is_booked(home: House) -> None:
    payment = home.create()
    home.decide(payment, "decline")

    assert exact(home, "/financial-actions", payment_id=payment["id"])["data"] == []


def test_pages_follow_each_other_without_gap_or_overlap(home: House) -> None:
    payment = home.paid()
    refunds = [home.refunded(payment, 10) for _ in range(6)]

    seen, path = [], f"/financial-actions?payment_id={payment['id']}&limit=3"
    while path:
        page = exact(home, path)
        assert page["count"] == len(page["data"]) <= page["limit"] == 3
        seen += [each["action_id"] for each in page["data"]]
        path = page["_links"].get("next", {}).get("href", "").removeprefix(home.url)

    assert seen[:6] == refunds[::-1]
    assert len(seen) == 7


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "parameter_invalid"),
        ("payment_id=pay_1&limit=0", "paging_limit_invalid"),
        ("payment_id=pay_1&limit=101", "paging_limit_invalid"),
        ("payment_id=pay_1&limit=ten", "paging_limit_invalid"),
        ("payment_id=pay_1&pagination_token=!!", "parameter_invalid"),
        ("payment_id=pay_1&pagination_token=aGVsbG8", "parameter_invalid"),
    ],
)
def test_a_bad_question_is_refused(shared: House, query: str, code: str) -> None:
    answer = shared.http.get(f"/financial-actions?{query}")

    assert (answer.status_code, answer.json()["error_codes"]) == (422, [code])


def test_reports_are_found_by_time_and_entity(home: House) -> None:
    busy_days(home)
    everything = reports(home)
    assert len(everything) == len({each["id"] for each in everything})

    cut = everything[0]["created_on"]
    assert all(each["created_on"] < cut for each in exact(home, "/reports", created_before=cut)["data"])
    assert all(each["created_on"] >= cut for each in exact(home, "/reports", created_after=cut)["data"])
    assert exact(home, "/reports", created_after=cut, created_before=cut)["data"] == []
    assert exact(home, "/reports", entity_id="ent_other")["data"] == []
    assert exact(home, f"/reports/{everything[0]['id']}") == everything[0]
    first = exact(home, "/reports", limit=2)
    after = exact(home, first["_links"]["next"]["href"].removeprefix(home.url))
    assert first["data"] + after["data"] == everything[:4]
    assert home.http.get("/reports?created_after=yesterday").status_code == 422
    wrong = f"/reports/{everything[0]['id']}/files/{everything[1]['files'][0]['id']}"
    assert home.http.get(wrong).status_code == 404


def test_balances_move_from_available_to_payable_to_the_bank(home: House) -> None:
    def held(**query: Any) -> tuple[int, int]:
        [row] = exact(home, f"/balances/{ENTITY}", query="currency:HKD", **query)["data"]
        return row["balances"]["available"], row["balances"]["payable"]

    assert held() == (0, 0)
    home.paid(amount=110_000)
    net = 110_000 - 2420 - 28
    assert held() == (net, 0)
    noon = home.http.get("/_control/clock").json()["now"]
    home.advance(days=1)
    assert held() == (0, net)
    home.advance(days=1)
    assert held() == (0, 0)

    assert held(balancesAt=noon) == (net, 0)
    future = home.http.get(f"/balances/{ENTITY}", params={"balancesAt": "2030-01-01T00:00:00Z"})
    assert future.status_code == 422


def test_balances_name_every_currency_and_account(home: House) -> None:
    rows = exact(home, f"/balances/{ENTITY}", withCurrencyAccountId="true")["data"]

    assert [row["holding_currency"] for row in rows] == ["HKD", "SGD", "EUR", "GBP", "AUD"]
    assert len({row["currency_account_id"] for row in rows}) == 5
    assert all("currency_account_id" not in row for row in exact(home, f"/balances/{ENTITY}")["data"])
    assert home.http.get(f"/balances/{ENTITY}?query=colour:red").status_code == 422
