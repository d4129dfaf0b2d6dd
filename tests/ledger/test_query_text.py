"""What a search means, letter by letter; and that no text whatever breaks it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.ledger.payment_filter import ANY, REFUND_STATES, Bound, Contradiction, PaymentFilter, both, in_words
from lib.ledger.query_fields import FIELDS
from lib.ledger.query_text import LONGEST, read, write
from lib.ledger.tables import STATUSES

ZONE = ZoneInfo("Asia/Hong_Kong")
NOW = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
DAY = datetime(2026, 11, 24, 16, tzinfo=UTC)
"""When 25 November begins in Hong Kong."""


def amounts(*bounds: tuple[Any, ...]) -> dict[str, Any]:
    return {"amounts": tuple(Bound(sign, Decimal(major), *code) for sign, major, *code in bounds)}


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("", {}),
        ("   ", {}),
        ("minji.kim@example.com", {"text": "minji.kim@example.com"}),
        ("  Kim   Minji ", {"text": "Kim Minji"}),
        ("pay_sxzrgliy2w3e5gpnby3chlswwq", {"text": "pay_sxzrgliy2w3e5gpnby3chlswwq"}),
        ("1100", {"text": "1100"}),
        ("1,100.00", {"text": "1,100.00"}),
        ("HKD 1,100", amounts(("=", "1100", "HKD"))),
        ("hkd1100.00", amounts(("=", "1100", "HKD"))),
        ("1,100 HKD", amounts(("=", "1100", "HKD"))),
        ("1100krw", amounts(("=", "1100", "KRW"))),
        ("Minji HKD 1,100", {"text": "Minji", **amounts(("=", "1100", "HKD"))}),
        ('"HKD 1,100"', {"text": "HKD 1,100"}),
        ("USD 1,100", {"text": "USD 1,100"}),
        (">500", amounts((">", "500"))),
        ("amount:>=1,000", amounts((">=", "1000"))),
        ("amount:>= HKD 1,000.50", amounts((">=", "1000.50", "HKD"))),
        ('amount:"HKD 5"', amounts(("=", "5", "HKD"))),
        ("amount:100..200", amounts((">=", "100"), ("<=", "200"))),
        ("amount:HKD100..200", amounts((">=", "100", "HKD"), ("<=", "200", "HKD"))),
        ("amount:..200", amounts(("<=", "200"))),
        ("amount:>1 amount:<2", amounts((">", "1"), ("<", "2"))),
        ("refunded:>0", {"refunded": (Bound(">", Decimal(0)),)}),
        ("status:captured", {"statuses": ("Captured",)}),
        ("STATUS:Captured,partially_refunded", {"statuses": ("Captured", "Partially Refunded")}),
        ('status:"partially refunded" status:cancelled', {"statuses": ("Partially Refunded", "Canceled")}),
        ("status: pending", {"statuses": ("Pending",)}),
        ("currency:hkd,KRW", {"currencies": ("HKD", "KRW")}),
        ('terminal:app terminal:"App"', {"terminal_type": "APP"}),
        ("terminal:mobile-web", {"terminal_type": "WAP"}),
        ('name:"Kim Minji" email:minji@', {"name": "Kim Minji", "email": "minji@"}),
        (r'name:"Kim \"MJ\" Minji"', {"name": 'Kim "MJ" Minji'}),
        ('name:"Kim Min', {"name": "Kim Min"}),
        ("reference:ORD-1:2", {"reference": "ORD-1:2"}),
        ("id:pay_1 action:act_1", {"id": "pay_1", "action": "act_1"}),
        ("refund:declined", {"refund": "declined"}),
        ('refund:"declined, not retried"', {"refund": "unretried"}),
        ("chain:any", {"chain": ANY}),
        ("chain:src_1", {"chain": "src_1"}),
        ("attention:yes", {"attention": True}),
        ("since:2026-11-25", {"since": DAY}),
        ("until:2026-11-25", {"until": DAY + timedelta(days=1)}),
        ("since:yesterday until:today", {"since": DAY - timedelta(days=1), "until": DAY + timedelta(days=1)}),
        ("since:2026-11-25T14:00", {"since": datetime(2026, 11, 25, 6, tzinfo=UTC)}),
        ("age:>1h", {"until": NOW - timedelta(hours=1)}),
        ("age:<30min", {"since": NOW - timedelta(minutes=30)}),
        ("captured:today", {"captured_since": DAY, "captured_until": DAY + timedelta(days=1)}),
        ("captured:7d", {"captured_since": DAY - timedelta(days=6), "captured_until": DAY + timedelta(days=1)}),
        ("captured:2026-11-24..", {"captured_since": DAY - timedelta(days=1)}),
        ("captured:<=2026-11-24", {"captured_until": DAY}),
        ('"no:field"', {"text": "no:field"}),
        ("14:02", {"text": "14:02"}),
        ("a\x00b", {"text": "ab"}),
        ("%_'\\", {"text": "%_'\\"}),
    ],
)
def test_what_a_search_means(typed: str, wanted: dict[str, Any]) -> None:
    reading = read(typed, now=NOW, zone=ZONE)
    assert reading.problems == ()
    assert reading.wanted == PaymentFilter(**wanted)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("colour:red", "There is no field “colour”. The fields are id, reference,"),
        ("http://x", "There is no field “http”."),
        ("status:", "“status:” takes statuses: Pending, Captured,"),
        ("status:captured,", "“status:” takes statuses: Pending, Captured,"),
        ("status:gone", "“gone” is none of them."),
        ("currency:USD", "“currency:” takes currencies: "),
        ("terminal:kiosk", "“terminal:” takes a terminal: WEB, APP, WAP; “kiosk” is none of them."),
        ("refund:maybe", "“refund:” takes a state: pending, part,"),
        ("amount:1.100,00", "“amount:” takes an amount in major units, such as 1100,"),
        ("amount:-5", "“amount:” takes an amount"),
        ("amount:>100..200", "“amount:” takes an amount"),
        ("amount:..", "“amount:” takes an amount"),
        ("amount:HKD1..KRW2", "“amount:” names two currencies; keep one."),
        ("email:", "“email:” needs something to look for"),
        ("email: status:captured", "“email:” needs something to look for"),
        ("email:a email:b", "“email:” is given twice; keep one."),
        ("since:tomorrow", "“since:” takes a day such as 2026-11-25,"),
        ("since:0001-01-01", "“since:” takes a day"),
        ("until:9999-12-31T00:00", "“until:” takes a day"),
        ("captured:..", "“captured:” takes a day"),
        ("captured:0d", "“captured:” takes a day"),
        ("age:1h", "“age:” takes an age, such as >1h,"),
        ("chain:abc", "“chain:” takes the id of a stored source, src_…"),
        ("attention:no", "“attention:” takes yes."),
        ("x" * (LONGEST + 1), "Only the first 300 characters"),
    ],
)
def test_what_is_not_understood_is_told_in_a_sentence(typed: str, sentence: str) -> None:
    [problem] = read(typed, now=NOW, zone=ZONE).problems
    assert sentence in problem


def test_what_is_understood_holds_beside_what_is_not() -> None:
    reading = read("kim colour:red status:captured size:5", now=NOW, zone=ZONE)
    assert reading.wanted == PaymentFilter(text="kim", statuses=("Captured",))
    assert len(reading.problems) == 2


@pytest.mark.parametrize("name", FIELDS)
def test_every_example_of_the_help_works_and_narrows(name: str) -> None:
    reading = read(FIELDS[name].example, now=NOW, zone=ZONE)
    assert reading.problems == ()
    assert reading.wanted != PaymentFilter()
    assert FIELDS[name].example.startswith(f"{name}:")


pieces = st.sampled_from(
    [*(f"{name}:" for name in FIELDS), '"', "\\", "..", ">=", "HKD", "1,100", "2026-11-25", " ", "é", "\x00"]
)


@given(st.one_of(st.text(max_size=400), st.lists(st.one_of(pieces, st.text(max_size=3)), max_size=12).map("".join)))
def test_no_text_breaks_it(typed: str) -> None:
    reading = read(typed, now=NOW, zone=ZONE)
    assert read(write(reading.wanted, ZONE), now=NOW, zone=ZONE).wanted == reading.wanted
    assert in_words(reading.wanted, ZONE)


words = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), max_size=20).map(str.strip)
moments = st.none() | st.datetimes(datetime(2001, 1, 1), datetime(2098, 12, 30), timezones=st.just(UTC)) | st.just(DAY)  # noqa: DTZ001 - Hypothesis adds the zone
decimals = st.decimals(0, 10**14, places=2)
bounds = st.lists(
    st.builds(Bound, st.sampled_from(("=", ">=", "<=", ">", "<")), decimals, st.sampled_from((None, "HKD", "KRW"))),
    max_size=3,
    unique=True,
).map(tuple)
filters = st.builds(
    PaymentFilter,
    text=words,
    id=words,
    action=words,
    reference=words,
    email=words,
    name=words,
    statuses=st.lists(st.sampled_from(STATUSES), unique=True).map(tuple),
    currencies=st.lists(st.sampled_from(("HKD", "KRW", "EUR")), unique=True).map(tuple),
    terminal_type=st.sampled_from((None, "WEB", "APP")),
    amounts=bounds,
    refunded=bounds,
    refund=st.sampled_from((None, *REFUND_STATES)),
    chain=st.sampled_from((None, ANY, "src_x1")),
    attention=st.booleans(),
    since=moments,
    until=moments,
    captured_since=moments,
    captured_until=moments,
)


@example(PaymentFilter(email="<", name="0"), ZoneInfo("Asia/Hong_Kong"))
@example(PaymentFilter(text="<", name="0"), ZoneInfo("Asia/Hong_Kong"))
@given(filters, st.sampled_from(("Asia/Hong_Kong", "Australia/Lord_Howe", "America/Sao_Paulo")).map(ZoneInfo))
def test_a_filter_written_out_reads_as_the_same_filter(wanted: PaymentFilter, zone: ZoneInfo) -> None:
    written = write(wanted, zone)
    if len(written) > LONGEST:
        return
    reading = read(written, now=NOW, zone=zone)
    assert reading.problems == ()
    assert reading.wanted == wanted


@given(filters, filters)
def test_what_two_filters_want_together(one: PaymentFilter, other: PaymentFilter) -> None:
    assert both(one, PaymentFilter()) == both(PaymentFilter(), one) == both(one, one) == one
    try:
        together = both(one, other)
    except Contradiction as contradiction:
        together, said = None, str(contradiction)
    if together is None:
        assert said.startswith("The search box asks for ")
    else:
        assert set(together.statuses) <= set(one.statuses or STATUSES)
        assert together.until == min((each for each in (one.until, other.until) if each), default=None)


def test_a_filter_in_words() -> None:
    wanted = read(
        "minji status:captured,refunded currency:hkd amount:>=HKD1,000 refund:declined since:2026-11-01 captured:today",
        now=NOW,
        zone=ZONE,
    ).wanted
    assert in_words(wanted, ZONE) == (
        "with “minji”; status Captured or Refunded; currency HKD; amount at least HKD 1,000; refund declined; "
        "requested from 2026-11-01 (Asia/Hong_Kong); captured on 2026-11-25 (Asia/Hong_Kong)"
    )
    assert in_words(PaymentFilter(), ZONE) == "all payments"


def test_what_may_name_a_customer_is_left_out_where_it_must_be() -> None:
    wanted = PaymentFilter(text="minji", email="m@x", name="kim", reference="kim's", statuses=("Captured",))
    assert write(wanted.impersonal(), ZONE) == "… reference:… email:… name:… status:Captured"
