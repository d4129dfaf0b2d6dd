"""Nothing follows in its container what is drawn again by itself, on screens of the real server."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.benchmarks.screens import Visitor, visitor
from tests.support.server import Server, payment_request, serving
from tests.support.waiting import until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def paid(server: Server) -> str:
    with server.checkout() as client:
        created = client.post("/payments", json=payment_request("PAID", payment_type="Recurring")).json()
        httpx.post(created["_links"]["redirect"]["href"], data={"decision": "pay"}, trust_env=False)
    status = "SELECT status FROM payment WHERE id = :id"
    until(lambda: server.rows(status, id=created["id"]) == [("Captured",)], what="the payment")
    return str(created["id"])


@pytest.fixture(scope="module")
def tab(server: Server) -> Iterator[Visitor]:
    with visitor(server.port) as one:
        one.open("")
        yield one


def after_fragments(messages: list[ForwardMsg]) -> list[tuple[tuple[int, ...], str]]:
    """Places behind a whole fragment in the same container, and what stands there."""
    drawn = {tuple(said.metadata.delta_path): said.delta for said in messages if said.WhichOneof("type") == "delta"}
    whole = [
        place
        for place, delta in drawn.items()
        if delta.fragment_id and (place[:-1] not in drawn or drawn[place[:-1]].fragment_id != delta.fragment_id)
    ]
    assert whole
    return [
        (other, delta.WhichOneof("type"))
        for place in whole
        for other, delta in drawn.items()
        if other[:-1] == place[:-1] and other > place
    ]


@pytest.mark.parametrize("page", ["", "payments", "payment", "overdue", "refunds", "settlement", "simulator-board"])
def test_nothing_follows_what_is_drawn_by_itself(tab: Visitor, paid: str, page: str) -> None:
    messages = list(tab.messages(page, f"id={paid}" if page == "payment" else ""))
    assert after_fragments(messages) == []
