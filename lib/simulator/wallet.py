"""The customer's page behind the redirect link: what KakaoPay and the Alipay+ simulation page show, and the way back to the shop.

`/wallet/paid` and `/wallet/unpaid` stand in for the shop, for whoever has no shop to send a customer back to.

Plain HTML from the server. The one script counts down and reloads; without it the page works the same.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from html import escape
from typing import Final
from urllib.parse import parse_qs

import segno
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from lib import catalog
from lib.simulator.engine import Engine
from lib.simulator.problem import Refusal
from lib.simulator.shapes import CAPTURED
from lib.simulator.store import Payment, Visit

DECISIONS: Final = ("pay", "decline", "cancel")

_STYLE: Final = """
*{box-sizing:border-box}
body{margin:0;background:#f2f2f0;color:#191919;font:16px/1.5 system-ui,-apple-system,"Apple SD Gothic Neo","Noto Sans KR",sans-serif}
.sign{margin:0;background:#191919;color:#fff;text-align:center;padding:.5rem 1rem;font-size:.875rem}
main{max-width:26rem;margin:1.25rem auto;padding:0 1rem}
article{background:#fff;border-radius:1rem;overflow:hidden;border:1px solid #e0e0dc}
header{background:#fee500;padding:1rem 1.25rem;font-weight:700;font-size:1.125rem}
section{padding:1.25rem}
h1{font-size:2rem;line-height:1.2;margin:.25rem 0 1rem;overflow-wrap:anywhere}
.shop{color:#55554f;margin:0}
dl{display:grid;grid-template-columns:auto 1fr;gap:.375rem 1rem;margin:0 0 1.25rem;font-size:.9375rem}
dt{color:#55554f}dd{margin:0;text-align:right;overflow-wrap:anywhere}
.state{border-radius:.75rem;background:#f2f2f0;padding:.75rem 1rem;margin:0 0 1.25rem}
button{width:100%;min-height:3.25rem;border-radius:.75rem;border:1px solid #c9c9c3;background:#fff;color:#191919;
font:inherit;font-weight:600;margin-top:.625rem;cursor:pointer}
button.pay{background:#fee500;border-color:#fee500}
button:focus-visible{outline:3px solid #0b57d0;outline-offset:2px}
.code{text-align:center;margin:0 0 1.25rem}.code svg{width:13rem;max-width:100%;height:auto}
small{display:block;color:#55554f;margin-top:1rem}
"""
_SCRIPT: Final = """
const left=document.getElementById("left");
if(left){let n=Number(left.dataset.seconds);const show=()=>{left.textContent=Math.floor(n/60)+":"+String(n%60).padStart(2,"0")};
show();const timer=setInterval(()=>{n-=1;if(n<0){clearInterval(timer);location.replace(location.href)}else show()},1000)}
"""


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode() + "'"


_HEADERS: Final = {
    # form-action names schemes, not 'self': browsers hold the way back to the shop against it, too.
    "Content-Security-Policy": f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; "
    "form-action http: https:; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_STATES: Final = {
    "Pending": ("", ""),
    "Declined": ("거절되었습니다", "This payment was declined. Nothing was charged."),
    "Expired": (
        "결제 시간이 만료되었습니다",
        "This link has expired. Nothing was charged; ask the shop for a new one.",
    ),
    "Canceled": ("결제를 취소했습니다", "You left this payment. Nothing was charged."),
}
_SHOP: Final = {
    "paid": ("주문해 주셔서 감사합니다", "Thank you, your order is paid. You are back at the shop."),
    "unpaid": ("결제되지 않았습니다", "Your order is not paid, and nothing was charged. You are back at the shop."),
}
_PAID: Final = ("결제가 완료되었습니다", "This payment is done. Paying again charges nothing.")


@dataclass(frozen=True)
class _View:
    shop: str
    payment: Payment
    now: datetime
    own_address: str
    web: bool


class Wallet:
    """`/wallet/{code}`: GET shows the page, POST takes the customer's decision."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def routes(self) -> list[Route]:
        return [
            Route("/wallet/{code}", self.show, methods=["GET"]),
            Route("/wallet/{code}", self.decide, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        code = request.path_params["code"]
        if code in _SHOP:
            return _message(*_SHOP[code], 200, sign=self._engine.options.entity_name)
        payment = await self._open(code, looking=request.method == "GET")
        if payment is None:
            return _message(
                "없는 결제입니다", "There is no such payment. Check the link, or ask the shop for a new one.", 404
            )
        view = _View(
            shop=self._engine.options.entity_name,
            payment=payment,
            now=self._engine.clock.now(),
            own_address=f"{self._engine.options.base()}/wallet/{payment.code}",
            web=request.query_params.get("terminal") == "WEB",
        )
        return HTMLResponse(_page(_card(view)), headers=_HEADERS)

    async def decide(self, request: Request) -> Response:
        decision = _decision(await request.body())
        if decision not in DECISIONS:
            return _message("다시 시도해 주세요", "Choose Pay now, Decline or Walk away on the payment page.", 400)
        try:
            url = await self._engine.perform("decide", code=request.path_params["code"], decision=decision)
        except Refusal:
            return _message(
                "없는 결제입니다", "There is no such payment. Check the link, or ask the shop for a new one.", 404
            )
        return RedirectResponse(url, status_code=303, headers=_HEADERS)

    async def _open(self, code: str, *, looking: bool) -> Payment | None:
        """The payment behind a page. Remembers when somebody first looked at it."""

        def put(db: Session) -> Payment | None:
            payment = db.scalar(select(Payment).where(Payment.code == code))
            if payment and looking and db.get(Visit, payment.id) is None:
                db.add(Visit(payment_id=payment.id, at=self._engine.clock.now()))
            return payment

        return await self._engine.write(put)


def _decision(raw: bytes) -> str:
    """The `decision` of a posted form, or nothing."""
    try:
        return parse_qs(raw.decode("utf-8", "replace"), max_num_fields=20).get("decision", [""])[0]
    except ValueError:
        return ""


def amount(minor: int, currency: str) -> str:
    """`HKD 1,100.00`: the currency's own number of decimals."""
    digits = catalog.digits(currency)
    whole, rest = divmod(minor, 10**digits)
    return f"{currency} {whole:,}" + (f".{rest:0{digits}d}" if digits else "")


def _card(view: _View) -> str:
    payment = view.payment
    figure = amount(payment.amount, payment.currency)
    items = ", ".join(str(item["name"]) for item in payment.details.get("items", []) if item.get("name"))
    rows = [("주문번호", "Order", payment.reference), ("상품", "Items", items)]
    if payment.payment_type == "Recurring":
        rows.append(("정기결제", "Recurring", "The shop may charge you again later"))
    facts = "".join(
        f"<dt>{korean} <span>{english}</span></dt><dd>{escape(value)}</dd>" for korean, english, value in rows if value
    )
    return (
        f"<article><header>카카오페이 KakaoPay</header><section><p class=shop>{escape(view.shop)}</p>"
        f"<h1>{escape(figure)}</h1><dl>{facts}</dl>{_state(view)}{_code(view)}{_form(view)}"
        "</section></article>"
    )


def _state(view: _View) -> str:
    payment = view.payment
    if payment.status != "Pending":
        korean, english = _PAID if payment.status in CAPTURED else _STATES[payment.status]
        return f"<p class=state role=status><strong lang=ko>{korean}</strong><br>{english}</p>"
    assert payment.expires_on is not None, "only a charge by stored source has no end, and it has no page"
    seconds = max(0, int((payment.expires_on - view.now).total_seconds()))
    return (
        f"<p class=state>남은 시간 Time left: <strong id=left data-seconds={seconds}>{seconds // 60}:{seconds % 60:02}</strong>"
        f"<br>Until {payment.expires_on:%H:%M:%S} UTC on {payment.expires_on:%d %B %Y}</p>"
    )


def _code(view: _View) -> str:
    if not view.web or view.payment.status != "Pending":
        return ""
    svg = segno.make(view.own_address, error="m").svg_inline(scale=4, border=2, omitsize=True)
    return (
        f'<p class=code role=img aria-label="QR code that opens this payment on a phone">{svg}</p>'
        "<p>휴대폰으로 스캔하세요. Scan this with your phone, or go on here.</p>"
    )


def _form(view: _View) -> str:
    if view.payment.status == "Pending":
        buttons = (
            "<button class=pay name=decision value=pay>결제하기 · Pay now</button>"
            "<button name=decision value=decline>거절 · Decline</button>"
            "<button name=decision value=cancel>나가기 · Walk away</button>"
        )
    elif view.payment.status in CAPTURED:
        buttons = "<button name=decision value=pay>다시 결제 · Pay again</button>"
    else:
        late = " after expiry" if view.payment.status == "Expired" else " anyway"
        buttons = f"<button name=decision value=pay>결제하기 · Pay{late}</button>"
    return f"<form method=post>{buttons}</form><small>이 버튼을 누르면 상점으로 돌아갑니다. Each button takes you back to the shop.</small>"


def _message(korean: str, english: str, status: int, *, sign: str = "카카오페이 KakaoPay") -> HTMLResponse:
    card = (
        f"<article><header>{escape(sign)}</header><section>"
        f"<p class=state><strong lang=ko>{korean}</strong><br>{english}</p></section></article>"
    )
    return HTMLResponse(_page(card), status_code=status, headers=_HEADERS)


def _page(card: str) -> str:
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1"><title>KakaoPay (simulation)</title>'
        f"<style>{_STYLE}</style></head><body><p class=sign>모의 결제 · Simulation: no money moves</p>"
        f"<main>{card}</main><script>{_SCRIPT}</script></body></html>"
    )
