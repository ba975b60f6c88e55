"""Keeps secrets out of everything that people read: logs, errors, debug dumps.

Whoever gets hold of a secret registers its *value* once (settings when they are loaded, a credential when a run
decrypts it, an access token when the tool hands it out). From then on :func:`redact` replaces the value wherever it
turns up, in every spelling that it takes on the way to a log: as it is, escaped for URLs, JSON, HTML or ``repr``, in
hexadecimal, and inside base64 at any offset (an ``Authorization: Basic`` header).

Names are the second net, for values that nobody registered: what stands under a name like ``Authorization`` or
``client_secret`` in a mapping, a URL's query or a header is replaced whatever it is.
"""

from __future__ import annotations

import base64
import datetime
import enum
import html
import json
import re
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"

MINIMUM_LENGTH = 6
"""Shorter values are not registered: replacing them everywhere would destroy texts and hide little."""

MAXIMUM_SECRETS = 20_000
"""How many values are remembered; the one registered longest ago is forgotten first."""

_MAXIMUM_DEPTH = 12

_SECRET_NAMES = frozenset(
    {
        "api_key",
        "apikey",
        "authorization",
        "client_secret",
        "cookie",
        "credentials",
        "dsn",
        "database_url",
        "master_key",
        "passwd",
        "password",
        "private_key",
        "proxy_authorization",
        "secret",
        "set_cookie",
        "token",
        "webhook_signature",
    }
)
_SECRET_ENDINGS = ("_api_key", "_apikey", "_password", "_secret", "_token", "_authorization", "_credentials")

_PLAIN = (type(None), bool, int, float, datetime.date, datetime.time, datetime.timedelta, uuid.UUID)

_URL_PASSWORD = re.compile(r"(?P<start>(?<=[a-z0-9+.-])://[^\s/?#:@]*:)[^\s/?#]*(?=@)", re.IGNORECASE)
_URL_PARAMETER = re.compile(r"(?P<start>[?&;](?P<name>[\w.%\[\]-]{1,64})=)(?P<value>[^&#\s\"'<>]+)")
_HEADER_LINE = re.compile(
    r"(?P<start>\b(?P<name>(?:proxy-)?authorization|cookie|set-cookie|x-api-key|api-key)['\"]?\s*[:=]\s*(?:b(?=['\"]))?['\"]?)"
    r"(?P<value>[^\r\n'\",}]+)",
    re.IGNORECASE,
)


class _Registry:
    """Registered values, found in a text by their spellings' first characters.

    Readers take no lock: an index entry is a tuple that is replaced, never changed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spellings: OrderedDict[str, tuple[str, ...]] = OrderedDict()
        self._index: dict[str, tuple[str, ...]] = {}

    def add(self, value: str) -> None:
        with self._lock:
            if value in self._spellings:
                self._spellings.move_to_end(value)
                return
            spellings = tuple({text for text in _spellings(value) if len(text) >= MINIMUM_LENGTH})
            self._spellings[value] = spellings
            for spelling in spellings:
                start = spelling[:MINIMUM_LENGTH]
                # The longest first, so that a secret that begins with another one is replaced as a whole.
                entries = sorted((*self._index.get(start, ()), spelling), key=len, reverse=True)
                self._index[start] = tuple(entries)
            if len(self._spellings) > MAXIMUM_SECRETS:
                _, forgotten = self._spellings.popitem(last=False)
                for spelling in forgotten:
                    self._remove(spelling)

    def clear(self) -> None:
        with self._lock:
            self._spellings.clear()
            self._index.clear()

    def _remove(self, spelling: str) -> None:
        start = spelling[:MINIMUM_LENGTH]
        entries = list(self._index[start])
        entries.remove(spelling)
        if entries:
            self._index[start] = tuple(entries)
        else:
            del self._index[start]

    def replace_in(self, text: str) -> str:
        index = self._index
        if not index or len(text) < MINIMUM_LENGTH:
            return text
        pieces: list[str] = []
        done = position = 0
        last = len(text) - MINIMUM_LENGTH
        while position <= last:
            for spelling in index.get(text[position : position + MINIMUM_LENGTH], ()):
                if text.startswith(spelling, position):
                    pieces += (text[done:position], REDACTED)
                    position += len(spelling)
                    done = position
                    break
            else:
                position += 1
        return "".join((*pieces, text[done:])) if pieces else text


_registry = _Registry()


def register_secret(value: str | bytes) -> bool:
    """Have this value replaced by ``[redacted]`` wherever :func:`redact` meets it from now on.

    Returns whether it is registered: values shorter than ``MINIMUM_LENGTH`` characters (surrounding white space
    aside) are not. Registering again is cheap and keeps the value from being forgotten.
    """
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
    text = text.strip()
    if len(text) < MINIMUM_LENGTH:
        return False
    _registry.add(text)
    return True


def forget_secrets() -> None:
    """Empty the registry. For tests."""
    _registry.clear()


def is_secret_name(name: str) -> bool:
    """Whether a header, parameter or field of this name holds a secret by convention, whatever its case."""
    plain = name.strip().lower().replace("-", "_")
    return plain in _SECRET_NAMES or plain.endswith(_SECRET_ENDINGS)


def redact_text(text: str) -> str:
    """The text without registered secrets, passwords in addresses and values of secret parameters and headers."""
    text = _registry.replace_in(text)
    if "://" in text:
        text = _URL_PASSWORD.sub(rf"\g<start>{REDACTED}", text)
    if "=" in text:
        text = _URL_PARAMETER.sub(_without_value, text)
    return _HEADER_LINE.sub(rf"\g<start>{REDACTED}", text)


def redact_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The same headers, in order, with secret ones replaced and secrets removed from the others."""
    return {name: REDACTED if is_secret_name(name) else redact_text(value) for name, value in headers.items()}


def redact(value: object) -> object:
    """The value without secrets, made of plain types only.

    Mappings become dicts with text keys, sequences and sets become lists, bytes become text, any other object
    becomes its ``repr``; numbers, instants and UUIDs stay as they are. Never raises because of the value.
    """
    return _redact(value, ())


def _redact(value: object, around: tuple[int, ...]) -> object:
    if isinstance(value, enum.Enum):
        return redact_text(str(value.value))
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return redact_text(bytes(value).decode("utf-8", "backslashreplace"))
    if len(around) >= _MAXIMUM_DEPTH or id(value) in around:
        return "[...]"
    inside = (*around, id(value))
    if isinstance(value, Mapping):
        return {_name(key): _redact_named(_name(key), item, inside) for key, item in value.items()}
    if isinstance(value, Sequence):
        items = list(value)
        if len(items) == 2 and isinstance(items[0], str | bytes):
            # A header or form field as a pair.
            return [_redact(items[0], inside), _redact_named(_name(items[0]), items[1], inside)]
        return [_redact(item, inside) for item in items]
    if isinstance(value, AbstractSet):
        return [_redact(item, inside) for item in value]
    try:
        return redact_text(repr(value))
    except Exception as error:
        # A broken __repr__ must not take the log line with it.
        return f"<{type(value).__name__}: repr raised {type(error).__name__}>"


def _redact_named(name: str, value: object, around: tuple[int, ...]) -> object:
    if is_secret_name(name) and isinstance(value, str | bytes | bytearray):
        return REDACTED
    return _redact(value, around)


def _name(key: object) -> str:
    if isinstance(key, bytes):
        return redact_text(key.decode("utf-8", "backslashreplace"))
    return redact_text(str(key))


def _without_value(match: re.Match[str]) -> str:
    return f"{match['start']}{REDACTED}" if is_secret_name(match["name"]) else match[0]


def _spellings(value: str) -> Iterator[str]:
    raw = value.encode("utf-8", "surrogatepass")
    yield value
    yield repr(value)[1:-1]
    yield repr(raw)[2:-1]
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield html.escape(value)
    yield html.escape(value, quote=False)
    for escaped in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield escaped
        yield re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), escaped)
    yield raw.hex()
    yield raw.hex().upper()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode()
        for offset in range(3):
            # Of the characters that carry a bit of the value, those that carry nothing else.
            whole = encode(bytes(offset) + raw).decode()
            yield whole[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]
