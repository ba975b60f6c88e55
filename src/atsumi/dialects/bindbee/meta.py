"""``create/meta``: the schema of the body that creates a candidate, for one integration.

``data`` is a JSON Schema (2020-12) of the flat body, without references. Beside its words stand those of the schemas
that the contract documents (Bindbee NOTES, section 12): ``isRequired``, ``enumInformation`` and ``allowed_values``.
Where ``allowed_values`` has no ``enum`` beside it, they are those known so far, and others are taken, too. It is made
of the models that read the body, so it says what is accepted; ``null`` may stand for what is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from pydantic import BaseModel

from atsumi.connector.writing import FileRules, WriteAction
from atsumi.dialects.bindbee.asked import KnownJob, check_scope, known_job, open_jobs
from atsumi.dialects.bindbee.bodies import ADDITIONAL_PLACES, PLACES, AtsCandidateWrite
from atsumi.dialects.bindbee.call import Call
from atsumi.dialects.bindbee.errors import InvalidRequest, value_fault
from atsumi.dialects.bindbee.narrowing import ADDITIONAL, ANSWERS, STAGE, information, narrowed, takes
from atsumi.dialects.bindbee.parameters import Parameter, read_query, refused
from atsumi.dialects.bindbee.write_wire import Meta
from atsumi.dialects.write_services import KnownSource
from atsumi.errors import UnsupportedByTool
from atsumi.model.actions import Action

Json = dict[str, Any]

_MOST_JOBS = 200
"""With more open jobs than that, what each of them adds is shown only to whoever asks about it."""
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _id(sent: str) -> UUID:
    try:
        return UUID(sent)
    except ValueError as error:
        raise refused("this is no id") from error


META_PARAMETERS = (
    Parameter("job", "The job that is applied for. A parameter of ours.", {"type": "string", "format": "uuid"}, _id),
)


async def create_meta(call: Call) -> bytes:
    """Answers with the schema for one job, or for all open ones with what each adds under ``allOf``."""
    integration = await call.integration()
    wanted: UUID | None = read_query(META_PARAMETERS, call.scope["query_string"])["job"]
    action = call.services.write_action(integration.tool, Action.CREATE_CANDIDATE)
    if action is None:
        raise UnsupportedByTool(f"Meta API is not implemented for Candidate in {integration.tool}.")
    check_scope(integration, Action.CREATE_CANDIDATE)
    sources = await call.services.known_sources(integration)
    if wanted is None:
        jobs = await open_jobs(call, integration)
        schema = body_schema(action, sources, jobs)
    else:
        job = await known_job(call, integration, wanted)
        if job is None:
            raise InvalidRequest([value_fault(["query", "job"], "there is no job with this id", str(wanted))])
        schema = job_schema(action, sources, job)
    return msgspec.json.encode(Meta(success=True, data={"$schema": _DIALECT, **schema}, error=None))


def body_schema(action: WriteAction, sources: Sequence[KnownSource], jobs: Sequence[KnownJob]) -> Json:
    """What is alike for all jobs, and for each of them what it adds."""
    schema = _schema(action, sources, None, jobs)
    if len(jobs) > _MOST_JOBS:
        more = "What a job adds, its stages and its questions, is shown with `?job=<id>`: there are many open jobs."
        return schema | {"description": more}
    added = [
        {"if": {"properties": {"job": {"const": str(job.id)}}, "required": ["job"]}, "then": _added(action, job)}
        for job in jobs
    ]
    return schema | ({"allOf": added} if added else {})


def job_schema(action: WriteAction, sources: Sequence[KnownSource], job: KnownJob) -> Json:
    """The whole body for one job."""
    return _schema(action, sources, job, [job])


def _added(action: WriteAction, job: KnownJob) -> Json:
    """What a job adds: its stages and its questions."""
    whole = _schema(action, (), job, [job])
    properties, found = whole["properties"], {}
    if STAGE in properties:
        found[STAGE] = properties[STAGE]
    additional = properties.get(ADDITIONAL, {})
    if ANSWERS in additional.get("properties", {}):
        needed = {"required": [ANSWERS]} if ANSWERS in additional.get("required", ()) else {}
        found[ADDITIONAL] = {"properties": {ANSWERS: additional["properties"][ANSWERS]}, **needed}
    needed = {"required": [ADDITIONAL]} if ADDITIONAL in whole["required"] else {}
    return {"properties": found, **needed}


def _schema(
    action: WriteAction, sources: Sequence[KnownSource], job: KnownJob | None, jobs: Sequence[KnownJob]
) -> Json:
    schema = plain_schema(narrowed(AtsCandidateWrite, action, job), action.files)
    properties: Json = schema["properties"]
    additional = properties[ADDITIONAL]
    _keep(schema, {name for name, place in PLACES.items() if takes(action, place)} | {ADDITIONAL})
    _keep(additional, {name for name, place in ADDITIONAL_PLACES.items() if takes(action, place)})
    answers: Json = additional["properties"].get(ANSWERS, {}).get("properties", {})
    for name in [name for name, one in answers.items() if one.get("readOnly")]:
        del answers[name]
    additional["additionalProperties"] = takes(action, "remote_fields")
    if job is not None and not job.stages and STAGE in properties:
        properties[STAGE]["enum"] = []
    properties["job"] |= information((str(one.id), one.name) for one in jobs)
    if jobs:
        properties["job"]["enum"] = [str(one.id) for one in jobs]
    if sources:
        if "source" in properties:
            properties["source"] |= information((one.name, None) for one in sources)
        if "recruiting_channel_id" in additional["properties"]:
            additional["properties"]["recruiting_channel_id"] |= information((one.id, one.name) for one in sources)
    properties["custom_fields"] = {
        "type": "object",
        "description": "Questions are answered under `additional_attributes`; nothing else can be written.",
        "properties": {},
        "additionalProperties": False,
        "isRequired": False,
    }
    return schema


def _keep(schema: Json, names: set[str]) -> None:
    for name in schema["properties"].keys() - names:
        del schema["properties"][name]


def plain_schema(model: type[BaseModel], files: FileRules | None = None) -> Json:
    """The schema of a body without references, titles and ``null``, each property with whether it is required."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})
    if files is not None and "AtsAttachmentWrite" in definitions:
        _describe_file(definitions["AtsAttachmentWrite"]["properties"], files)
    plain: Json = _plain(schema, definitions)
    return plain


def _describe_file(properties: Json, files: FileRules) -> None:
    endings = sorted(files.extensions)
    # The expressions of schemas have no way to ignore case.
    spelled = ["".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else c for c in ending) for ending in endings]
    properties["file_name"] |= {
        "pattern": rf"\.({'|'.join(spelled)})$",
        "description": f"With its ending, one of: {', '.join(endings)}.",
    }
    properties["file_content"] |= {
        "minLength": 4,
        "maxLength": files.max_bytes // 3 * 4,
        "description": f"The file itself, as base64. At most {files.max_bytes} bytes.",
    }


def _plain(node: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_plain(one, definitions) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        node = {**definitions[node["$ref"].rpartition("/")[2]], **node}
    found = {
        name: _plain(value, definitions)
        for name, value in node.items()
        if name not in ("$ref", "title", "default", "anyOf", "properties")
    }
    if "anyOf" in node:
        (only,) = (one for one in node["anyOf"] if one != {"type": "null"})
        found = _plain(only, definitions) | found
    if "properties" in node:
        required = node.get("required", ())
        found["properties"] = {
            name: _plain(value, definitions) | {"isRequired": name in required}
            for name, value in node["properties"].items()
        }
    return found
