"""Small values that several records hold."""

from __future__ import annotations

from typing import Any

import msgspec


class Location(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A place. ``raw`` is the tool's own text; the other fields are set only where the tool separates them."""

    raw: str | None = None
    city: str | None = None
    country: str | None = None
    """ISO 3166-1 alpha-2 where it is known, else the tool's text."""
    state: str | None = None
    street_1: str | None = None
    street_2: str | None = None
    zip_code: str | None = None


class EmailAddress(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One e-mail address; ``type`` is the tool's label such as ``PRIMARY``."""

    email_address: str
    type: str | None = None


class PhoneNumber(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One phone number as the tool spells it."""

    phone_number: str
    type: str | None = None


class SocialMedia(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A profile elsewhere; ``type`` is upper case (``LINKEDIN``)."""

    link: str | None = None
    type: str | None = None
    username: str | None = None


class PassedField(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A field of the tool that is handed on as it is. ``key`` is its path in the record's raw document."""

    key: str
    value: Any = None
    is_custom: bool = False
    """Whether the customer has defined it in the tool."""
