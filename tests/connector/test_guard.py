"""Which URLs and addresses are refused, by which rule; and that nothing else reads a URL differently."""

from __future__ import annotations

import contextlib
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from atsumi.connector.guard import Allowance, is_public, read_url
from atsumi.errors import AddressRefused
from refused_urls import LOCAL, NUMBER, PORT, PRIVATE, REFUSED

NOTHING = Allowance()


@pytest.mark.parametrize(("url", "rule"), REFUSED, ids=ascii)
def test_a_url_is_refused_by_its_rule(url: str, rule: str) -> None:
    with pytest.raises(AddressRefused, match=rule):
        NOTHING.check(read_url(url))


@pytest.mark.parametrize(
    ("url", "asked", "authority"),
    [
        ("https://example.com", "https://example.com/", "example.com"),
        ("HTTPS://EXAMPLE.com/Path?Q=1#part", "https://example.com/Path?Q=1", "example.com"),
        ("https://example.com:443/", "https://example.com/", "example.com"),
        ("http://example.com:443/", "http://example.com:443/", "example.com:443"),
        ("https://example.com:80/", "https://example.com:80/", "example.com:80"),
        ("http://example.com?q", "http://example.com/?q", "example.com"),
        ("http://example.com/@b:c@/", "http://example.com/@b:c@/", "example.com"),
        ("http://example.com/#@127.0.0.1/", "http://example.com/", "example.com"),
        ("http://example.com/?u=http://127.0.0.1/", "http://example.com/?u=http://127.0.0.1/", "example.com"),
        (
            "https://my_bucket.s3.example.com/a%20b",
            "https://my_bucket.s3.example.com/a%20b",
            "my_bucket.s3.example.com",
        ),
        ("https://bücher.example/Müller.pdf", "https://xn--bcher-kva.example/M%C3%BCller.pdf", "xn--bcher-kva.example"),
        ("https://BÜCHER.example/", "https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ("https://1.example.com/", "https://1.example.com/", "1.example.com"),
        ("https://127.0.0.1.nip.example/", "https://127.0.0.1.nip.example/", "127.0.0.1.nip.example"),
        ("https://0x7f.example/", "https://0x7f.example/", "0x7f.example"),
        ("https://8.8.8.8/", "https://8.8.8.8/", "8.8.8.8"),
        ("https://172.32.0.1/", "https://172.32.0.1/", "172.32.0.1"),
        ("https://[2A00:1450:4001:0::64]:80/", "https://[2a00:1450:4001::64]:80/", "[2a00:1450:4001::64]:80"),
    ],
    ids=ascii,
)
def test_a_plain_url_may_be_asked(url: str, asked: str, authority: str) -> None:
    target = read_url(url)
    NOTHING.check(target)
    assert (target.url, target.authority) == (asked, authority)


# Written here once more, so that a network which is missing among the rules is found.
PRIVATE_IPV4 = [
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
    *("198.18.0.0/15", "224.0.0.0/4", "240.0.0.0/4"),
]
PRIVATE_IPV6 = ["::/96", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "2001:db8::/32", "2001::/23", "100::/64"]

private_ipv4 = st.sampled_from(PRIVATE_IPV4).flatmap(lambda network: st.ip_addresses(network=IPv4Network(network)))
private_ipv6 = st.sampled_from(PRIVATE_IPV6).flatmap(lambda network: st.ip_addresses(network=IPv6Network(network)))


def embedded(address: IPv4Address, form: str, prefix: int) -> IPv6Address:
    """The address within an IPv6 address; ``prefix`` is a public network, for the forms that stand in any network."""
    number = int(address)
    return IPv6Address(
        {
            "mapped (RFC 4291)": 0xFFFF << 32 | number,
            "compatible (RFC 4291)": number,
            "translated (RFC 2765)": 0xFFFF << 48 | number,
            "NAT64 (RFC 6052)": 0x64_FF9B << 96 | number,
            "local NAT64 (RFC 8215)": 0x64_FF9B_0001 << 80 | number,
            "6to4 (RFC 3056)": 0x2002 << 112 | number << 80 | 1,
            "Teredo (RFC 4380)": 0x2001_0000 << 96 | number << 64 | ~number & 0xFFFF_FFFF,
            "ISATAP (RFC 5214)": prefix << 64 | 0x5EFE << 32 | number,
            "ISATAP, global": prefix << 64 | 0x0200_5EFE << 32 | number,
        }[form]
    )


FORMS = [
    *("mapped (RFC 4291)", "compatible (RFC 4291)", "translated (RFC 2765)", "NAT64 (RFC 6052)"),
    *("local NAT64 (RFC 8215)", "6to4 (RFC 3056)", "Teredo (RFC 4380)", "ISATAP (RFC 5214)", "ISATAP, global"),
]


@given(private_ipv4 | private_ipv6)
def test_no_private_address_is_asked(address: IPv4Address | IPv6Address) -> None:
    host = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    assert not is_public(address)
    with pytest.raises(AddressRefused, match=PRIVATE):
        NOTHING.check(read_url(f"https://{host}/"))
    with pytest.raises(AddressRefused, match=PRIVATE):
        NOTHING.check_addresses(read_url("https://example.com/"), [address])


@given(st.ip_addresses(v=4) | private_ipv4, st.sampled_from(FORMS), st.integers(0x2A00 << 48, 0x2A01 << 48))
def test_no_address_within_another_is_asked(address: IPv4Address, form: str, prefix: int) -> None:
    outer = embedded(address, form, prefix)
    assert not is_public(outer)
    with pytest.raises(AddressRefused, match=PRIVATE):
        NOTHING.check(read_url(f"https://[{outer}]/"))
    dotted = f"{IPv6Address(int(outer) >> 32 << 32)}".removesuffix("::") + f"::{address}"
    try:
        same = IPv6Address(dotted) == outer
    except ValueError:
        same = False
    if same:
        with pytest.raises(AddressRefused, match=PRIVATE):
            NOTHING.check(read_url(f"https://[{dotted}]/"))


@given(st.lists(st.sampled_from(["8.8.8.8", "1.1.1.1", "2a00:1450:4001::64"]), max_size=4), private_ipv4, st.randoms())
def test_one_private_address_among_public_ones_is_enough(
    public: list[str], private: IPv4Address, random: object
) -> None:
    target = read_url("https://example.com/")
    addresses = [ip_address(text) for text in public]
    if addresses:
        NOTHING.check_addresses(target, addresses)
    addresses.append(private)
    random.shuffle(addresses)  # type: ignore[attr-defined]  # Hypothesis's strategy has no narrower type
    with pytest.raises(AddressRefused, match=PRIVATE):
        NOTHING.check_addresses(target, addresses)


def test_a_name_without_an_address_is_refused_like_one_with_a_private_address() -> None:
    target = read_url("https://example.com/")
    with pytest.raises(AddressRefused) as absent:
        NOTHING.check_addresses(target, [])
    with pytest.raises(AddressRefused) as private:
        NOTHING.check_addresses(target, [IPv4Address("10.0.0.1")])
    assert str(absent.value) == str(private.value)


@given(
    st.ip_addresses(v=4),
    st.integers(1, 4),
    st.lists(st.sampled_from(["{:d}", "0{:o}", "000{:o}", "0x{:x}", "0X{:X}", "0x000{:x}"]), min_size=4, max_size=4),
    st.booleans(),
)
def test_no_unusual_spelling_of_an_ipv4_address_is_read(
    address: IPv4Address, count: int, spellings: list[str], is_full_width: bool
) -> None:
    packed = address.packed
    parts = [*packed[: count - 1], int.from_bytes(packed[count - 1 :])]
    text = ".".join(spelling.format(part) for spelling, part in zip(spellings, parts, strict=False))
    assert socket.inet_aton(text) == packed, "the C library takes it for this address"
    if is_full_width:
        text = text.translate({code: code + 0xFEE0 for code in range(ord("0"), ord("9") + 1)})
    assume(text != str(address))
    with pytest.raises(AddressRefused, match=NUMBER):
        read_url(f"http://{text}/")


@given(st.text("0123456789abcdefxABX.", min_size=1, max_size=20))
def test_what_the_c_library_takes_for_an_address_is_read_as_that_or_not_at_all(text: str) -> None:
    try:
        packed = socket.inet_aton(text)
    except OSError:
        packed = None
    try:
        target = read_url(f"http://{text}/")
    except AddressRefused:
        return
    assert (target.address.packed if target.address else None) == packed


PIECES = ["http", "https", "ftp", ":", "/", "//", "?", "#", "@", "[", "]", ".", "%", "%2f", "&", ";", "\\", "\t", " "]
PIECES += [
    "example.com",
    "127.0.0.1",
    "::1",
    "localhost",
    "80",
    "8080",
    "a",
    "ü",
    "。",
    "１",
    "0x7f",
    "-",
    "_",
    "..",
    "*",
]


@given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join))
def test_other_readers_see_the_same_host_in_what_is_not_refused(rest: str) -> None:
    url = f"https://{rest}"
    try:
        target = read_url(url)
    except AddressRefused:
        return
    again = read_url(target.url)
    assert again == target
    other = httpx2.URL(target.url)
    assert (other.raw_host.decode(), other.port or 443, other.scheme) == (target.host, target.port, target.scheme)
    parts = urlsplit(target.url)
    assert (parts.hostname, parts.port or 443, parts.username) == (target.host, target.port, None)
    if url.isascii():
        original = urlsplit(url)
        assert (original.hostname, original.port or 443, original.username) == (target.host, target.port, None)
    assert target.path.startswith("/")
    assert target.path.isascii()


@given(st.text(max_size=50).map("http://{}".format) | st.text(max_size=50))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(AddressRefused):
        read_url(text)


@pytest.mark.parametrize(
    ("entry", "url", "addresses"),
    [
        ("files.internal", "http://files.internal/", ["10.0.0.1", "::1"]),
        ("files.internal", "https://FILES.internal/", ["10.0.0.1"]),
        ("files.internal:9000", "http://files.internal:9000/", ["10.0.0.1"]),
        ("minio:9000", "http://minio:9000/", ["172.18.0.2"]),
        ("localhost", "http://localhost/", ["127.0.0.1", "::1"]),
        ("*.corp.example", "https://a.b.corp.example/", ["10.0.0.1"]),
        ("*.corp.example:8443", "https://a.corp.example:8443/", ["10.0.0.1"]),
        ("Bücher.example", "https://bücher.example/", ["10.0.0.1"]),
        ("10.1.0.0/16", "https://any.example/", ["10.1.2.3"]),
        ("10.1.0.0/16", "https://10.1.2.3/", ["10.1.2.3"]),
        ("10.1.2.3:9000", "http://10.1.2.3:9000/", ["10.1.2.3"]),
        ("10.1.2.3:9000", "http://any.example:9000/", ["10.1.2.3"]),
        ("10.1.0.0/16:9000", "http://any.example:9000/", ["10.1.2.3"]),
        ("fd00::/8", "https://[fd00::1]/", ["fd00::1"]),
        ("::1", "https://[::1]/", ["::1"]),
        ("[::1]:9000", "https://[::1]:9000/", ["::1"]),
        ("[fd00::/8]:9000", "https://any.example:9000/", ["fd00::1"]),
        ("[fd00::1]", "https://any.example/", ["fd00::1"]),
        ("10.1.2.3", "https://any.example/", ["10.1.2.3", "8.8.8.8"]),
        ("8.8.8.8:8443", "https://any.example:8443/", ["8.8.8.8"]),
    ],
)
def test_what_the_operator_allows_may_be_asked(entry: str, url: str, addresses: list[str]) -> None:
    allowance, target = Allowance.parse(["other.example:1", entry]), read_url(url)
    allowance.check(target)
    allowance.check_addresses(target, map(ip_address, addresses))
    with pytest.raises(AddressRefused):
        NOTHING.check_addresses(target, map(ip_address, addresses))


@pytest.mark.parametrize(
    ("entry", "url", "addresses", "rule"),
    [
        ("files.internal", "http://files.internal:9000/", ["10.0.0.1"], PORT),
        ("files.internal:9000", "http://files.internal/", ["10.0.0.1"], PRIVATE),
        ("files.internal", "http://a.files.internal/", ["10.0.0.1"], LOCAL),
        ("*.corp.example", "http://corp.example/", ["10.0.0.1"], PRIVATE),
        ("*.corp.example", "http://xcorp.example/", ["10.0.0.1"], PRIVATE),
        ("corp.example", "http://corp.example.evil.example/", ["10.0.0.1"], PRIVATE),
        ("10.1.0.0/16", "http://any.example/", ["10.1.2.3", "10.2.0.1"], PRIVATE),
        ("10.1.0.0/16", "http://any.example/", ["::ffff:10.1.2.3"], PRIVATE),
        ("10.1.0.0/16", "http://minio/", ["10.1.2.3"], LOCAL),
        ("10.1.2.3:9000", "http://10.1.2.3/", ["10.1.2.3"], PRIVATE),
        ("10.1.2.3:9000", "http://any.example:9000/", ["10.1.2.4"], PRIVATE),
        ("10.1.2.3:9000", "http://any.example:9000/", ["8.8.8.8"], PORT),
        ("10.1.2.3:9000", "http://any.example:9001/", ["10.1.2.3"], PORT),
    ],
)
def test_nothing_else_becomes_allowed(entry: str, url: str, addresses: list[str], rule: str) -> None:
    allowance = Allowance.parse([entry])
    target = read_url(url)
    with pytest.raises(AddressRefused, match=rule):  # noqa: PT012 - by which of the two does not matter
        allowance.check(target)
        allowance.check_addresses(target, map(ip_address, addresses))


@pytest.mark.parametrize(
    "entry",
    [
        *("", "*", "*.", "*.10.0.0.1", "a b", "https://files.internal/", "files.internal/x", "files.internal:", "x:0"),
        *("x:65536", "10.1.2.3/16", "10.1/16", "10.1", "127.1", "0x7f.0.0.1", "fd00::1/8", "[::1", "[]:80", "a@b"),
        *(
            "x:80:80",
            "fe80::1%eth0/64x",
            "*.*.example",
            "a*.example",
            "-a.example",
            "files.internal.",
            "[files.internal]",
        ),
    ],
)
def test_an_entry_that_is_none_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="is no host name, IP address or network") as refused:
        Allowance.parse(["files.internal", entry])
    assert repr(entry) in str(refused.value)
