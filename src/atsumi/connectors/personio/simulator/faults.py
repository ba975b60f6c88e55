"""Faults that a test asks for, and the ASGI layer that commits them."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from atsumi.connectors.personio.simulator import problems
from atsumi.connectors.personio.simulator.clock import Clock
from atsumi.connectors.personio.simulator.render import encode

Kind = Literal[
    "429",
    "status",
    "timeout",
    "html",
    "error_body",
    "redirect",
    "slow",
    "cut",
    "disconnect",
    "lost_answer",
    "drop_records",
    "duplicate_records",
    "reorder_records",
    "swap_pages",
    "repeat_page",
    "empty_page",
    "self_next",
    "malformed_xml",
    "malformed_record",
]
Loss = Literal["closed", "silence", "status"]
Malformation = Literal["not_an_object", "odd_timestamp", "missing_fields", "wrong_types", "unknown_words"]


@dataclass
class Fault:
    """What goes wrong, and when.

    It concerns requests whose path starts with `path` and whose method is `method` (any, if None): the first `after`
    of them pass, then `count` are hit (all, if None), each with `probability`.
    """

    kind: Kind
    path: str = "/"
    method: str | None = None
    count: int | None = 1
    after: int = 0
    probability: float = 1.0
    status: int = 503
    """For `status`, and for `lost_answer` with the loss `status`."""
    seconds: float = 30
    """How long `timeout` and a silent `lost_answer` say nothing, and how long `slow` takes for the body."""
    retry_after: str | None = None
    """Header of `429` and `status`."""
    records: int = 1
    """How many records of a page `drop_records`, `duplicate_records` and `malformed_record` hit."""
    loss: Loss = "closed"
    """What comes instead of a `lost_answer`: the end of the connection, silence, or an error with `status`."""
    malformation: Malformation = "not_an_object"
    body: str | None = None
    """Replaces the body of `html`, `error_body` and `status`."""
    hits: int = 0
    """How often it happened."""


class Faults:
    """The faults in force, and chance for those with a probability."""

    def __init__(self, seed: int = 0) -> None:
        self._faults: list[Fault] = []
        self._random = random.Random(seed)
        self.owed: dict[tuple[str, str], list[Any]] = {}
        """Records by path and cursor of the page that shows them instead of its own."""

    def __iter__(self) -> Any:
        return iter(list(self._faults))

    def add(self, fault: Fault) -> Fault:
        """Put a fault in force; where several fit a request, the oldest one happens."""
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """End all faults."""
        self._faults.clear()
        self.owed.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault that hits this request, and count it."""
        for fault in self._faults:
            if not path.startswith(fault.path) or (fault.method and fault.method.upper() != method):
                continue
            if fault.count is not None and fault.hits >= fault.count:
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            if fault.probability < 1 and self._random.random() >= fault.probability:
                continue
            fault.hits += 1
            return fault
        return None


def fault_from(values: dict[str, Any]) -> Fault:
    """Return the fault that a JSON object describes. Raises ValueError naming what is wrong."""
    try:
        return msgspec.convert(values, Fault, strict=True)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error


@dataclass(frozen=True)
class Entry:
    """A request as it was received; `fault` names what was done to it."""

    at: str
    method: str
    path: str
    query: str
    status: int
    fault: str | None


class Log:
    """The last requests and how many there were, by method and path."""

    def __init__(self, size: int = 10_000) -> None:
        self.entries: deque[Entry] = deque(maxlen=size)
        self.counts: Counter[str] = Counter()

    def add(self, entry: Entry) -> None:
        """Remember a request."""
        self.entries.append(entry)
        self.counts[f"{entry.method} {entry.path}"] += 1

    def clear(self) -> None:
        """Forget all requests."""
        self.entries.clear()
        self.counts.clear()

    def as_list(self) -> list[dict[str, Any]]:
        """Return the remembered requests, oldest first."""
        return [asdict(entry) for entry in self.entries]


class FaultLayer:
    """ASGI layer around the tool's routes: commits faults and keeps the log. Control requests pass untouched."""

    def __init__(self, app: ASGIApp, *, clock: Clock, faults: Faults, log: Log) -> None:
        self._app = app
        self._clock = clock
        self._faults = faults
        self._log = log
        self._last_pages: dict[str, bytes] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_control"):
            await self._app(scope, receive, send)
            return
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        is_owed = (scope["path"], _cursor(scope["query_string"])) in self._faults.owed
        fault = Fault("swap_pages") if is_owed else self._faults.take(scope["method"], scope["path"])
        try:
            if fault is None:
                await self._app(scope, receive, watch)
            elif fault.kind in _BEFORE:
                await self._before(fault)(scope, receive, watch)
            else:
                await self._after(fault, scope, receive, watch)
        finally:
            query = scope["query_string"].decode("latin-1")
            at = self._clock.now().isoformat()
            kind = fault.kind if fault else None
            self._log.add(Entry(at, scope["method"], scope["path"], query, status, kind))

    def _before(self, fault: Fault) -> ASGIApp:
        at = self._clock.now()
        headers = {"retry-after": fault.retry_after} if fault.retry_after else {}
        match fault.kind:
            case "429":
                response = problems.too_many_requests(at)
            case "status":
                response = problems.server_error(at, fault.status)
            case "html":
                return HTMLResponse(fault.body or "<!doctype html><title>Maintenance</title><p>Back soon.</p>")
            case "error_body":
                default = {"success": False, "error": {"code": 0, "message": "Something went wrong."}}
                return Response(fault.body or encode(default), media_type="application/json")
            case "redirect":
                return RedirectResponse(fault.body or "https://login.example/", 302)
            case _:
                return _Hang(fault.seconds)
        if fault.body is not None:
            response = Response(fault.body, response.status_code, media_type="application/json")
        response.headers.update(headers)
        return response

    async def _after(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        start, body = await self._answer(scope, receive)
        if fault.kind == "lost_answer" and fault.loss != "closed":
            is_silent = fault.loss == "silence"
            lost: ASGIApp = (
                _Hang(fault.seconds) if is_silent else problems.server_error(self._clock.now(), fault.status)
            )
            await lost(scope, receive, send)
            return
        changed = body
        if start["status"] == 200 and fault.kind == "swap_pages":
            changed = await self._swap(scope, receive, body)
        elif start["status"] == 200:
            changed = self._damage(fault, scope["path"], body)
        self._last_pages[scope["path"]] = body
        # The answer to a create is empty: one byte more than there is ends the connection before its end, too.
        length = len(body) + 1 if fault.kind == "lost_answer" else len(body)
        length = length if fault.kind in ("disconnect", "lost_answer") else len(changed)
        headers = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
        start["headers"] = [*headers, (b"content-length", str(length).encode())]
        await send(start)
        if fault.kind == "slow":
            step = max(1, len(changed) // 10)
            for position in range(0, len(changed), step):
                await asyncio.sleep(fault.seconds / 10)
                await send(
                    {"type": "http.response.body", "body": changed[position : position + step], "more_body": True}
                )
            changed = b""
        # A body that is shorter than announced makes the server close the connection.
        await send({"type": "http.response.body", "body": changed, "more_body": False})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        start: Message = {}
        chunks: list[bytes] = []

        async def keep(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            else:
                chunks.append(message.get("body", b""))

        await self._app(scope, receive, keep)
        return start, b"".join(chunks)

    async def _swap(self, scope: Scope, receive: Receive, body: bytes) -> bytes:
        """The page with the records of the next one, which will have this one's; a last page stays as it is."""
        page = msgspec.json.decode(body)
        owed = self._faults.owed.pop((scope["path"], _cursor(scope["query_string"])), None)
        if owed is not None:
            return encode({**page, "_data": owed})
        following = urlsplit(page.get("_meta", {}).get("links", {}).get("next", {}).get("href", "")).query.encode()
        if not _cursor(following):
            return body
        _, answer = await self._answer({**scope, "query_string": following}, receive)
        self._faults.owed[scope["path"], _cursor(following)] = page["_data"]
        return encode({**page, "_data": msgspec.json.decode(answer)["_data"]})

    def _damage(self, fault: Fault, path: str, body: bytes) -> bytes:
        match fault.kind:
            case "slow" | "lost_answer":
                return body
            case "cut" | "disconnect":
                return body[: len(body) // 2]
            case "malformed_xml":
                return body.replace(b"</position>", b"<position>", 1) if b"</position>" in body else body + b"<"
            case "repeat_page":
                return self._last_pages.get(path, body)
        try:
            page = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return body
        if not isinstance(page, dict) or not isinstance(page.get("_data"), list):
            return body
        _PAGE_DAMAGE[fault.kind](page, fault)
        return encode(page)


_BEFORE = frozenset({"429", "status", "timeout", "html", "error_body", "redirect"})


def _cursor(query: bytes) -> str:
    return dict(parse_qsl(query.decode("latin-1"))).get("cursor", "")


class _Hang:
    """Says nothing until the time is over or the client has gone."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        try:
            await asyncio.wait_for(gone(), self._seconds)
        except TimeoutError:
            await Response(b"", 504)(scope, receive, send)


def _drop(page: dict[str, Any], fault: Fault) -> None:
    del page["_data"][: fault.records]


def _duplicate(page: dict[str, Any], fault: Fault) -> None:
    page["_data"][:0] = page["_data"][: fault.records]


def _reorder(page: dict[str, Any], fault: Fault) -> None:
    page["_data"].reverse()


def _empty(page: dict[str, Any], fault: Fault) -> None:
    page["_data"] = []


def _self_next(page: dict[str, Any], fault: Fault) -> None:
    links = page.setdefault("_meta", {}).setdefault("links", {})
    links["next"] = links.get("self", {"href": ""})


def _malform(page: dict[str, Any], fault: Fault) -> None:
    for index, record in enumerate(page["_data"][: fault.records]):
        match fault.malformation:
            case "not_an_object":
                page["_data"][index] = "?"
            case "odd_timestamp":
                record["updated_at"] = {"date-time": "yesterday", "timezone": "Mars/Olympus"}
            case "missing_fields":
                page["_data"][index] = {"id": record.get("id")}
            case "wrong_types":
                page["_data"][index] = {key: (value if key == "id" else 7) for key, value in record.items()}
            case _:
                record.update({"surprise": {"new": [1]}, "gender": "unheard-of"})
                if "current_stage" in record:
                    record["current_stage"] = {"id": None, "name": None, "type": "system", "kind": "archived"}


_PAGE_DAMAGE: dict[str, Callable[[dict[str, Any], Fault], None]] = {
    "drop_records": _drop,
    "duplicate_records": _duplicate,
    "reorder_records": _reorder,
    "empty_page": _empty,
    "self_next": _self_next,
    "malformed_record": _malform,
}
