"""Our own OpenAPI document, made of the tables that serve the requests and the structs that render the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from atsumi.dialects import openapi
from atsumi.dialects.bindbee.bodies import AtsCandidateWrite, CreateAtsApplication, CreateCandidate
from atsumi.dialects.bindbee.dialect import DIALECT
from atsumi.dialects.bindbee.errors import BadInput, Refusal
from atsumi.dialects.bindbee.lists import BY_NAME, LISTS, ListSpec
from atsumi.dialects.bindbee.operations import OPERATIONS, Operation
from atsumi.dialects.bindbee.parameters import Parameter
from atsumi.dialects.bindbee.parse import FILE_URL
from atsumi.dialects.bindbee.passthrough import REMOTE_LOCATION, REMOTE_STATUS
from atsumi.dialects.bindbee.write_wire import Meta, WritePlan, WriteReceipt
from atsumi.model.names import Model

Json = dict[str, Any]

_OBJECT = openapi.or_null({"type": "object", "additionalProperties": True})
_EMPTY = 204
_INSTANT: Json = {"type": "string", "format": "date-time"}
_APPENDED: Json = {
    "modified_at": _INSTANT | {"description": "When what is shown was last changed by us."},
    "custom_fields": _OBJECT | {"description": "Filled with `include_custom_fields=true`."},
    "raw_data": _OBJECT | {"description": "What the tool sent. Filled with `include_raw_data=true`."},
}
_FILE_URL = openapi.or_null({"type": "string", "format": "uri"}) | {"description": "Where the file can be read."}
_REFUSALS = {
    "401": "The API key is missing or not known, or the connector token is not one of its environment.",
    "403": "The connector token is of another category, or the connector is switched off.",
    "404": "There is no such record.",
    "429": "More requests in a minute than a connector may have. `Retry-After` says when to come back.",
    "500": "Something went wrong on our side. Its cause is in the server's log.",
    "504": "The request took too long.",
}
"""What may be answered besides a success, with a text."""
_CONFLICT = {"409": "It is not possible as things stand; the text says why."}
"""What may be answered besides to requests that change something."""
_TOOL_IS_AWAY = {
    "403": "Writes are disabled for the model, or the tool refuses its credentials; or as for reading.",
    "502": "The tool has answered with something that is not understood.",
    "503": "The tool is away, or it is not known yet whether it has done it. The same request may be sent again.",
}
"""What may be answered besides to requests that ask the tool."""
_NO_META = {"501": "The tool creates no such records."}
_DEFERRED = {
    "202": openapi.content(
        "It will be done, as `Prefer: respond-async` asks for. `Location` leads to its state.",
        openapi.reference("WriteReceipt"),
    )
}


def _optional_header(name: str, description: str) -> Json:
    return openapi.header(name, description) | {"required": False}


_WRITE_HEADERS = (
    _optional_header(
        "X-Idempotency-Key",
        "The same key with the same body is answered as the first time, for 7 days, with `Idempotent-Replayed: true`; "
        "with another body it is refused. `Idempotency-Key` is the same.",
    ),
    _optional_header("Prefer", "`respond-async` to have it done later, `wait=10` to wait for so many seconds."),
)


_PASSED_ON = {
    REMOTE_STATUS: {"schema": {"type": "string"}, "description": "The source's status; missing when it is ours."},
    REMOTE_LOCATION: {"schema": {"type": "string"}, "description": "Where the source redirects to."},
}


_JOB, _CANDIDATE = "018b4bfb-5ece-70b1-ad5e-862a9433aa65", "018b18ef-c487-703c-afd9-0ca478ccd9d6"
_PERSON = {"first_name": "Ada", "last_name": "Lovelace", "email_addresses": ["ada@example.com"]}
_FILE = {"file_name": "resume.pdf", "file_url": "https://example.com/resume.pdf", "attachment_type": "RESUME"}
_SENT: Json = {
    "AtsCandidateWrite": {**_PERSON, "job": _JOB, "attachments": [_FILE]},
    "CreateCandidate": {"data": {**_PERSON, "job_id": _JOB}},
    "PostCandidate": {**_PERSON, "job_id": _JOB},
    "CreateAtsApplication": {"candidate": _CANDIDATE, "job": _JOB},
    "AtsAttachmentWrite": _FILE,
}
"""Bodies to begin with."""


def openapi_document() -> bytes:
    """The document as JSON."""
    types = [type_ for op in OPERATIONS for type_ in (op.body, op.answer, op.item) if type_ is not None]
    schemas = _bodies() | openapi.components([*types, WriteReceipt, WritePlan, Refusal, BadInput])
    related = {target for spec in LISTS for target in spec.relations.values()}
    for spec in LISTS:
        name, properties = spec.document.__name__, _properties(spec, schemas[spec.document.__name__])
        if spec.name in related:
            schemas[_inline(spec)] = _part(spec, properties)
        schemas[name] = schemas[name] | openapi.object_of(properties | _relations(spec, properties))
    paths: Json = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    security = {"api_key": {"type": "http", "scheme": DIALECT.auth_scheme.lower()}}
    tags = dict.fromkeys(operation.tag for operation in OPERATIONS)
    return openapi.document(DIALECT.title, DIALECT.version, DIALECT.base_path, paths, schemas, security, tags)


def _bodies() -> Json:
    """The schemas of what creates take, by name. The contract has other words for some fields of two of them."""
    models = dict.fromkeys(model for operation in OPERATIONS for model in operation.bodies)
    _, made = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    schemas: Json = _without_noise(made["$defs"])
    flat, application = AtsCandidateWrite.__name__, CreateAtsApplication.__name__
    schemas["PostCandidate"] = _renamed(schemas[flat], {"job": "job_id"})
    schemas[CreateCandidate.__name__]["properties"]["data"] = openapi.reference("PostCandidate")
    schemas[application] = _renamed(schemas[application], {"job_interview_stage_id": "current_stage"})
    return {name: one | ({"example": _SENT[name]} if name in _SENT else {}) for name, one in schemas.items()}


def _without_noise(node: Any) -> Any:
    """A schema without the titles and the empty defaults that pydantic gives to each property."""
    if isinstance(node, list):
        return [_without_noise(one) for one in node]
    if not isinstance(node, dict):
        return node
    # A property may be called `title`; then it is a schema, and no text.
    return {
        name: _without_noise(one)
        for name, one in node.items()
        if (name, one) != ("default", None) and not (name == "title" and isinstance(one, str))
    }


def _renamed(schema: Json, names: Mapping[str, str]) -> Json:
    return schema | {
        "properties": {names.get(name, name): one for name, one in schema["properties"].items()},
        "required": [names.get(name, name) for name in schema["required"]],
    }


def _inline(spec: ListSpec) -> str:
    """What the schema of a list's documents is called where they stand in place of an id."""
    return f"{spec.document.__name__}Inline"


def _properties(spec: ListSpec, schema: Json) -> Json:
    """All keys of a list's documents: those that are stored, and those that are not stored with them."""
    file_url = {FILE_URL: _FILE_URL} if spec.model is Model.ATTACHMENT else {}
    return {**schema["properties"], **_APPENDED, **file_url}


def _part(spec: ListSpec, properties: Json) -> Json:
    """A document in place of an id: it holds all of its keys or those that are asked for, and ids for its relations."""
    description = f"{spec.tag} in another record: all of its keys, or those that `expand` names."
    return {"title": _inline(spec), "description": description, "type": "object", "properties": properties}


def _relations(spec: ListSpec, properties: Json) -> Json:
    """The keys that hold ids, with records in place of those."""
    found: Json = {}
    for name, target in spec.relations.items():
        inline, shown = openapi.reference(_inline(BY_NAME[target])), properties[name]
        if shown.get("type") == "array":
            found[name] = {**shown, "items": {"anyOf": [shown["items"], inline]}}
        else:
            found[name] = {"anyOf": [*shown["anyOf"], inline]}
    return found


def _operation(operation: Operation) -> Json:
    token = openapi.header(DIALECT.integration_header, "The connector: which customer's records are meant.")
    return {
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [
            *([token] if operation.needs_token else []),
            *(_path(name) for name in openapi.path_names(operation.path)),
            *(_query(parameter) for parameter in operation.parameters),
            *(_WRITE_HEADERS if operation.is_write else ()),
        ],
        **_request_body(operation),
        "responses": _passed_on() if operation.passes_on else _responses(operation),
    }


def _responses(operation: Operation) -> Json:
    refusals = _REFUSALS if operation.method == "GET" else _REFUSALS | _CONFLICT
    if operation.is_write:
        refusals = refusals | _TOOL_IS_AWAY
    if operation.answer is Meta:
        refusals = refusals | _NO_META
    return {
        str(operation.status): openapi.content("Success.", _success(operation), example=_example(operation))
        if operation.status != _EMPTY
        else {"description": "Done. There is no body."},
        **(_DEFERRED if operation.is_write else {}),
        **{code: openapi.content(said, openapi.reference("Refusal")) for code, said in sorted(refusals.items())},
        "422": openapi.content("The request is not understood.", openapi.reference("BadInput")),
    }


def _passed_on() -> Json:
    """The source's answer may have any status and type, also those that ours have."""
    said = {code: f"{text} Or what the source answered." for code, text in (_REFUSALS | _CONFLICT).items()}
    said |= {"200": "What the source answered.", "422": "The request is not understood. Or what the source answered."}
    said |= dict.fromkeys(("2XX", "3XX", "4XX", "5XX"), "As the source answered.")
    return {code: openapi.content(text, {}, "*/*", headers=_PASSED_ON) for code, text in sorted(said.items())}


def _request_body(operation: Operation) -> Json:
    names = [model.__name__ for model in operation.bodies]
    if operation.body is not None:
        names.append(operation.body.__name__)
    if not names:
        return {}
    shapes = [openapi.reference(name) for name in names]
    return openapi.request_body(shapes[0] if len(shapes) == 1 else {"anyOf": shapes})


def _success(operation: Operation) -> Json:
    if operation.is_write:
        return {"anyOf": [openapi.schema_of(operation.answer), openapi.reference(WritePlan.__name__)]}
    if operation.item is None:
        return openapi.schema_of(operation.answer) if operation.answer is not None else {}
    return openapi.object_of(
        {
            "cursor": openapi.or_null({"type": "string"}) | {"description": "`null` on the last page."},
            "page_size": {"type": "integer", "description": "How many items this page holds."},
            "items": {"type": "array", "items": openapi.reference(operation.item.__name__)},
        }
    )


def _example(operation: Operation) -> Any:
    """The golden file of a write, of a list's documents, or the first of them where one is read."""
    if operation.method != "GET":
        return openapi.golden(__package__, operation.id) if operation.is_write else None
    page = openapi.golden(__package__, operation.path.removesuffix("/{id}").rpartition("/")[2])
    return page if page is None or operation.item is not None else next(iter(page["items"]), None)


def _path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}


def _query(parameter: Parameter) -> Json:
    described = openapi.query(
        parameter.name, parameter.schema, parameter.description, is_required=parameter.is_required, is_repeated=True
    )
    return described | ({"example": parameter.example} if parameter.example is not None else {})
