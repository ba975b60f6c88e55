"""Looking up names: which tools there are, and which models."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from atsumi.dialects.bindbee.call import CATEGORY, Call
from atsumi.dialects.bindbee.lists import LISTS
from atsumi.dialects.bindbee.parameters import Parameter, Unreadable, read_query

CATEGORIES = ("HRIS", "ATS", "LMS")
"""Bindbee OpenAPI document 0.1.0, ``Category``. Only ``ATS`` has tools and models here."""


class KnownIntegration(msgspec.Struct, kw_only=True):
    slug: str
    display_name: str
    categories: list[str]


class KnownIntegrations(msgspec.Struct, kw_only=True):
    integrations: list[KnownIntegration]


class KnownModel(msgspec.Struct, kw_only=True):
    """``slug`` is the name that custom fields are defined for, except that of a list that stays empty (``eeoc``)."""

    slug: str
    display_name: str
    category: str


class KnownModels(msgspec.Struct, kw_only=True):
    models: list[KnownModel]


def _category(sent: str) -> str:
    if sent not in CATEGORIES:
        expected = "'HRIS', 'ATS' or 'LMS'"
        raise Unreadable("enum", f"Input should be {expected}", expected=expected)
    return sent


LOOKUP_PARAMETERS = (
    Parameter("category", "Only what is of this category.", {"type": "string", "enum": list(CATEGORIES)}, _category),
)


async def list_integrations(call: Call) -> bytes:
    """The tools that can be connected, by slug."""
    asked = await _asked(call)
    found = [
        KnownIntegration(slug=slug, display_name=one.manifest.label, categories=[one.manifest.category])
        for slug, one in sorted(call.services.connectors.items())
        if one.manifest.category in asked
    ]
    return msgspec.json.encode(KnownIntegrations(integrations=found))


async def list_models(call: Call) -> bytes:
    """The models of all tools, in the order of their lists."""
    asked = await _asked(call)
    found = [
        KnownModel(slug=spec.slug, display_name=spec.tag, category=CATEGORY) for spec in LISTS if CATEGORY in asked
    ]
    return msgspec.json.encode(KnownModels(models=found))


async def _asked(call: Call) -> Collection[str]:
    """The categories that are asked for."""
    await call.caller()
    category = read_query(LOOKUP_PARAMETERS, call.scope["query_string"])["category"]
    return CATEGORIES if category is None else (category,)
