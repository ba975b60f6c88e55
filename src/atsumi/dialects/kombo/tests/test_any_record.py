"""Whatever a tool says, the published client can read the page."""

from __future__ import annotations

import json
from datetime import UTC
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kombo import models
from msgspec import inspect

from atsumi.dialects.kombo.lists import LISTS, ListSpec
from atsumi.dialects.kombo.tests.kit import WIRE_MODELS, stored
from atsumi.model.catalog import STRUCTS
from atsumi.model.record import Record
from atsumi.sync.projection import Relation, Stored

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INTEGER = st.integers(-(2**31), 2**31)
FLOAT = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | INTEGER | FLOAT | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)


def values(type_: inspect.Type) -> st.SearchStrategy[Any]:
    match type_:
        case inspect.StrType():
            return TEXT
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType():
            return INTEGER
        case inspect.FloatType():
            return FLOAT
        case inspect.NoneType():
            return st.none()
        case inspect.DateTimeType():
            return st.datetimes(timezones=st.just(UTC))
        case inspect.EnumType():
            return st.sampled_from(list(type_.cls))
        case inspect.AnyType():
            return JSON
        case inspect.DictType():
            return st.dictionaries(TEXT, JSON, max_size=2)
        case inspect.ListType():
            return st.lists(values(type_.item_type), max_size=2)
        case inspect.UnionType():
            return st.one_of(*(values(each) for each in type_.types))
        case inspect.StructType():
            return structs(type_.cls)
    raise NotImplementedError(type_)


@cache
def structs(struct: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    described = inspect.type_info(struct)
    assert isinstance(described, inspect.StructType)
    return st.builds(struct, **{field.name: values(field.type) for field in described.fields})


def trees(struct: type[Record], relations: tuple[Relation, ...]) -> st.SearchStrategy[Stored[Record]]:
    related = st.fixed_dictionaries(
        {each.name: st.lists(trees(STRUCTS[each.model], each.relations), max_size=2) for each in relations}
    )
    return st.builds(stored, structs(struct), related)


@pytest.mark.parametrize("spec", LISTS, ids=lambda spec: spec.name)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_record_gives_a_document_that_the_client_accepts(spec: ListSpec, data: st.DataObject) -> None:
    made = WIRE_MODELS[spec.name]
    tree = data.draw(trees(STRUCTS[spec.model], made.relations))
    document = json.loads(made.render(tree) + b"}")
    assert made.render(tree) == made.render(tree)
    msgspec.convert(document, spec.document)
    accepted = getattr(models, f"{spec.operation}PositiveResponse")
    accepted.model_validate({"status": "success", "data": {"next": None, "results": [document]}})
