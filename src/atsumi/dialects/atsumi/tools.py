"""What each tool gives, field by field, as its connector and the other surfaces' tables say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from atsumi.connector.contract import Connector
from atsumi.dialects.atsumi import wire
from atsumi.dialects.atsumi.call import Call
from atsumi.dialects.spelling import Spelling
from atsumi.errors import NotFound
from atsumi.model.catalog import STRUCTS
from atsumi.model.names import Model
from atsumi.model.record import CONFIGURED

_INFERRED = "inferred"
_CONFIGURED = "No tool fills it: it holds what is mapped or chosen for an integration."
_EMPTY = "No model of ours stands behind it, so it is empty whatever the tool."
_NO_REASON = "The connector gives no reason."


async def list_tools(call: Call) -> wire.ToolList:
    """All tools by slug."""
    return wire.ToolList(
        items=[
            wire.Tool(
                tool=slug,
                label=connector.manifest.label,
                category=connector.manifest.category,
                models=[model for model in STRUCTS if model in connector.mapping.coverage],
            )
            for slug, connector in sorted(call.services.connectors.items())
        ]
    )


async def get_tool(call: Call) -> wire.ToolDetails:
    """One tool. Raises :class:`NotFound`."""
    slug = call.path["tool"]
    connector = call.services.connectors.get(slug)
    if connector is None:
        raise NotFound(f"There is no such tool. Known: {', '.join(sorted(call.services.connectors))}.", path="tool")
    manifest = connector.manifest
    return wire.ToolDetails(
        tool=slug,
        label=manifest.label,
        category=manifest.category,
        docs=dict(manifest.docs),
        caveats=list(manifest.caveats),
        permissions=[
            wire.Permission(
                name=scope.name,
                label=scope.label,
                where=scope.where["en"],
                streams=list(scope.streams),
                is_required=scope.is_required,
            )
            for scope in manifest.scopes
        ],
        models=[_model(connector, model, call.services.spellings) for model in STRUCTS],
        empty_lists=[
            wire.EmptyList(surface=surface, path=path, reason=_EMPTY, fields=list(fields))
            for surface, found in call.services.spellings.items()
            for path, fields in found.empty_lists.items()
        ],
    )


def _model(connector: Connector, model: Model, spellings: Mapping[str, Spelling]) -> wire.ModelSupport:
    mapping = connector.mapping
    is_offered = model in mapping.coverage
    behind = connector.streams_behind(model) if is_offered else frozenset()
    streams = [one.name for one in connector.streams if one.name in behind]
    return wire.ModelSupport(
        model=model,
        status="supported" if is_offered else "not_offered",
        reason=None if is_offered else mapping.absences.models.get(model, _NO_REASON),
        streams=streams,
        permissions=[one.name for one in connector.manifest.scopes if not set(streams).isdisjoint(one.streams)],
        lists={name: list(found.lists.get(model, ())) for name, found in spellings.items()},
        fields=[_field(connector, model, name, spellings) for name in STRUCTS[model].__struct_fields__],
    )


def _field(connector: Connector, model: Model, name: str, spellings: Mapping[str, Spelling]) -> wire.FieldSupport:
    status, evidence, reason = _support(connector, model, name)
    return wire.FieldSupport(
        field=name,
        status=status,
        evidence=evidence,
        reason=reason,
        surfaces={
            surface: wire.SpelledField(
                names=list(found.names.get((model, name), ())), reason=found.left_out.get((model, name))
            )
            for surface, found in spellings.items()
        },
    )


def _support(connector: Connector, model: Model, name: str) -> tuple[wire.Support, wire.Evidence | None, str | None]:
    mapping = connector.mapping
    fields = mapping.coverage.get(model)
    if fields is None:
        return "not_offered", None, mapping.absences.models.get(model, _NO_REASON)
    if name in CONFIGURED:
        return "configured", None, _CONFIGURED
    if name not in fields:
        return "not_offered", None, mapping.absences.of_field(model, name) or _NO_REASON
    evidence = cast(wire.Evidence, fields[name].replace(" ", "_"))
    if evidence == _INFERRED:
        return "inferred", evidence, mapping.absences.inferred.get((model, name), _NO_REASON)
    return "supported", evidence, None
