"""The fields that an integration's tool has, as its records show them."""

from __future__ import annotations

from uuid import UUID

from atsumi.dialects.atsumi import wire
from atsumi.dialects.atsumi.call import Call
from atsumi.errors import InvalidInput, NotFound
from atsumi.model.catalog import MODELS
from atsumi.model.ids import from_base58, to_base58
from atsumi.model.names import Model


async def list_fields(call: Call) -> wire.FieldList:
    """One page of the catalogue. Raises :class:`InvalidInput` for a cursor that leads nowhere."""
    query = call.query
    after = _place(query["cursor"]) if query["cursor"] is not None else None
    try:
        found = await call.services.custom_fields.tool_fields(
            call.integration, models=query["models"] or tuple(Model), after=after, limit=query["limit"] + 1
        )
    except NotFound as error:
        raise _stale() from error
    page = found[: query["limit"]]
    return wire.FieldList(
        items=[
            wire.ToolField(
                id=to_base58(one.id),
                uuid=str(one.id),
                model=MODELS[one.model],
                path=one.path,
                types=list(one.types),
                records=one.records_seen,
                records_of_model=one.records,
                share=one.share,
                is_passthrough=one.is_passthrough,
            )
            for one in page
        ],
        cursor=to_base58(page[-1].id) if len(found) > len(page) else None,
    )


def _place(cursor: str) -> UUID:
    id = from_base58(cursor)
    if id is None:
        raise _stale()
    return id


def _stale() -> InvalidInput:
    return InvalidInput(
        "This cursor was not given out for this integration, or the field it stands for is gone. Begin without one.",
        path="cursor",
    )
