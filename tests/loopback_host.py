"""A host on the loopback interface that counts who connects, answers as it is told, and may have a certificate."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Handler = Callable[["Host", bytes, asyncio.StreamWriter], Awaitable[None]]
"""Told the host, the request's head and where to write to; the connection is closed afterwards."""


@dataclass
class Host:
    """What has happened at the host so far. ``closed`` is set when the client has gone from its last connection."""

    port: int = 0
    accepted: int = 0
    requests: list[bytes] = field(default_factory=list)
    server_names: list[str | None] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def paths(self) -> list[str]:
        """Of all requests, in order."""
        return [request.split(b" ")[1].decode() for request in self.requests]

    def headers(self, number: int = -1) -> dict[str, str]:
        """Of one request, by lower-case name."""
        lines = self.requests[number].partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def answering(*answers: bytes) -> Handler:
    """Each request gets the next answer, the last one for ever. ``PORT`` in one stands for the host's port."""
    left = list(answers)

    async def answer(host: Host, request: bytes, writer: asyncio.StreamWriter) -> None:
        raw = left.pop(0) if len(left) > 1 else left[0]
        writer.write(raw.replace(b"PORT", str(host.port).encode()))

    return answer


def ok(body: bytes = b"hello", *headers: str) -> bytes:
    """A complete answer."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def redirect(location: str, status: int = 302) -> bytes:
    """A complete answer that leads elsewhere."""
    return f"HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@asynccontextmanager
async def host(handler: Handler, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Host]:
    """A host on 127.0.0.1, and on ::1 where that exists, at one port."""
    state = Host()
    serving: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        state.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        task.add_done_callback(serving.discard)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
            state.requests.append(head + await reader.readexactly(int(length.partition(b":")[2])))
            await handler(state, head, writer)
            await writer.drain()
            writer.write_eof() if tls is None else writer.close()
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # What clients do that stop in the middle.
        finally:
            state.closed.set()
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    if tls is not None:
        tls.sni_callback = lambda _socket, name, _context: state.server_names.append(name)
    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    state.port = server.sockets[0].getsockname()[1]
    servers = [server]
    with suppress(OSError):
        servers.append(await asyncio.start_server(accept, "::1", state.port, ssl=tls))
    try:
        yield state
    finally:
        for one in servers:
            one.close()
            await one.wait_closed()
        # Each ends when its client has gone: a connection that was left open fails here.
        async with asyncio.timeout(30):
            await asyncio.gather(*serving)


class Authority:
    """A certificate authority that nobody trusts but who asks for :meth:`trusting`."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Authority of these tests")])
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        self._certificate = (
            self._builder(self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def trusting(self) -> ssl.SSLContext:
        """A client's context that trusts this authority alone."""
        pem = self._certificate.public_bytes(serialization.Encoding.PEM).decode()
        return ssl.create_default_context(cadata=pem)

    def serving(self, name: str, folder: Path) -> ssl.SSLContext:
        """A server's context with a certificate for one host name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = (
            self._builder(subject, key)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = folder / f"{name}.pem"
        path.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        return context

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(identifier, critical=False)
        )
