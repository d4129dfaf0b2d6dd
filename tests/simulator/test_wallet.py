"""The customer's page: what it shows in each state, where it sends the browser, and that nothing on it can be abused."""

from __future__ import annotations

import base64
import io
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import segno
import zxingcpp
from PIL import Image

from tests.simulator.house import House, house

SUCCESS, FAILURE = "https://shop.example/thanks?order=1", "https://shop.example/sorry"


def page(home: House, payment: dict[str, Any]) -> str:
    answer = home.http.get(payment["_links"]["redirect"]["href"])
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(("decision", "goes_to"), [("pay", SUCCESS), ("decline", FAILURE), ("cancel", FAILURE)])
def test_each_decision_carries_the_customer_to_the_right_place(shared: House, decision: str, goes_to: str) -> None:
    payment = shared.create()

    answer = shared.decide(payment, decision)

    assert (answer.status_code, answer.headers["location"]) == (303, goes_to)


def test_the_app_link_and_the_web_link(shared: House) -> None:
    app = shared.create()
    mobile = shared.create(processing={"terminal_type": "WAP", "os_type": "IOS"})
    web = shared.create(processing={"terminal_type": "WEB"})

    assert app["_links"]["redirect"]["href"].endswith("?pspName=KAKAOPAY&loadMode=2")
    assert mobile["_links"]["redirect"]["href"].endswith("?pspName=KAKAOPAY&loadMode=2")
    assert web["_links"]["redirect"]["href"].endswith("?terminal=WEB")
    assert "<svg" not in page(shared, app)
    assert "<svg" in page(shared, web)


def test_the_qr_code_of_the_web_page_opens_the_page_to_pay_on(shared: House) -> None:
    web = shared.create(processing={"terminal_type": "WEB"})
    drawn = re.search(r"<svg.*?</svg>", page(shared, web), re.DOTALL)
    assert drawn

    expected = segno.make(shared.wallet(web), error="m")
    assert drawn.group() == expected.svg_inline(scale=4, border=2, omitsize=True)
    picture = io.BytesIO()
    expected.save(picture, kind="png", scale=4)
    [read] = zxingcpp.read_barcodes(Image.open(picture))
    answer = shared.http.get(read.text)
    assert all(f"value={decision}" in answer.text for decision in ("pay", "decline", "cancel"))


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [("HKD", 110_000, "HKD 1,100.00"), ("KRW", 45_000, "KRW 45,000"), ("EUR", 5, "EUR 0.05")],
)
def test_the_amount_has_the_decimals_of_its_currency(shared: House, currency: str, amount: int, shown: str) -> None:
    assert f"<h1>{shown}</h1>" in page(shared, shared.create(currency=currency, amount=amount))


def test_the_page_says_who_what_and_until_when(shared: House) -> None:
    text = page(shared, shared.create(reference="<b>ORDER</b>"))

    assert "Simulated merchant" in text
    assert "Tea &lt;set&gt;" in text
    assert "&lt;b&gt;ORDER&lt;/b&gt;" in text
    assert "Simulation: no money moves" in text
    left = re.search(r"data-seconds=(\d+)", text)
    assert left
    assert 590 <= int(left.group(1)) <= 600


def test_paying_twice_charges_once(shared: House) -> None:
    payment = shared.paid()
    assert "This payment is done" in page(shared, payment)

    again = shared.decide(payment, "pay")

    assert (again.status_code, again.headers["location"]) == (303, SUCCESS)
    assert shared.decide(payment, "decline").headers["location"] == SUCCESS
    assert [each["type"] for each in shared.actions(payment)] == ["Capture"]


def test_paying_after_expiry_charges_nothing(own: House) -> None:
    payment = own.create()
    own.advance(minutes=10)
    assert own.status(payment) == "Expired"
    assert "This link has expired" in page(own, payment)

    answer = own.decide(payment, "pay")

    assert answer.headers["location"] == FAILURE
    assert own.status(payment) == "Expired"
    assert own.actions(payment) == []


def test_paying_after_expiry_may_take_the_money_all_the_same(own: House) -> None:
    own.faults(late_capture={})
    payment = own.create()
    own.advance(minutes=10)

    assert own.decide(payment, "pay").headers["location"] == SUCCESS

    assert own.status(payment) == "Captured"
    own.told("payment_expired", payment)
    own.told("payment_captured", payment)


@pytest.mark.parametrize(("decision", "word"), [("decline", "declined"), ("cancel", "You left this payment")])
def test_the_page_remembers_a_no(shared: House, decision: str, word: str) -> None:
    payment = shared.create()
    shared.decide(payment, decision)

    assert word in page(shared, payment)
    assert shared.decide(payment, "pay").headers["location"] == FAILURE


def test_nothing_but_the_pages_own_style_and_script_is_allowed(shared: House) -> None:
    answer = shared.http.get(shared.wallet(shared.create()))

    policy = answer.headers["content-security-policy"]
    for name in ("style", "script"):
        [inline] = re.findall(f"<{name}>(.*?)</{name}>", answer.text, re.DOTALL)
        digest = base64.b64encode(sha256(inline.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_a_wrong_link_or_decision_is_a_page_that_says_so(shared: House) -> None:
    payment = shared.create()
    assert shared.http.get("/wallet/unknown").status_code == 404
    assert shared.http.post("/wallet/unknown", data={"decision": "pay"}).status_code == 404
    assert shared.http.post(shared.wallet(payment), data={"decision": "steal"}).status_code == 400
    assert shared.http.post(shared.wallet(payment), content=b"\xff\x00").status_code == 400
    assert shared.http.post(shared.wallet(payment), content=b"a=1&" * 1000).status_code == 400
    assert shared.http.head(shared.wallet(payment)).status_code == 200
    assert shared.http.get(shared.wallet(payment) + "/", follow_redirects=True).status_code == 200
    assert shared.status(payment) == "Pending"


def test_a_declined_customer_can_be_told_any_code(own: House) -> None:
    own.faults(payment_declined={"code": "30041"})
    payment = own.create()

    assert own.decide(payment, "pay").headers["location"] == FAILURE

    event = own.told("payment_declined", payment)
    assert (event["data"]["response_code"], event["data"]["response_summary"]) == ("30041", "Declined - Hard Decline")


def test_the_return_can_name_the_payment(tmp_path: Path) -> None:
    with house(tmp_path, return_payment_id=True) as home:
        payment = home.create()
        assert home.decide(payment, "pay").headers["location"] == f"{SUCCESS}&cko-payment-id={payment['id']}"
        other = home.create()
        assert home.decide(other, "cancel").headers["location"] == f"{FAILURE}?cko-payment-id={other['id']}"


@pytest.mark.parametrize(("name", "sentence"), [("paid", "your order is paid"), ("unpaid", "nothing was charged")])
def test_a_shop_to_return_to_comes_with_it(shared: House, name: str, sentence: str) -> None:
    answer = shared.http.get(f"/wallet/{name}")
    assert answer.status_code == 200
    assert "Simulated merchant" in answer.text
    assert sentence in answer.text
