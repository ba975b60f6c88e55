"""A dialect's facts as data: what its ``dialect.toml`` may hold. Unknown keys are refused."""

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
    """One wire format. ``integration_header`` tells which integration a request is about."""

    name: str
    title: str
    version: str
    base_path: str
    auth_header: str
    auth_scheme: str
    integration_header: str
    sources: tuple[str, ...]
    paging: Paging


def load_dialect(package: str) -> Dialect:
    """The facts of the dialect in that package. Raises :class:`msgspec.ValidationError`."""
    return msgspec.toml.decode(files(package).joinpath("dialect.toml").read_bytes(), type=Dialect)
