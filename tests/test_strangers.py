"""Who cannot sign is heard only so often, and takes nothing from those who sign."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lib.strangers import Strangers


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_address_has_its_own_share_and_gets_more_as_time_goes_on() -> None:
    clock = Clock()
    strangers = Strangers(each=(1, 3), together=(100, 100), clock=clock)
    assert [strangers.welcome("10.0.0.1") for _ in range(4)] == [True, True, True, False]
    assert strangers.welcome("10.0.0.2")
    clock.now += 2
    assert [strangers.welcome("10.0.0.1") for _ in range(3)] == [True, True, False]


def test_many_addresses_share_what_all_get() -> None:
    strangers = Strangers(each=(1, 3), together=(1, 5), clock=Clock())
    assert sum(strangers.welcome(f"10.0.0.{number}") for number in range(50)) == 5


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.floats(0, 2)), max_size=200))
def test_never_more_than_the_burst_and_the_rate_allow(arrivals: list[tuple[str | None, float]]) -> None:
    clock = Clock()
    strangers = Strangers(each=(2, 4), together=(3, 6), clock=clock)
    let_in = 0
    for address, gap in arrivals:
        clock.now += gap
        let_in += strangers.welcome(address)
        assert let_in <= 6 + 3 * clock.now + 1e-6


def test_what_is_remembered_is_bounded() -> None:
    strangers = Strangers(clock=Clock())
    for number in range(20_000):
        strangers.welcome(f"address {number}")
    assert len(strangers._by_address) <= 10_000
