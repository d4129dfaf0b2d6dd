"""Under which addresses other machines of the same network reach this one. Nothing is sent to find out."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from ipaddress import IPv4Address, ip_address

_PROBES = ("192.0.2.1", "10.255.255.254", "172.31.255.254", "192.168.255.254")
"""One far address, which asks for the usual way out, and one of each private range."""
_SIOCGIFADDR = 0x8915
"""Linux: the IPv4 address of an interface."""


def addresses() -> tuple[str, ...]:
    """IPv4 addresses of this machine that others can use, the likeliest first; none without a network."""
    found = dict.fromkeys([*_routed(), *_of_interfaces()])
    return tuple(address for address in found if _is_for_others(address))


def is_own(host: str) -> bool:
    """Whether an IPv4 address is one of this machine's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, 0))
        except OSError:
            return False
    return True


def _routed() -> list[str]:
    """From which address packets to elsewhere would be sent. Connecting a datagram socket only looks that up."""
    found = []
    for target in _PROBES:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
            probe.connect((target, 9))
            found.append(str(probe.getsockname()[0]))
    return found


def _of_interfaces() -> list[str]:
    """The address of every interface, where the system tells."""
    if sys.platform != "linux":
        return []
    from fcntl import ioctl  # noqa: PLC0415 - there is none on Windows

    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):
                answer = ioctl(asking, _SIOCGIFADDR, struct.pack("256s", name.encode()))
                found.append(socket.inet_ntoa(answer[20:24]))
    return found


def _is_for_others(address: str) -> bool:
    parsed = ip_address(address)
    return isinstance(parsed, IPv4Address) and not (
        parsed.is_loopback or parsed.is_unspecified or parsed.is_link_local or parsed.is_multicast
    )
