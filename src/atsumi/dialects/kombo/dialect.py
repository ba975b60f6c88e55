"""The dialect's facts as data: what ``dialect.toml`` may hold. Unknown keys are refused."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

import msgspec


class Paging(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How lists are walked."""

    style: Literal["cursor"]
    cursor_parameter: str
    size_parameter: str
    default_size: int
    maximum_size: int


class Dialect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One wire format."""

    name: str
    title: str
    version: str
    base_path: str
    auth_header: str
    auth_scheme: str
    integration_header: str
    sources: tuple[str, ...]
    paging: Paging


DIALECT = msgspec.toml.decode(files(__package__).joinpath("dialect.toml").read_bytes(), type=Dialect)
"""The Kombo dialect, as its ``dialect.toml`` states it."""
