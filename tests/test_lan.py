"""Finding the addresses of this machine."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest

from lib import lan


def test_what_is_offered_are_addresses_of_this_machine_that_others_can_use() -> None:
    for address in lan.addresses():
        assert lan.is_own(address)
        assert not ip_address(address).is_loopback
    assert len(set(lan.addresses())) == len(lan.addresses())


def test_an_address_of_elsewhere_is_none_of_ours() -> None:
    assert lan.is_own("127.0.0.1")
    assert not lan.is_own("203.0.113.7")


def test_finding_them_out_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def sent(*_: object) -> None:
        raise AssertionError("something was sent or looked up")

    for name in ("send", "sendto", "sendall"):
        monkeypatch.setattr(socket.socket, name, sent, raising=False)
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        monkeypatch.setattr(socket, name, sent)
    lan.addresses()


def test_without_a_network_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lan, "_routed", lambda: ["127.0.0.1", "0.0.0.0", "169.254.3.4"])
    monkeypatch.setattr(lan, "_of_interfaces", lambda: ["127.0.0.1"])
    assert lan.addresses() == ()


def test_each_address_is_offered_once_and_the_way_out_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lan, "_routed", lambda: ["192.168.1.20", "192.168.1.20"])
    monkeypatch.setattr(lan, "_of_interfaces", lambda: ["127.0.0.1", "172.17.0.1", "192.168.1.20"])
    assert lan.addresses() == ("192.168.1.20", "172.17.0.1")
