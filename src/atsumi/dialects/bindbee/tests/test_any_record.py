"""Whatever a tool says, what is stored of it is a document of the contract, and a reader can complete it."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atsumi.dialects.bindbee.lists import LISTS, ListSpec
from atsumi.dialects.bindbee.tests.kit import WIRE_MODELS, FakeServices, read
from atsumi.dialects.kombo.tests.kit import CHANGED_AT
from atsumi.dialects.kombo.tests.test_any_record import trees
from atsumi.model.catalog import STRUCTS
from atsumi.store.reading import Fragment


@pytest.mark.parametrize("spec", [spec for spec in LISTS if spec.model], ids=lambda spec: spec.name)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
async def test_any_record_gives_a_document_of_the_contract(spec: ListSpec, data: st.DataObject) -> None:
    assert spec.model is not None
    made = WIRE_MODELS[spec.name]
    assert made.custom_fields is not None
    tree = data.draw(trees(STRUCTS[spec.model], made.relations))
    body, custom = made.render(tree), made.custom_fields(tree)
    assert (body, custom) == (made.render(tree), made.custom_fields(tree))
    msgspec.convert(json.loads(body + b"}"), spec.document)
    services = FakeServices()
    services.stored[spec.model] = [Fragment(tree.id, 1, CHANGED_AT, body, tree.record.remote_id, custom)]
    expand = {"expand": ",".join(spec.relations)} if spec.relations else {}
    page = await read(services, spec.name, include_custom_fields="true", include_raw_data="true", **expand)
    assert page["items"][0]["custom_fields"] == json.loads(custom or b"{}")
