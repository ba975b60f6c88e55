"""Unified fields from other sources than the connector's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from atsumi.connector.contract import Issue
from atsumi.connectors.personio import connector
from atsumi.errors import InvalidInput
from atsumi.model.candidate import Candidate
from atsumi.model.enums import EmploymentType
from atsumi.model.job import Job
from atsumi.model.names import Model
from atsumi.model.parts import EmailAddress, Location
from atsumi.server import mappings
from atsumi.server.remapping import execute_run
from atsumi.store import runs
from atsumi.store import shaping as store
from atsumi.sync import remap as engine
from atsumi.sync.field_mappings import CompiledRule, Rule, checked_rule
from harness import Product
from scope_kit import remap

DOCUMENT = {"id": "1", "title": "Dr.", "kind": "Vollzeit", "day": "24.12.2026", "mails": ["a@x.example"], "n": "40.5"}


def applied(name: str, record: Any, **rule: Any) -> tuple[Any, list[Issue]]:
    model, field, made = checked_rule(name, rule, connector.mapping.derivations)
    issues: list[Issue] = []
    return getattr(CompiledRule(model, field, made).apply(record, DOCUMENT, issues.append), field), issues


@pytest.mark.parametrize(
    ("name", "rule", "expected"),
    [
        ("candidate.title", {"sources": ["title"]}, "Dr."),
        ("candidate.title", {"sources": ["nothing", "id"]}, "1"),
        ("candidate.title", {"sources": ["nothing", "built-in"]}, "Prof."),
        ("candidate.title", {"sources": ["nothing"], "default": "none"}, "none"),
        ("candidate.title", {"sources": ["kind"], "words": {"VOLLZEIT": "full"}}, "full"),
        ("candidate.title", {"sources": ["kind"], "words": {"Teilzeit": "part"}}, "Vollzeit"),
        ("candidate.email_addresses", {"sources": ["mails"]}, [EmailAddress(email_address="a@x.example")]),
        ("candidate.location", {"sources": ["{city: title}"]}, Location(city="Dr.")),
        ("candidate.location", {"sources": ["title"]}, Location(raw="Dr.")),
        ("job.employment_type", {"sources": ["kind"], "words": {"Vollzeit": "FULL_TIME"}}, EmploymentType.FULL_TIME),
        ("job.weekly_hours", {"sources": ["n"]}, 40.5),
        ("job.opened_at", {"sources": ["day"], "date_format": "%d.%m.%Y"}, datetime(2026, 12, 24, tzinfo=UTC)),
    ],
)
def test_a_value_comes_from_the_first_source_that_has_one(name: str, rule: dict[str, Any], expected: object) -> None:
    record = Candidate(remote_id="1", title="Prof.") if name.startswith("candidate") else Job(remote_id="1")
    assert applied(name, record, **rule) == (expected, [])


@pytest.mark.parametrize(
    ("name", "sources"),
    [
        ("job.employment_type", ["kind"]),
        ("job.weekly_hours", ["title"]),
        ("job.opened_at", ["day"]),
        ("job.name", ["@"]),
    ],
)
def test_a_value_that_does_not_fit_is_counted_and_leaves_nothing(name: str, sources: list[str]) -> None:
    value, issues = applied(name, Job(remote_id="1", name="before"), sources=sources)
    assert value is None
    assert [(one.kind, one.field, one.detail) for one in issues] == [
        ("field_mapping_mismatch", name.partition(".")[2], "")
    ]


@pytest.mark.parametrize(
    ("name", "rule", "path"),
    [
        ("candidate.tittle", {"sources": ["title"]}, "candidate.tittle"),
        ("candidate", {"sources": ["title"]}, "candidate"),
        ("candidate.remote_id", {"sources": ["title"]}, "candidate.remote_id"),
        ("candidate.custom_fields", {"sources": ["title"]}, "candidate.custom_fields"),
        ("candidate.title", {"sources": []}, "sources"),
        ("candidate.title", {"sources": ["title["]}, "sources[0]"),
        ("candidate.title", {"source": "title"}, "candidate.title"),
        ("candidate.title", {"sources": ["title"], "date_format": "%Y"}, "date_format"),
        ("candidate.title", {"sources": ["title"], "default": {"a": 1}}, "default"),
        ("job.employment_type", {"sources": ["kind"], "words": {"Vollzeit": "FULL"}}, "words.Vollzeit"),
        ("candidate.source", {"sources": ["title", "built-in"]}, "sources"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(name: str, rule: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_rule(name, rule, connector.mapping.derivations)
    assert caught.value.path == path


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


async def test_stored_records_follow_offline_after_a_kill_with_real_changes_only(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_RAW", 3)
    account = await product.synced(applications=10, jobs=3)
    product.origins.is_cut.add(account.origin.partition("://")[2])
    rule = Rule(sources=["gender", "built-in"])
    await mappings.put(account.runtime, account.integration, Model.CANDIDATE, "title", msgspec.json.encode(rule))
    assert account.number in await store.integrations_to_shape(account.pool, 1000)
    seq = await account.pool.fetchval("SELECT seq FROM clock WHERE integration = $1", account.number)

    wrote, compute = 0, engine._compute

    async def dying(*args: Any, **named: Any) -> Any:
        nonlocal wrote
        wrote += 1
        if wrote == 4:
            raise Killed
        return await compute(*args, **named)

    monkeypatch.setattr(engine, "_compute", dying)
    with pytest.raises(Killed):
        await remap(account)
    monkeypatch.setattr(engine, "_compute", compute)
    (stopped,) = [one for one in await runs.latest_runs(account.pool, account.number) if one.state == "RUNNING"]
    await account.pool.execute("UPDATE sync_run SET heartbeat_at = '-infinity' WHERE id = $1", stopped.id)
    claim = await runs.claim_run(account.pool, stopped.id)
    assert claim is not None
    assert await execute_run(account.runtime, claim, await account.fresh()) == "SUCCEEDED"

    genders = {one["id"]: one["gender"] for one in account.simulator.state("candidates")["candidates"]}
    titles = {row["remote_id"]: row["title"] for row in await account.rows("candidates")}
    assert titles == {str(id): gender for id, gender in genders.items()}
    changed = await account.fetch("SELECT model, kind FROM change WHERE integration = $1 AND seq > $2", seq)
    expected = sum(gender is not None for gender in genders.values())
    assert [(row["model"], row["kind"]) for row in changed] == [(12, 2)] * expected
    assert account.number not in await store.integrations_to_shape(account.pool, 1000)
    assert await mappings.remove(account.runtime, account.integration, Model.CANDIDATE, "title")
    await remap(account)
    assert {row["title"] for row in await account.rows("candidates")} == {None}
