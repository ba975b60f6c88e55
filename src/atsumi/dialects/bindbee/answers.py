"""Lists and single records: stored documents, completed by what is not stored with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from atsumi.dialects.bindbee import values
from atsumi.dialects.bindbee.call import Call
from atsumi.dialects.bindbee.lists import ListSpec
from atsumi.dialects.bindbee.parameters import read_query
from atsumi.dialects.bindbee.parse import FILE_URL, Expansion, Shape, get_parameters, parse, shape
from atsumi.dialects.freshness import freshness_headers
from atsumi.dialects.http import Answer
from atsumi.dialects.services import Integration
from atsumi.errors import NotFound
from atsumi.model.names import Model
from atsumi.store.reading import Fragment, ListPage, ListQuery
from atsumi.sync.raw_documents import raw_document

_Keys = dict[str, msgspec.Raw]
_keys = msgspec.json.Decoder(_Keys)
_named = msgspec.json.Decoder(str | list[str] | None)
_encode = msgspec.json.encode


def list_handler(spec: ListSpec) -> Callable[[Call], Awaitable[Answer]]:
    """Answers with one page of a list, and with how fresh it is. What is not there yet is missing from it."""

    async def read_list(call: Call) -> Answer:
        integration = await call.integration()
        key = call.services.cursor_key
        request = parse(spec, call.scope["query_string"], integration, key)
        # Taken before the page is read, so that the records are never older than said.
        as_of = call.services.as_of(integration, spec.model) if spec.model is not None else None
        page = ListPage((), None)
        if request.query is not None:
            page = await call.services.list_page(integration, request.query)
        items = await documents(call, integration, spec, page.fragments, request.shape)
        following = b"null"
        if page.next is not None:
            following = f'"{request.cursor(key, page.next)}"'.encode()
        body = b'{"cursor":%b,"page_size":%d,"items":[%b]}' % (following, len(items), b",".join(items))
        return Answer(body, headers=freshness_headers(call.services, integration, spec.model, as_of))

    return read_list


def get_handler(spec: ListSpec) -> Callable[[Call], Awaitable[bytes]]:
    """Answers with one record. A record that is gone from the tool is not found."""

    async def read_one(call: Call) -> bytes:
        integration = await call.integration()
        id = call.id()
        wanted = shape(read_query(get_parameters(spec), call.scope["query_string"]))
        found = await document(call, integration, spec, id, wanted)
        if found is None:
            raise NotFound(f"{spec.tag} not found")
        return found

    return read_one


async def document(
    call: Call, integration: Integration, spec: ListSpec, id: UUID, wanted: Shape | None = None
) -> bytes | None:
    """One complete document, if its record is there."""
    wanted = wanted or Shape()
    found = await _stored(call, integration, spec, [id], wanted)
    return (await documents(call, integration, spec, found, wanted))[0] if found else None


async def documents(
    call: Call, integration: Integration, spec: ListSpec, fragments: Sequence[Fragment], wanted: Shape
) -> list[bytes]:
    """Complete documents, in the order of the fragments."""
    bodies = [fragment.body for fragment in fragments]
    if wanted.expansions and bodies:
        bodies = await _expanded(call, integration, bodies, wanted)
    raw = [b"null"] * len(bodies)
    if wanted.raw_data and spec.model is not None:
        remote_ids = [fragment.remote_id or "" for fragment in fragments]
        raw = [_raw_data(parts) for parts in await call.services.raw_sources(integration, spec.model, remote_ids)]
    return [
        b'%b%b,"modified_at":"%b","custom_fields":%b,"raw_data":%b}'
        % (
            body,
            _file_url(call, integration, fragment.id) if spec.model is Model.ATTACHMENT else b"",
            str(values.instant(fragment.touched_at)).encode(),
            (fragment.custom_fields or b"{}") if wanted.custom_fields else b"null",
            raw_data,
        )
        for fragment, body, raw_data in zip(fragments, bodies, raw, strict=True)
    ]


async def _stored(
    call: Call, integration: Integration, spec: ListSpec, ids: Sequence[UUID], wanted: Shape
) -> Sequence[Fragment]:
    if spec.model is None:
        return ()
    query = ListQuery(
        model=spec.model,
        page_size=len(ids),
        ids=ids,
        with_remote_ids=wanted.raw_data,
        with_custom_fields=wanted.custom_fields,
    )
    return (await call.services.list_page(integration, query)).fragments


async def _expanded(call: Call, integration: Integration, bodies: Sequence[bytes], wanted: Shape) -> list[bytes]:
    """The same documents, open as before, with relations as documents where those exist. One query per relation.

    What is named but not stored keeps its id: ``null`` would say that nothing is named.
    """
    opened = [_keys.decode(body + b"}") for body in bodies]
    for expansion in wanted.expansions:
        named = [_named.decode(document[expansion.relation]) for document in opened]
        ids = {id for one in named for id in ([one] if isinstance(one, str) else one or ())}
        found = await _related(call, integration, expansion, ids, wanted) if ids else {}
        for document, one in zip(opened, named, strict=True):
            if isinstance(one, str):
                document[expansion.relation] = found.get(one, document[expansion.relation])
            elif one is not None:
                document[expansion.relation] = msgspec.Raw(_encode([found.get(id, id) for id in one]))
    return [_encode(document)[:-1] for document in opened]


async def _related(
    call: Call, integration: Integration, expansion: Expansion, ids: set[str], wanted: Shape
) -> Mapping[str, msgspec.Raw]:
    """Complete documents by id, cut down to the keys that are wanted. They hold what those around them hold."""
    inner = Shape(wanted.raw_data, wanted.custom_fields)
    fragments = await _stored(call, integration, expansion.target, [UUID(id) for id in sorted(ids)], inner)
    found = await documents(call, integration, expansion.target, fragments, inner)
    return {str(one.id): _cut(document, expansion.fields) for one, document in zip(fragments, found, strict=True)}


def _cut(document: bytes, fields: Sequence[str] | None) -> msgspec.Raw:
    if fields is None:
        return msgspec.Raw(document)
    keys = _keys.decode(document)
    return msgspec.Raw(_encode({name: keys[name] for name in fields}))


def _file_url(call: Call, integration: Integration, attachment: UUID) -> bytes:
    """A link that needs no key and ends after a while; it is made anew for every answer."""
    link = call.base_url() + call.services.file_path(integration, attachment)
    return b',"%b":%b' % (FILE_URL.encode(), _encode(link))


def _raw_data(parts: Sequence[tuple[str, bytes]]) -> bytes:
    """The raw document, its values as the tool spelled them; ``null`` where nothing is stored."""
    return _encode(raw_document([(label, _opened(data)) for label, data in parts])) if parts else b"null"


def _opened(data: bytes) -> Any:
    try:
        return _keys.decode(data)
    except msgspec.ValidationError:
        return msgspec.Raw(data)
    except msgspec.DecodeError:
        return None
