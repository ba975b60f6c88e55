"""Which addresses are asked on a caller's wish: rules about URLs, host names and IP addresses, without I/O.

A URL is read once, by :func:`read_url`, into the parts that the request is made of; nothing reads its text again, so no
second parser can see another host in it. What is not plainly a DNS name or an IP address in its usual spelling is
refused, and so are addresses that are not reachable from the whole internet, unless the operator allows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from urllib.parse import quote

import idna

from atsumi.errors import AddressRefused

IPAddress = IPv4Address | IPv6Address

MAX_URL_LENGTH = 2083
DEFAULT_PORTS = {"http": 80, "https": 443}
_OPEN_PORTS = frozenset(DEFAULT_PORTS.values())

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>[^#]*)(?:#.*)?", re.IGNORECASE | re.ASCII
)
_AUTHORITY = re.compile(
    r"(?:\[(?P<bracketed>[0-9A-Fa-f:.]+)\]|(?P<name>[^\[\]:]+))(?::(?P<port>[1-9][0-9]{0,4}))?",
)
# Underscores are no part of a host name (RFC 952), but some buckets have them.
_NAME = re.compile(r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# What C libraries and browsers take for an IPv4 address, in decimal, octal or hexadecimal and of one to four parts
# (WHATWG URL Standard, "ends in a number checker", read 2026-11-22).
_ENDS_IN_NUMBER = re.compile(r"(?:\A|\.)(?:[0-9]+|0x[0-9a-f]*)\Z")
_ALL_ASCII = "".join(map(chr, range(0x21, 0x7F)))

# Names that never lead into the public DNS: RFC 6761, 6762, 8375, and ICANN's reservation of "internal" of 2024-07-29.
# A name without a dot is one of the operator's own network, too.
_LOCAL_NAME = re.compile(r"[^.]+|.*\.(?:localhost|localdomain|local|internal|home\.arpa)")

# IANA's registries of special-purpose addresses, read 2026-11-22, written out because what the standard library knows
# of them differs between the versions of Python that the product runs on. Of IPv6, only 2000::/3 is given out for use
# on the internet; all embeddings of IPv4 but these few, private, local, multicast and reserved addresses are outside.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOT_PUBLIC: tuple[IPv4Network | IPv6Network, ...] = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata service
            "127.0.0.0/8",
            "168.63.129.16/32",  # Azure's WireServer (Azure Virtual Network documentation, same title as the address)
            "169.254.0.0/16",  # link-local; nearly everybody's metadata service
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata service
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
            "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
            "2001:db8::/32",
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",
            "3fff::/20",
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a URL asks for, in the parts that a request is made of.

    ``host`` is a DNS name in lower case and ASCII, or the text of ``address`` without brackets. ``path`` holds path and
    query in ASCII.
    """

    scheme: str
    host: str
    address: IPAddress | None
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port as in a ``Host`` header: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if isinstance(self.address, IPv6Address) else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL, without its fragment."""
        return f"{self.scheme}://{self.authority}{self.path}"


def read_url(url: str) -> Target:
    """Take a URL apart. Raises :class:`AddressRefused`, naming the rule, for one that is not plain.

    Scheme, spelling and length are judged, but neither port nor host: that is for :class:`Allowance`.
    """
    if len(url) > MAX_URL_LENGTH:
        raise refusal(f"it is longer than {MAX_URL_LENGTH} characters")
    # Also refuses lone surrogates, invisible characters and white space of every kind.
    if not url.isprintable() or " " in url or "\\" in url:
        raise refusal("it contains white space, a backslash or a control character")
    parts = _URL.fullmatch(url)
    if parts is None:
        raise refusal("it does not start with http:// or https://")
    if "@" in parts["authority"]:
        raise refusal("it contains a user name or a password")
    authority = _AUTHORITY.fullmatch(parts["authority"])
    port = int(authority["port"] or 0) if authority else 0
    if authority is None or port > 65535:
        raise refusal("its host or its port is malformed")
    try:
        host, address = _read_host(authority["bracketed"], authority["name"])
    except ValueError as error:
        raise refusal(str(error)) from None
    scheme = parts["scheme"].lower()
    path = quote((parts["path"] or "/") + parts["query"], safe=_ALL_ASCII)
    return Target(scheme, host, address, port or DEFAULT_PORTS[scheme], path)


def is_public(address: IPAddress) -> bool:
    """Whether the address is reachable from the whole internet and is nobody's way into a network of their own.

    Addresses that embed another one (mapped, translated, tunnelled) never are, whatever they embed.
    """
    if isinstance(address, IPv6Address) and (address not in _GLOBAL_UNICAST or _is_isatap(address)):
        return False
    return address.is_global and not any(address in network for network in _NOT_PUBLIC)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One thing that the operator allows: a name, all names below one, or a network; on one port or the usual two."""

    name: str | None = None
    is_suffix: bool = False
    network: IPv4Network | IPv6Network | None = None
    port: int | None = None

    def has_port(self, port: int) -> bool:
        return port in _OPEN_PORTS if self.port is None else port == self.port

    def has_host(self, host: str) -> bool:
        return self.name is not None and (host.endswith(f".{self.name}") if self.is_suffix else host == self.name)

    def has_address(self, address: IPAddress) -> bool:
        return self.network is not None and address in self.network


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be asked besides public addresses on ports 80 and 443. Made by :meth:`parse`; by itself, nothing."""

    entries: tuple[_Entry, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Allowance:
        """Read the operator's list. Raises ``ValueError`` that names the first entry that is none.

        An entry is a host name, ``*.`` and a name for all names below it, an IP address or a network (``10.1.0.0/16``),
        each with ``:port`` or for ports 80 and 443; IPv6 with a port is written ``[fd00::/8]:9000``. A name is allowed
        wherever it leads; an address, whatever name leads to it.
        """
        return cls(tuple(map(_read_entry, entries)))

    def check(self, target: Target) -> None:
        """Raise :class:`AddressRefused` for a target that is refused whatever its host name leads to."""
        if target.address is not None:
            self.check_addresses(target, [target.address])
            return
        port, is_named = target.port, any(entry.has_host(target.host) for entry in self.entries)
        if _LOCAL_NAME.fullmatch(target.host) and not is_named:
            raise refusal("its host is not a public name")
        if port not in _OPEN_PORTS and not any(
            entry.has_port(port) and (entry.network is not None or entry.has_host(target.host))
            for entry in self.entries
        ):
            raise _wrong_port(port)

    def check_addresses(self, target: Target, addresses: Iterable[IPAddress]) -> None:
        """Raise :class:`AddressRefused` unless the target may be asked at every one of these addresses.

        The message does not tell which addresses there are, nor whether there are any.
        """
        found = list(addresses)
        allowed = [address for address in found if self._allows(target, address)]
        if len(allowed) == len(found) and found:
            return
        if found and all(is_public(address) for address in found):
            raise _wrong_port(target.port)
        raise refusal("it does not lead to a public address")

    def _allows(self, target: Target, address: IPAddress) -> bool:
        if target.port in _OPEN_PORTS and is_public(address):
            return True
        return any(
            entry.has_port(target.port) and (entry.has_host(target.host) or entry.has_address(address))
            for entry in self.entries
        )


def refusal(rule: str) -> AddressRefused:
    """The error for an address that is refused; ``rule`` says why, as a clause about the address."""
    return AddressRefused(f"The address is refused: {rule}.")


def _wrong_port(port: int) -> AddressRefused:
    return refusal(f"port {port} is not allowed, only 80 and 443 are")


def _read_host(bracketed: str | None, name: str | None) -> tuple[str, IPAddress | None]:
    """The host in its one spelling, and its address if it is one. Raises ``ValueError`` with the rule it breaks."""
    if name is None:
        try:
            address: IPAddress = IPv6Address(bracketed or "")
        except ValueError:
            raise ValueError("its host is no IPv6 address") from None
        return str(address), address
    try:
        host = name.lower() if name.isascii() else idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise ValueError("its host is no host name") from None
    if _ENDS_IN_NUMBER.search(host):
        try:
            # The standard library reads four decimal parts without leading zeros and nothing else.
            address = IPv4Address(name)
        except ValueError:
            raise ValueError("its host is a number in an unusual spelling") from None
        return host, address
    if not _NAME.fullmatch(host):
        raise ValueError("its host is no host name")
    return host, None


def _read_entry(text: str) -> _Entry:
    with_port = re.fullmatch(r"(?P<host>\[[^\[\]]+\]|[^:\[\]]+):(?P<port>[1-9][0-9]{0,4})", text)
    host, port = (with_port["host"], int(with_port["port"])) if with_port else (text, None)
    is_suffix = host.startswith("*.")
    try:
        if port is not None and port > 65535:
            raise ValueError
        if "/" in host or ":" in host:
            return _Entry(network=ip_network(host[1:-1] if host[0] + host[-1] == "[]" else host), port=port)
        name, address = _read_host(None, host.removeprefix("*."))
        if address is None:
            return _Entry(name=name, is_suffix=is_suffix, port=port)
        if is_suffix:
            raise ValueError
        return _Entry(network=ip_network(address), port=port)
    except ValueError:
        raise ValueError(f"{text!r} is no host name, IP address or network") from None


def _is_isatap(address: IPv6Address) -> bool:
    """Whether the lower half is an IPv4 address in ISATAP's form (RFC 5214 section 6.1), under whatever prefix."""
    return int(address) >> 32 & 0xFDFF_FFFF == 0x0000_5EFE
