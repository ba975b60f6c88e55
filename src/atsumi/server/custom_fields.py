"""Custom fields and the fields of tools: :class:`atsumi.dialects.custom_fields.CustomFieldServices` over the store."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from atsumi.connector.contract import MappingContext
from atsumi.dialects.custom_fields import Addressed, DocumentSource, EffectiveField, Origin, Where
from atsumi.errors import Conflict, InvalidInput, NotFound
from atsumi.model.catalog import CODES, MODELS
from atsumi.model.names import Model
from atsumi.server.runtime import Runtime
from atsumi.store import connector_tokens, integration_fields, records, shaping
from atsumi.store import custom_fields as store
from atsumi.store.custom_fields import CustomField, CustomFieldMapping
from atsumi.store.integration_fields import FieldRow
from atsumi.sync import codec
from atsumi.sync.paths import compile_path
from atsumi.sync.raw_documents import load_raw_documents
from atsumi.sync.shaping import load_shape

_NAME = re.compile(r"[a-z][a-z0-9_]{1,127}", re.ASCII)
_LONGEST_TEXT = 2_000


class CustomFieldService:
    """The one place where custom fields change. Keeps no state of its own."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._pool = runtime.pool

    async def define(
        self,
        environment_id: UUID,
        model: Model,
        name: str,
        *,
        label: str | None = None,
        description: str | None = None,
        origin: Origin = "API",
    ) -> CustomField:
        _check({"name": name, "label": label, "description": description})
        async with self._pool.acquire() as connection:
            return await store.define(
                connection, environment_id, CODES[model], name, label=label, description=description, origin=origin
            )

    async def field(self, environment_id: UUID, id: UUID) -> CustomField:
        return await store.find(self._pool, environment_id, id)

    async def fields(
        self,
        environment_id: UUID,
        *,
        models: Sequence[Model] = tuple(Model),
        origin: Origin | None = None,
        after: UUID | None = None,
        limit: int,
    ) -> Sequence[CustomField]:
        last = await self.field(environment_id, after) if after is not None else None
        return await store.list_fields(
            self._pool,
            environment_id,
            models=[CODES[model] for model in models],
            origin=origin,
            after=(last.model, last.name) if last is not None else (0, ""),
            limit=limit,
        )

    async def change(self, environment_id: UUID, id: UUID, changes: Mapping[str, Any]) -> CustomField:
        _check({name: value for name, value in changes.items() if name != "model"})
        async with self._pool.acquire() as connection, connection.transaction():
            field = await store.find(connection, environment_id, id)
            changed = replace(field, **dict(changes) | _model(changes))
            if changed.model != field.model and await store.mappings(connection, environment_id, custom_field_id=id):
                raise Conflict(f"The custom field {field.name} is mapped. Remove its mappings to change the model.")
            if changed == field:
                return field
            return await store.change(connection, changed)

    async def delete(self, environment_id: UUID, id: UUID) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await store.find(connection, environment_id, id)
            await store.delete(connection, id)

    async def mappings(
        self, environment_id: UUID, *, field: UUID | None = None, where: Where | None = None
    ) -> Sequence[CustomFieldMapping]:
        tool = where.tool if where is not None else None
        integration = where.integration.number if where is not None and where.integration is not None else None
        return await store.mappings(
            self._pool, environment_id, custom_field_id=field, tool=tool, integration=integration
        )

    async def map(
        self,
        environment_id: UUID,
        id: UUID,
        where: Where,
        *,
        path: str | None = None,
        integration_field: UUID | None = None,
        replaces: bool = True,
    ) -> CustomFieldMapping:
        if path is not None:
            compile_path(path)
        if where.tool is not None:
            self._known_tool(where.tool)
        async with self._pool.acquire() as connection, connection.transaction():
            field = await store.find(connection, environment_id, id)
            tool = where.tool or (where.integration.tool if where.integration is not None else "")
            if not self.has_raw_documents(tool, MODELS[field.model]):
                raise InvalidInput(
                    f"{field.name} cannot be mapped: {tool} says nothing about records of the model "
                    f"{MODELS[field.model]} that a path could be evaluated on."
                )
            if integration_field is not None:
                if where.integration is None:
                    raise InvalidInput("A field of one integration cannot be the source for all of its tool.")
                source = await integration_fields.find_field(connection, where.integration.number, integration_field)
                if source is None or source.model != field.model:
                    raise InvalidInput(
                        "There is no field with this id among those of the integration and the custom field's model."
                    )
            return await store.put_mapping(
                connection,
                field,
                tool=where.tool,
                integration=where.integration.number if where.integration is not None else None,
                path=path,
                integration_field_id=integration_field,
                replaces=replaces,
            )

    async def mapping(self, environment_id: UUID, id: UUID) -> CustomFieldMapping:
        return await store.find_mapping(self._pool, environment_id, id)

    async def change_mapping(self, environment_id: UUID, id: UUID, path: str) -> CustomFieldMapping:
        compile_path(path)
        async with self._pool.acquire() as connection, connection.transaction():
            await store.change_mapping(connection, await store.find_mapping(connection, environment_id, id), path)
            return await store.find_mapping(connection, environment_id, id)

    async def unmap(self, environment_id: UUID, id: UUID) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await store.delete_mapping(connection, await store.find_mapping(connection, environment_id, id))

    async def connector_tokens(self, mappings: Sequence[CustomFieldMapping]) -> Mapping[int, str]:
        numbers = {mapping.integration for mapping in mappings if mapping.integration is not None}
        return await connector_tokens.tokens_of(self._pool, self._runtime.vault, sorted(numbers)) if numbers else {}

    async def effective(self, integration: Addressed, fields: Sequence[CustomField]) -> Sequence[EffectiveField]:
        found = await store.effective_mappings(self._pool, integration.number, [field.id for field in fields])
        return [EffectiveField(field, found.get(field.id)) for field in fields]

    async def tool_fields(
        self, integration: Addressed, *, models: Sequence[Model], after: UUID | None = None, limit: int
    ) -> Sequence[FieldRow]:
        last = await self.tool_field(integration, after) if after is not None else None
        return await integration_fields.list_fields(
            self._pool,
            integration.number,
            models=[CODES[model] for model in models],
            after=(last.model, last.path) if last is not None else (0, ""),
            limit=limit,
        )

    async def tool_field(self, integration: Addressed, id: UUID) -> FieldRow:
        found = await integration_fields.find_field(self._pool, integration.number, id)
        if found is None:
            raise NotFound("There is no field with this id in the integration.")
        return found

    async def set_passthrough(self, integration: Addressed, id: UUID, is_on: bool) -> FieldRow:
        async with self._pool.acquire() as connection, connection.transaction():
            if await integration_fields.set_passthrough(connection, integration.number, id, is_on):
                await shaping.bump(connection, [integration.number])
        return await self.tool_field(integration, id)

    async def raw_document(
        self, integration: Addressed, model: Model
    ) -> tuple[Mapping[str, object] | None, DocumentSource]:
        for document in await self.newest_documents(integration, model, limit=1):
            return document, DocumentSource.RECORD
        return self.sample(integration.tool, model), DocumentSource.SAMPLE

    async def newest_documents(
        self, integration: Addressed, model: Model, limit: int
    ) -> Sequence[Mapping[str, object]]:
        """The raw documents of the records of a model that changed last, the newest first, without empty ones."""
        connector = self._runtime.connector(integration.tool)
        context = MappingContext(config=integration.config)
        # What is out of scope is removed before long; until then it is not shown.
        known = self._runtime.shapes.get(integration.number)
        shape = await load_shape(self._pool, integration.number, connector, known)
        async with self._pool.acquire() as connection:
            newest = await records.newest(connection, integration.number, CODES[model], limit=limit)
            wanted = [codec.decode(one) for one in newest]
            found = await load_raw_documents(
                connection, integration.number, connector.mapping, context, wanted, shape.kept
            )
        return [document for document in found if document]

    def has_raw_documents(self, tool: str, model: Model) -> bool:
        return model in self._runtime.connector(tool).mapping.remote_data

    def sample(self, tool: str, model: Model) -> Mapping[str, object] | None:
        self._known_tool(tool)
        samples = self._runtime.connector(tool).samples
        return samples(model) if samples is not None else None

    def _known_tool(self, slug: str) -> None:
        if slug not in self._runtime.connectors:
            raise NotFound(f"There is no tool {slug[:60]} in this installation.")


def _model(changes: Mapping[str, Any]) -> dict[str, int]:
    return {"model": CODES[changes["model"]]} if "model" in changes else {}


def _check(texts: Mapping[str, str | None]) -> None:
    name = texts.get("name", "ok")
    if name is None or not _NAME.fullmatch(name):
        raise InvalidInput(
            "the name of a custom field has 2 to 128 characters: small letters, digits and underscores, a letter first",
            path="name",
        )
    for what, text in texts.items():
        if text is not None and ("\0" in text or len(text) > _LONGEST_TEXT):
            raise InvalidInput(f"the text holds a zero byte or more than {_LONGEST_TEXT} characters", path=what)
