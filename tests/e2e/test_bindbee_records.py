"""Records that no simulated tool has: everything of the sample account, written as a sync would write it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import msgspec
import pytest

from atsumi.dialects.bindbee.lists import BY_NAME
from atsumi.dialects.bindbee.tests.samples import LISTED, RECORDS
from atsumi.dialects.kombo.tests import samples
from atsumi.model.application import Application
from atsumi.model.candidate import Candidate
from atsumi.model.interview import Interview
from atsumi.model.job_stage import JobStage
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.model.tag import Tag
from bindbee_reader import NAMES, Bindbee, bindbee_of
from harness import Product, small_company


@pytest.fixture
async def bindbee(product: Product) -> Bindbee:
    """An integration that has never been synced, with the sample account in its store."""
    found = await bindbee_of(await product.connect(small_company()))
    await found.write(RECORDS)
    return found


async def whole(bindbee: Bindbee) -> dict[str, dict[str, Any]]:
    """Every list by id, without the links to files, which end and change."""
    return {name: {row["id"]: settled(row) for row in await bindbee.rows(name)} for name in NAMES}


def settled(shown: Any) -> Any:
    if isinstance(shown, list):
        return [settled(one) for one in shown]
    return {key: settled(one) for key, one in shown.items() if key != "file_url"} if isinstance(shown, dict) else shown


async def test_every_list_shows_its_records_and_what_they_are_related_to(bindbee: Bindbee) -> None:
    by_id = {id: row for rows in (await whole(bindbee)).values() for id, row in rows.items()}
    for name, record in LISTED.items():
        relations = BY_NAME[name].relations
        id = bindbee.id(record.model, record.remote_id)
        wanted = {"expand": ",".join(relations)} if relations else {}
        found = settled(await bindbee.read(f"{name}/{id}", **wanted))
        for relation in relations:
            ids = by_id[id][relation]
            assert found[relation] == ([by_id[one] for one in ids] if isinstance(ids, list) else ids and by_id[ids])
    assert await bindbee.account.fragments() == await bindbee.account.rendered_anew()


async def test_candidates_by_the_names_of_their_tags(bindbee: Bindbee) -> None:
    more = [
        Candidate(remote_id="1", tag_remote_ids=["2", "3"]),
        Candidate(remote_id="2", tag_remote_ids=["3"], first_name="Top talent"),
        Tag(remote_id="2", name="TOP TALENT"),
        Tag(remote_id="3", name="Talent"),
    ]
    await bindbee.write(more)
    assert await bindbee.remote_ids("candidates", tag="top Talent") == {"7001", "1"}
    assert await bindbee.remote_ids("candidates", tag="talent") == {"1", "2"}
    assert await bindbee.remote_ids("candidates", tag="3") == set()
    await bindbee.write([], gone=[more[2]])
    assert await bindbee.remote_ids("candidates", tag="top Talent") == {"7001"}


async def test_candidates_by_company(bindbee: Bindbee) -> None:
    await bindbee.write([Candidate(remote_id="1", company="Straße & Co")])
    assert await bindbee.remote_ids("candidates", company="STRASSE & CO,nobody") == {"1"}
    assert await bindbee.remote_ids("candidates", company="engines ltd,straße & co") == {"7001", "1"}


async def test_stages_are_those_of_one_job_although_jobs_share_them(bindbee: Bindbee) -> None:
    """The stages of two jobs cross: each filter must need both the job and the stage."""
    joined = [("a", "x"), ("a", "y"), ("b", "x")]
    stages = {
        pair: JobStage(remote_id=":".join(pair), job_remote_id=pair[0], stage_remote_id=pair[1]) for pair in joined
    }
    applications = {
        pair: Application(remote_id="-".join(pair), job_remote_id=pair[0], current_stage_remote_id=pair[1])
        for pair in joined
    }
    interviews = {
        (pair, stage): Interview(
            remote_id=f"{'-'.join(pair)}/{stage}", application_remote_id="-".join(pair), stage_remote_id=stage
        )
        for pair in joined
        for stage in ("x", "y")
    }
    await bindbee.write([*stages.values(), *applications.values(), *interviews.values()])
    shown = {row["remote_id"]: row["job_interview_stage"] for row in await bindbee.rows("scheduled-interviews")}
    for pair, stage in stages.items():
        id = bindbee.id(Model.JOB_STAGE, stage.remote_id)
        assert await bindbee.remote_ids("applications", current_stage=id) == {applications[pair].remote_id}
        found = await bindbee.remote_ids("scheduled-interviews", job_interview_stage=id)
        assert found == {remote_id for remote_id, place in shown.items() if place == id}
        assert found == {one.remote_id for ((job, _), held), one in interviews.items() if (job, held) == pair}
    both = ",".join(bindbee.id(Model.JOB_STAGE, stages[pair].remote_id) for pair in joined[:2])
    assert await bindbee.remote_ids("applications", current_stage=both) == {"a-x", "a-y"}


@pytest.mark.parametrize(
    ("name", "filter_", "model", "remote_id"),
    [
        ("scheduled-interviews", "application", Model.APPLICATION, "101"),
        ("scheduled-interviews", "organizer", Model.USER, None),
        ("offers", "application", Model.APPLICATION, "101"),
        ("offers", "creator", Model.USER, None),
        ("attachments", "candidate", Model.CANDIDATE, "7001"),
        ("activities", "user", Model.USER, "501"),
        ("activities", "candidate", Model.CANDIDATE, "7001"),
        ("scorecards", "application", Model.APPLICATION, "101"),
        ("scorecards", "interview", Model.INTERVIEW, "88"),
        ("scorecards", "interviewer", Model.USER, "501"),
        ("applications", "reject_reason", Model.REJECTION_REASON, "3"),
        ("applications", "credited_to", Model.USER, "501"),
        ("jobs", "offices", Model.OFFICE, "o1"),
    ],
)
async def test_records_by_what_they_point_at(
    bindbee: Bindbee, name: str, filter_: str, model: Model, remote_id: str | None
) -> None:
    found = await bindbee.rows(name, **{filter_: bindbee.id(model, remote_id or "501")})
    assert {row["remote_id"] for row in found} == ({LISTED[name].remote_id} if remote_id else set())
    assert await bindbee.rows(name, **{filter_: bindbee.id(model, "nobody")}) == []


def emptied(record: Record) -> Record:
    """The record with another value in every field that can have one, but with its references."""
    fields = msgspec.structs.fields(type(record))
    changed = {
        field.name: "Another" if type(getattr(record, field.name)) is str else field.default
        for field in fields
        if field.name not in (*record.references, "remote_id") and field.default is not msgspec.NODEFAULT
    }
    return msgspec.structs.replace(record, **changed)


def unlinked(record: Record) -> Record:
    """The record without the references that it can do without."""
    defaults = {field.name: field for field in msgspec.structs.fields(type(record)) if not field.required}
    return msgspec.structs.replace(
        record,
        **{
            name: field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
            for name, field in defaults.items()
            if name in record.references
        },
    )


EDITS: dict[str, Callable[[Record], tuple[Collection[Record], Collection[Record]]]] = {
    "changes": lambda record: ([emptied(record)], []),
    "loses its references": lambda record: ([unlinked(record)], []),
    "goes": lambda record: ([], [record]),
    "comes back": lambda record: ([record], []),
}


PARTS = [samples.STAGE, samples.ROLE, samples.POSTING, samples.QUESTION, samples.MEMBER]
"""What is shown inside other records only."""


@pytest.mark.parametrize("record", [*LISTED.values(), *PARTS], ids=lambda record: record.model)
async def test_a_reader_of_changes_has_what_a_full_read_gives(bindbee: Bindbee, record: Record) -> None:
    mirror = await whole(bindbee)
    for what, edit in EDITS.items():
        since = max(row["modified_at"] for rows in mirror.values() for row in rows.values())
        written, gone = edit(record)
        await bindbee.write([*written], gone=gone)
        now = await whole(bindbee)
        for name in NAMES:
            for row in await bindbee.rows(name, modified_after=since):
                mirror[name][row["id"]] = settled(row)
            kept = {id: row for id, row in mirror[name].items() if id in now[name]}
            assert kept == now[name], f"{name} after {record.model} {what}"
            assert set(mirror[name]) - set(now[name]) <= {bindbee.id(record.model, record.remote_id)}
    assert await bindbee.account.fragments() == await bindbee.account.rendered_anew()
