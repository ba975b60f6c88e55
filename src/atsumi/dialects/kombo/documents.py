"""Stored documents, completed with what is not stored in them."""

from __future__ import annotations

from collections.abc import Sequence

from atsumi.dialects.kombo.call import Call
from atsumi.dialects.services import Integration
from atsumi.model.names import Model
from atsumi.store.reading import ListPage


async def completed(call: Call, integration: Integration, model: Model, page: ListPage) -> tuple[list[bytes], bytes]:
    """The documents of a page, and what completes each of them.

    The page must have been read with remote ids where the integration shows raw data.
    """
    bodies = [fragment.body for fragment in page.fragments]
    if not integration.remote_data_enabled:
        return bodies, b',"remote_data":null}'
    remote_ids = [fragment.remote_id or "" for fragment in page.fragments]
    found = await call.services.raw_sources(integration, model, remote_ids)
    return [body + b',"remote_data":' + _object(parts) for body, parts in zip(bodies, found, strict=True)], b"}"


def _object(parts: Sequence[tuple[str, bytes]]) -> bytes:
    """Raw records by the label of their endpoint, as the tool sent them."""
    return b"{" + b",".join(b'"%s":%s' % (label.encode(), data) for label, data in parts) + b"}" if parts else b"null"
