"""What a connector says about itself."""

# ruff: noqa: S101 (asserting is what this file is for)

from __future__ import annotations

import re

from atsumi.connector.contract import LookupStream
from atsumi.model.catalog import STRUCTS
from atsumi.model.names import Model
from atsumi.model.record import CONFIGURED
from atsumi.testing.conformance.harness import Harness


async def manifest_names_are_sound(harness: Harness) -> None:
    manifest = harness.connector.manifest
    assert re.fullmatch(r"[a-z][a-z0-9-]*", manifest.slug)
    names = [field.name for field in manifest.fields]
    assert len(names) == len(set(names))
    for field in manifest.fields:
        if field.pattern is not None:
            pattern = re.compile(field.pattern)
            assert field.default is None or pattern.fullmatch(field.default), f"{field.name}: the default does not fit"
        if field.audience == "customer":
            assert field.help.get("en"), f"{field.name} has no help text"


async def manifest_scopes_name_streams(harness: Harness) -> None:
    streams = {stream.name for stream in harness.connector.streams}
    for scope in harness.connector.manifest.scopes:
        assert scope.where.get("en"), f"{scope.name} does not say where to grant it"
        assert not scope.is_required or set(scope.streams) & streams
    assert harness.connector.required_streams <= streams


async def streams_are_unique(harness: Harness) -> None:
    names = [stream.name for stream in harness.connector.streams]
    assert len(names) == len(set(names))


async def drivers_come_before_lookups(harness: Harness) -> None:
    streams = harness.connector.streams
    before: set[str] = set()
    for stream in streams:
        if isinstance(stream, LookupStream):
            missing = set(stream.drivers) - before - {"*"}
            assert not missing, f"{stream.name} is driven by {sorted(missing)}, read later or never"
            assert stream.batch_size > 0
        before.add(stream.name)


async def coverage_names_real_fields(harness: Harness) -> None:
    mapping = harness.connector.mapping
    members = {model for rule in mapping.rules.values() for model in rule.members}
    assert set(mapping.coverage) <= members
    for model, fields in mapping.coverage.items():
        unknown = set(fields) - set(STRUCTS[model].__struct_fields__)
        assert not unknown, f"{model}: {sorted(unknown)} are no fields"


async def what_is_not_covered_has_a_reason(harness: Harness) -> None:
    mapping = harness.connector.mapping
    offered = {(model, name) for model, fields in mapping.coverage.items() for name in fields}
    assert set(mapping.absences.models) == set(STRUCTS) - set(mapping.coverage)
    assert not offered & set(mapping.absences.fields), "what is covered is not absent"
    for model in mapping.coverage:
        for name in set(STRUCTS[model].__struct_fields__) - CONFIGURED:
            if (model, name) not in offered:
                assert mapping.absences.of_field(model, name), f"{model}.{name} is missing without a reason"
    inferred = {(model, name) for model, name in offered if mapping.coverage[model][name] == "inferred"}
    assert set(mapping.absences.inferred) == inferred, "what is inferred tells from what, and nothing else does"


async def each_model_belongs_to_one_rule(harness: Harness) -> None:
    seen: set[Model] = set()
    for model, rule in harness.connector.mapping.rules.items():
        assert model == rule.model
        assert not seen & rule.members
        seen |= rule.members
