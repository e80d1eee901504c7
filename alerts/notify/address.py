"""Which addresses a notification may be sent to: the guard against SSRF.

A name is resolved once and the connection goes to that address, so that a second answer of the
name server cannot lead elsewhere (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

from alerts.notify.errors import DeliveryError

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], list[str]]

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = ipaddress.IPv6Network("64:ff9b:1::/48")
_NOT_GLOBAL = (
    ipaddress.IPv4Network("100.64.0.0/10"),  # carrier-grade NAT
    ipaddress.IPv4Network("192.0.0.0/24"),  # protocols; Python 3.11 takes some of it for global
)
_MOST_ADDRESSES = 16


def resolve(host: str, port: int) -> list[str]:
    """Addresses of a host, as the system resolves it."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def allowed_addresses(
    host: str, port: int, *, allow_private: bool, resolver: Resolve = resolve
) -> list[str]:
    """Addresses of a host that may be connected to.

    Parameters
    ----------
    host : str
        Name or address.
    port : int
    allow_private : bool
        Whether the receiver's setting permits private, loopback and link-local addresses.
    resolver : callable, optional

    Returns
    -------
    list of str
        At least one.

    Raises
    ------
    DeliveryError
        If the host has no address, or any of its addresses is forbidden.

    Examples
    --------
    >>> allowed_addresses("127.0.0.1", 80, allow_private=True)
    ['127.0.0.1']
    """
    try:
        found = resolver(host, port)
    except (OSError, UnicodeError) as error:
        raise DeliveryError(f"the host has no address ({error})", retry=True) from None
    if not found:
        raise DeliveryError("the host has no address", retry=True)
    for text in found:
        refused = refusal(text, allow_private=allow_private)
        if refused:
            raise DeliveryError(f"the host has {refused}", retry=False)
    return found[:_MOST_ADDRESSES]


def tries(addresses: Sequence[str], timeout_s: float) -> Iterator[tuple[str, float]]:
    """Addresses in the order of trying, each with the seconds that connecting to it may take.

    Families take turns, and each try takes at most half of what is left: where a network drops
    what goes to IPv6, the receiver is reached by IPv4 in the same attempt.

    Parameters
    ----------
    addresses : sequence of str
    timeout_s : float
        For all tries together.

    Examples
    --------
    >>> [address for address, _ in tries(["fd00::1", "fd00::2", "10.0.0.1"], 10.0)]
    ['fd00::1', '10.0.0.1', 'fd00::2']
    """
    first = [address for address in addresses if (":" in address) == (":" in addresses[0])]
    others = [address for address in addresses if address not in first]
    order = [address for pair in zip_longest(first, others) for address in pair if address]
    end_s = time.monotonic() + timeout_s
    for number, address in enumerate(order, 1):
        left_s = end_s - time.monotonic()
        if number > 1 and left_s <= 0:
            return
        yield address, left_s if number == len(order) else left_s / 2


def refusal(address: str, *, allow_private: bool) -> str | None:
    """Why an address may not be connected to; nothing if it may.

    Examples
    --------
    >>> refusal("10.0.0.1", allow_private=False)
    'a private address; set allow_private for a receiver inside the own network'
    >>> refusal("10.0.0.1", allow_private=True) is refusal("9.9.9.9", allow_private=False) is None
    True
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "no usable address"
    meant = list(_meant(ip))
    if any(_never(each) for each in meant):
        return "an address that is no receiver's"
    if not allow_private and any(not _public(each) for each in meant):
        return "a private address; set allow_private for a receiver inside the own network"
    return None


def _meant(ip: IpAddress) -> Iterator[IpAddress]:
    """The address, and any IPv4 address inside it."""
    yield ip
    if not isinstance(ip, ipaddress.IPv6Address):
        return
    if ip.ipv4_mapped is not None:
        yield ip.ipv4_mapped
    if ip.sixtofour is not None:
        yield ip.sixtofour
    if ip.teredo is not None:
        yield from ip.teredo
    if ip in _NAT64 or ip in _NAT64_LOCAL:
        yield ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)


def _never(ip: IpAddress) -> bool:
    if isinstance(ip, ipaddress.IPv6Address) and int(ip) >> 32 == 0:
        return int(ip) != 1  # unspecified, and the old form that holds an IPv4 address
    return ip.is_multicast or ip.is_unspecified or (ip.version == 4 and int(ip) >> 24 in (0, 255))


def _public(ip: IpAddress) -> bool:
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None or ip in _NAT64:
            return True  # judged by the IPv4 address inside
        return ip.is_global and not ip.is_site_local
    return ip.is_global and not ip.is_reserved and not any(ip in net for net in _NOT_GLOBAL)
