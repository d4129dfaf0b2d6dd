"""Who may do what, and the sentence for who may not."""

from __future__ import annotations

import pytest

from lib.operators import RIGHTS, ROLES, NotAllowed, Operator


def test_somebody_local_may_do_everything() -> None:
    assert all(Operator("Mina").may(right) for right in RIGHTS)


def test_who_has_no_role_may_do_nothing() -> None:
    assert not any(Operator("Mina", roles=frozenset()).may(right) for right in RIGHTS)


def test_a_refusal_says_who_could_do_it() -> None:
    viewer = Operator("Mina", roles=frozenset({"viewer"}))
    viewer.require("read")
    with pytest.raises(NotAllowed, match=r"\(viewer\) may not refund\. Ask somebody with the role support or approver"):
        viewer.require("refund")


@pytest.mark.parametrize("right", RIGHTS)
def test_every_right_belongs_to_somebody(right: str) -> None:
    assert set(RIGHTS[right]) <= set(ROLES)  # type: ignore[index]
    assert RIGHTS[right]  # type: ignore[index]
