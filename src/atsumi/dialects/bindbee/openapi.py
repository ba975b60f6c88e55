"""Our own OpenAPI document, made of the tables that serve the requests and the structs that render the answers."""

from __future__ import annotations

import msgspec

from atsumi.dialects.bindbee.dialect import DIALECT


def openapi_document() -> bytes:
    """The document as JSON."""
    info = {"title": DIALECT.title, "version": DIALECT.version}
    return msgspec.json.encode({"openapi": "3.1.0", "info": info, "paths": {}})
