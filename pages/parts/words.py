"""The words of the screens: one word, one icon and one colour for every state; times with zone and age; short ids."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from lib import catalog
from lib.ledger.tables import Payment, Refund
from lib.operators import ROLES


@dataclass(frozen=True, slots=True)
class Sign:
    """How one state is shown. `meaning` is a sentence for somebody who meets the word for the first time."""

    word: str
    icon: str
    colour: str
    meaning: str

    @property
    def badge(self) -> str:
        """Markdown of the badge."""
        return f":{self.colour}-badge[:material/{self.icon}: {self.word}]"


STATUSES: Mapping[str, Sign] = {
    "Pending": Sign("Pending", "schedule", "orange", "The customer has not paid yet, or the capture is on its way."),
    "Captured": Sign("Captured", "check_circle", "green", "The customer paid, and the amount was captured."),
    "Partially Refunded": Sign("Partially Refunded", "timelapse", "blue", "Paid, and part of it was given back."),
    "Refunded": Sign("Refunded", "undo", "violet", "Paid, and all of it was given back."),
    "Declined": Sign("Declined", "block", "red", "KakaoPay or the customer refused. No money moved."),
    "Expired": Sign("Expired", "timer_off", "gray", "Nobody paid before the link ran out. No money moved."),
    "Canceled": Sign("Canceled", "close", "gray", "The customer walked away from the KakaoPay page. No money moved."),
}

REFUND_STATUSES: Mapping[str, Sign] = {
    "awaiting_approval": Sign("Awaiting approval", "approval", "gray", "A second person has to agree first."),
    "submitting": Sign(
        "Sending",
        "sync",
        "blue",
        "Checkout.com has not answered yet. It is asked again by itself; do not refund again.",
    ),
    "pending": Sign("Pending", "schedule", "orange", "Checkout.com accepted it. KakaoPay has not decided yet."),
    "refunded": Sign("Refunded", "undo", "violet", "KakaoPay gave the money back."),
    "declined": Sign("Declined", "block", "red", "KakaoPay refused it. The amount can be refunded again."),
    "failed": Sign("Not accepted", "error", "red", "Checkout.com refused the request. No money moved."),
    "cancelled": Sign("Cancelled", "close", "gray", "It was withdrawn before it was sent. No money moved."),
}

KEPT_BACK = Sign("Kept back", "hourglass_top", "blue", "It is not sent yet and can still be cancelled.")
"""How a refund is shown that is `submitting` and still held."""

VERDICTS: Mapping[str, Sign] = {
    "accepted": Sign("Accepted", "check_circle", "green", "The signature holds and the event is stored."),
    "duplicate": Sign("Duplicate", "content_copy", "gray", "The event was here already. Nothing changed."),
    "conflicting": Sign(
        "Conflicting", "difference", "orange", "The event was here already with another body. The first one stands."
    ),
    "unknown_type": Sign(
        "Unknown type", "question_mark", "orange", "An event of a kind that we do not know. Kept; it changes nothing."
    ),
    "bad_signature": Sign("Bad signature", "gpp_bad", "red", "No key of ours matches the signature. Refused."),
    "no_signature": Sign("No signature", "gpp_maybe", "red", "It came without a signature. Refused."),
    "not_json": Sign("Not JSON", "data_alert", "red", "Signed, but it cannot be read as JSON. Refused."),
    "too_large": Sign("Too large", "scale", "red", "Larger than an event ever is. Refused."),
    "quarantined": Sign(
        "Quarantined", "inventory_2", "orange", "Signed, but we failed to read it. Kept whole; it can be tried again."
    ),
}

EVENTS: Mapping[str, str] = {
    "payment_requested": "asked for the payment",
    "payment_accepted": "Checkout.com accepted the request",
    "payment_refused": "Checkout.com refused the request",
    "payment_pending": "the payment was started",
    "payment_approved": "the customer approved it",
    "payment_capture_pending": "the customer agreed, capture is on its way",
    "payment_captured": "the payment was captured",
    "payment_declined": "the payment was declined",
    "payment_expired": "the link expired",
    "payment_canceled": "the customer walked away",
    "payment_refund_pending": "a refund was accepted",
    "payment_refunded": "a refund was paid out",
    "payment_refund_declined": "a refund was declined",
    "refund_requested": "asked for a refund",
    "refund_accepted": "Checkout.com accepted the refund",
    "refund_refused": "Checkout.com refused the refund",
    "refund_approved": "approved the refund",
    "refund_rejected": "rejected the refund",
    "refund_cancelled": "cancelled the refund before it was sent",
    "refund_lapsed": "nobody approved the refund in time",
    "refund_released": "the refund was no longer kept back",
    "note_added": "wrote a note",
    "customer_erased": "had the customer's personal data erased",
    "payment_read": "the payment was looked up at Checkout.com",
    "actions_read": "the payment's actions were looked up at Checkout.com",
}
"""What happened, for the known types of facts; see `event`."""

SOURCES: Mapping[str, tuple[str, str]] = {
    "human": ("person", "Person"),
    "api": ("api", "API"),
    "webhook": ("webhook", "Webhook"),
    "poll": ("manage_search", "Look-up"),
    "clock": ("timer", "Time"),
}
"""Icon and word for where a fact comes from."""

_JUST_NOW = timedelta(seconds=45)
_RESPONSE_CODES: Mapping[str, str] = {
    "20005": "The customer's wallet refused without giving a reason. They can try again or pay another way.",
    "20006": "KakaoPay could not carry it out as it was asked for.",
    "20051": "There was not enough money in the customer's wallet.",
    "20120": "KakaoPay does not know this customer, or the account is closed.",
}
_RESPONSE_NAMES: Mapping[str, str] = {
    "20005": "No reason given",
    "20006": "Not carried out",
    "20051": "Not enough money",
    "20120": "Customer not known",
}
_RESPONSE_GROUPS: Mapping[str, str] = {
    "10": "Approved.",
    "20": "Declined; it may work on another try.",
    "30": "Declined for good; another try will not help.",
    "40": "Declined because of a risk rule.",
}

_ATTENTION: Mapping[str, str] = {
    "contradiction": "Checkout.com said both that this payment ended unpaid and that it was captured. We count the "
    "money as received. Compare with Checkout.com's dashboard before you promise anything.",
    "missing_facts": "Checkout.com's totals say more than the events that reached us. The totals are right; the "
    "missing events are being fetched.",
    "refund_contradiction": "Checkout.com said of one refund both that it was paid out and that it was declined. The later "
    "word counts here. Compare with Checkout.com's dashboard before you refund again.",
    "currency_conflict": "Events about this payment name different currencies. We keep to the first; ask Checkout.com "
    "which one holds.",
    "over_refunded": "More was refunded than was captured. Ask Checkout.com, and refund no more.",
}


def status(value: str) -> Sign:
    """How to show a payment's status; one we do not know is shown as it came."""
    return STATUSES.get(value) or _unknown(value)


def refund_status(value: str) -> Sign:
    """How to show a refund's status."""
    return REFUND_STATUSES.get(value) or _unknown(value)


def refund_sign(refund: Refund) -> Sign:
    """How to show where a refund stands; one that is kept back is not being sent yet."""
    return KEPT_BACK if refund.held_until else refund_status(refund.status)


def refund_reason(refund: Refund) -> str:
    """Why it was asked for, in the words of the day on which it was."""
    return plain(refund.reason_label) if refund.reason_label else reason(refund.reason)


def refund_ending(refund: Refund) -> str:
    """Why no money moved, and who saw to it; empty for a refund that is open or done."""
    if refund.status == "failed":
        return plain(refund.response_summary or "")
    if refund.status == "declined":
        return response(refund.response_code, refund.response_summary)
    if refund.ended_as == "lapsed":
        return "Nobody approved it in time"
    if refund.ended_as:
        why = f": {plain(refund.ended_why)}" if refund.ended_why else ""
        return f"{refund.ended_as.capitalize()} by {plain(refund.ended_by or 'somebody')}{why}"
    return ""


def verdict(value: str) -> Sign:
    """How to show the receiver's verdict on a delivery."""
    return VERDICTS.get(value) or _unknown(value)


def event(kind: str) -> str:
    """What happened, in words; an unknown type as it came."""
    return EVENTS.get(kind, plain(kind))


def attention(payment: Payment) -> list[str]:
    """Why a person should look at this payment, a sentence each."""
    return [_ATTENTION.get(name, plain(name)) for name in (payment.attention or "").split(",") if name]


def response(code: str | None, summary: str | None) -> str:
    """What a payment's or refund's response code says, in plain words; empty without a code."""
    if not code:
        return plain(summary or "")
    meaning = _RESPONSE_CODES.get(code) or _RESPONSE_GROUPS.get(code[:2], "")
    said = " ".join(part for part in (code, plain(summary or "")) if part)
    return f"{meaning} ({said})" if meaning else said


def response_name(code: str) -> str:
    """What a response code is called where there is little room."""
    return f"{_RESPONSE_NAMES.get(code, 'Code')} ({code})" if code else "No code was told"


def reason(value: str | None) -> str:
    """Why somebody refunded; a refund made elsewhere has no reason here."""
    if not value:
        return "Refund made elsewhere"
    return catalog.kakaopay().refund_reasons.get(value) or plain(value)


def dot(currency: str) -> str:
    """Markdown of the currency's coloured dot."""
    known = catalog.currencies().get(currency)
    return f':color[●]{{foreground="{known.colour}"}}' if known else "●"


def ago(moment: datetime, now: datetime | None = None) -> str:
    """`4 min ago`; a moment ahead of us is `in 4 min`."""
    past = (now or datetime.now(UTC)) - moment
    if abs(past) < _JUST_NOW:
        return "just now"
    return f"{span(past)} ago" if past >= timedelta(0) else f"in {span(-past, nearest=True)}"


def when(moment: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """`4 min ago, 14:02 HKT`; with the date when that is not today, with the year when it is not this one."""
    now = now or datetime.now(UTC)
    local, today = moment.astimezone(zone), now.astimezone(zone)
    on = "" if local.date() == today.date() else _date(local, with_year=local.year != today.year) + " "
    return f"{ago(moment, now)}, {on}{local:%H:%M\u00a0%Z}"


def stamp(moment: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """`14 Oct 13:43 HKT`, for tables; with the year when it is not this one."""
    local = moment.astimezone(zone)
    this_year = (now or datetime.now(UTC)).astimezone(zone).year
    return f"{_date(local, with_year=local.year != this_year)} {local:%H:%M %Z}"


def clock(moment: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """`14:02:11`, for timelines that name the zone once; with the date when it is not today."""
    local, today = moment.astimezone(zone), (now or datetime.now(UTC)).astimezone(zone)
    on = "" if local.date() == today.date() else _date(local, with_year=local.year != today.year) + " "
    return f"{on}{local:%H:%M:%S}"


def day(which: date, today: date | None = None) -> str:
    """`14 Oct`; with the year when it is not this one."""
    return _date(which, with_year=which.year != (today or datetime.now(UTC).date()).year)


def span(length: timedelta, *, nearest: bool = False) -> str:
    """`40 s`, `4 min`, `2 h`, `3 d`: what has passed whole, or the `nearest`, so that three days less a minute are three."""
    seconds = int(length.total_seconds())
    for unit, size, limit in (("s", 1, _JUST_NOW.seconds), ("min", 60, 60), ("h", 3600, 24), ("d", 86400, 60)):
        count = max(1, (seconds + nearest * size // 2) // size)
        if count < limit:
            return f"{count} {unit}"
    months = seconds // (86400 * 30)
    return f"{months} months" if months < 24 else f"{seconds // (86400 * 365)} years"


def short_id(identifier: str) -> str:
    """`pay_sxzrgliy2w3e5gpnby3chlswwq` as `pay_sxzr…swwq`; what is short already stays whole."""
    prefix, underscore, rest = identifier.partition("_")
    if not underscore or len(prefix) > 6:
        prefix, underscore, rest = "", "", identifier
    return f"{prefix}{underscore}{rest[:4]}…{rest[-4:]}" if len(rest) > 12 else identifier


def counted(number: int, noun: str) -> str:
    """`1 row`, `1,200 rows`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def roles(held: Collection[str]) -> str:
    """`Support, finance`, or `Every role`."""
    named = [role for role in ROLES if role in held]
    return "Every role" if len(named) == len(ROLES) else ", ".join(named).capitalize()


def plain(text: str) -> str:
    """Text from outside as Markdown that shows it letter by letter."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~$:&^=\"'])", r"\\\1", " ".join(text.split()))


def _unknown(value: str) -> Sign:
    word = value.replace("_", " ").strip() or "Unknown"
    return Sign(plain(word), "help", "gray", "A state that this dashboard does not know yet.")


def _date(day: date, *, with_year: bool) -> str:
    return f"{day.day} {day:%b %Y}" if with_year else f"{day.day} {day:%b}"
