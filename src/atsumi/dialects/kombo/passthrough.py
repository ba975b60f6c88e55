"""Requests of a caller's own to a tool: ``POST /passthrough/{tool}/{api}`` (Kombo OpenAPI document, May 2026)."""

from __future__ import annotations

import base64
import re
from typing import Literal

import msgspec

from atsumi.connector.passthrough import Part, PassthroughAnswer, PassthroughRequest
from atsumi.dialects.kombo.call import Call
from atsumi.dialects.kombo.errors import WireError
from atsumi.dialects.passthrough_bodies import LONGEST_BODY, NOTHING, content_of, from_base64
from atsumi.errors import InvalidInput, NotFound

_CHARSET = re.compile(r"charset=[\"']?(iso-8859-1|iso-8859-15|windows-1252)\b", re.IGNORECASE)
"""What texts may be encoded in besides UTF-8."""


class PassthroughFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A file: either ``data`` in base64 with its ``content_type``, or the ``data_url`` where it is fetched."""

    name: str
    content_type: str | None = None
    data: str | None = None
    data_url: str | None = None


class PassthroughPart(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One part of a multipart body."""

    name: str
    value: str | PassthroughFile


class PassthroughBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to send. ``path`` counts from the API's base address; a query may stand in it or in ``params``.

    A string as ``data`` is sent as it is, everything else as JSON. ``headers`` that carry credentials, name the host or
    frame the message are left out with a warning. No API knows ``api_options``.
    """

    method: Literal["GET", "POST", "DELETE", "PUT", "PATCH"]
    path: str
    headers: dict[str, str] | None = None
    params: dict[str, str] | None = None
    data: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    response_as_base64: bool | None = None
    multipart_form_data: list[PassthroughPart] | None = None
    api_options: dict[str, str] | None = None


class PassthroughResult(msgspec.Struct, kw_only=True):
    """What the tool answered, whatever its ``status``: ``data`` is its JSON, else text, or base64 where asked for.

    Redirects are answers, too. Headers that carry secrets or belong to the connection are left out.
    """

    url: str
    status: int
    headers: dict[str, str | list[str]]
    data: msgspec.Raw


async def pass_through(call: Call) -> bytes:
    """Raises :class:`WireError`, :class:`NotFound`, :class:`InvalidInput`, and what the tool's API raises."""
    integration = await call.addressed()
    if not call.services.passthrough_is_enabled:
        raise WireError("INTEGRATION.ACTION_DISABLED", "Passthrough is switched off in this installation.")
    tool, api = call.parameters["tool"], call.parameters["api"]
    if tool != integration.tool:
        raise NotFound(f"This integration's tool is {integration.tool}; use /passthrough/{integration.tool}/{{api}}.")
    connector = call.services.connectors.get(tool)
    known = connector.passthrough if connector is not None else {}
    if api not in known:
        raise NotFound(f"{tool} has no such API. Its APIs: {', '.join(known) or 'none'}.")
    try:
        wish = msgspec.json.decode(await call.body(LONGEST_BODY), type=PassthroughBody)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput(f"The body is not understood: {error}.") from error
    answer = await call.services.pass_through(integration, api, _request(wish))
    data, warnings = _data(answer, bool(wish.response_as_base64))
    warnings += [f"The header {name} is not the caller's to set and was left out." for name in answer.dropped]
    if wish.api_options:
        warnings.append(f"This API has no options; left out: {', '.join(wish.api_options)}.")
    result = PassthroughResult(url=answer.url, status=answer.status, headers={**answer.headers}, data=data)
    shown = [{"message": message} for message in warnings]
    return msgspec.json.encode({"status": "success", "data": result, "warnings": shown})


def _request(wish: PassthroughBody) -> PassthroughRequest:
    content, is_json = content_of(wish.data)
    parts = None
    if wish.multipart_form_data is not None:
        if content is not None:
            raise InvalidInput("Send either data or multipart_form_data.", path="multipart_form_data")
        parts = [_part(f"multipart_form_data.{index}", one) for index, one in enumerate(wish.multipart_form_data)]
    return PassthroughRequest(
        method=wish.method,
        path=wish.path,
        headers=wish.headers or {},
        query=list((wish.params or {}).items()),
        content=content,
        content_type="application/json" if is_json else None,
        parts=parts,
    )


def _part(path: str, part: PassthroughPart) -> Part:
    value = part.value
    if isinstance(value, str):
        return Part(part.name, value.encode())
    if (value.data is None) == (value.data_url is None):
        raise InvalidInput("A file has either data or data_url.", path=f"{path}.value")
    if value.data is None:
        return Part(part.name, file_name=value.name, content_type=value.content_type, url=value.data_url)
    if value.content_type is None:
        raise InvalidInput("A file with data has a content_type, too.", path=f"{path}.value.content_type")
    return Part(part.name, from_base64(value.data, f"{path}.value.data"), value.name, value.content_type)


def _data(answer: PassthroughAnswer, as_base64: bool) -> tuple[msgspec.Raw, list[str]]:
    """The tool's body as a JSON value, and what there is to say about that."""
    if as_base64:
        return _text(base64.b64encode(answer.body).decode()), []
    if not answer.body:
        return NOTHING, []
    if answer.content_type.rpartition("+")[2].rpartition("/")[2] in ("json", ""):
        try:
            # As the tool wrote it: numbers keep all of their digits.
            return msgspec.json.decode(answer.body.decode().encode(), type=msgspec.Raw).copy(), []
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass
    named = _CHARSET.search(answer.headers.get("content-type", ""))
    try:
        return _text(answer.body.decode(named[1] if named else "utf-8")), []
    except UnicodeDecodeError:
        note = "The answer is no text; some of it is lost. Ask for it with response_as_base64."
        return _text(answer.body.decode("utf-8", "replace")), [note]


def _text(text: str) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(text))
