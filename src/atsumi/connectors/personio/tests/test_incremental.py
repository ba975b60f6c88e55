"""Any edits, then incremental reads, give what one full read of the end gives."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from atsumi.connectors.personio import connector
from atsumi.connectors.personio.tests.simulated import SimulatedAccount
from atsumi.model.candidate import Candidate
from atsumi.model.enums import JobStatus, PostingStatus
from atsumi.model.job import Job
from atsumi.model.job_posting import JobPosting
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.testing.reading import Reading

COMPARED = (Model.APPLICATION, Model.CANDIDATE, Model.JOB, Model.JOB_POSTING, Model.HIRING_TEAM_MEMBER)
"""What is learned and never forgotten (stages, questions, people, roles) may be more after several reads."""

_NEVER_SEEN = Job(remote_id="")
FROM_THE_FEED = {
    field: getattr(_NEVER_SEEN, field)
    for field in (
        "status",
        "description",
        "employment_type",
        "employment_type_raw",
        "experience_level",
        "location",
        "other_locations",
        "office_remote_ids",
        "custom_fields",
        "salary_amount_from",
        "salary_amount_to",
        "salary_currency",
        "salary_period",
        "salary_period_raw",
    )
}
"""What only the feed tells of a job, as a job shows it that was never there."""

EDITS = ("apply", "move", "candidate", "job", "publish", "unpublish", "team", "channel", "anonymise", "forget")


def edit(account: SimulatedAccount, kind: str, number: int) -> None:
    simulator, company = account.simulator, account.simulator.company
    job = list(company.jobs)[number % len(company.jobs)]
    application = list(company.applications)[number % len(company.applications)]
    candidate = list(company.candidates)[number % len(company.candidates)]
    match kind:
        case "apply":
            simulator.create_application(candidate.id, job.id)
        case "move":
            simulator.move_application(application.id, ("rejected", "accepted", "offer")[number % 3])
        case "candidate":
            simulator.edit_candidate(candidate.id, location=f"Ort {number}", phone=None)
        case "job":
            simulator.edit_job(job.id, name=f"Stelle {number}")
        case "publish":
            simulator.publish_job(job.id)
        case "unpublish":
            simulator.unpublish_job(job.id)
        case "team":
            person = next(iter(company.persons))
            simulator.edit_job(job.id, hiring_team=[{"person_id": person.id, "role": f"Rolle {number % 3}"}])
        case "channel":
            simulator.edit_application(application.id, channel_id=None)
        case "anonymise":
            simulator.anonymise_application(application.id)
        case "forget":
            simulator.anonymise_candidate(candidate.id)


def comparable(reading: Reading, account: SimulatedAccount) -> dict[tuple[Model, str], Record]:
    found: dict[tuple[Model, str], Record] = {}
    for key, record in reading.records(account.context().config).items():
        if key[0] not in COMPARED:
            continue
        # Only who saw a job in the feed can tell that it left, and what was said there last.
        if isinstance(record, JobPosting) and record.status == PostingStatus.INACTIVE:
            continue
        if isinstance(record, Job) and record.status == JobStatus.CLOSED:
            record = msgspec.structs.replace(record, **FROM_THE_FEED)
        found[key] = record
    return found


ROUND = st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 999)), max_size=4)


@settings(max_examples=25, deadline=None)
@given(st.lists(ROUND, min_size=1, max_size=3), st.booleans())
async def test_edits_then_incremental_reads_equal_one_full_read(
    rounds: list[list[tuple[str, int]]], is_filter_refused: bool
) -> None:
    account = SimulatedAccount(applications=25, jobs=5)
    account.simulator.switch(updated_filter_refused=is_filter_refused)
    reading = Reading(connector, lookup_limit=200)
    since = account.now()
    await reading.read(account.context())
    for changes in rounds:
        account.simulator.clock.advance(600)
        for kind, number in changes:
            edit(account, kind, number)
        account.simulator.clock.advance(600)
        started = account.now()
        await reading.read(account.context(), since=since - timedelta(seconds=connector.manifest.overlap_seconds))
        since = started
    fresh = Reading(connector, lookup_limit=200)
    await fresh.read(account.context())
    assert comparable(reading, account) == comparable(fresh, account)


async def test_an_erased_application_does_not_take_a_candidate_who_applied_again() -> None:
    """The new application leaves the candidate's time of update alone, so no incremental read lists the candidate."""
    account = SimulatedAccount(applications=25, jobs=5)
    simulator = account.simulator
    one = next(one for one in simulator.company.candidates if len(one.applications) == 1)
    [first] = one.applications
    reading = Reading(connector, lookup_limit=0)
    await reading.read(account.context())
    for edit_tool in (
        lambda: simulator.create_application(one.id, next(iter(simulator.company.jobs)).id),
        lambda: simulator.anonymise_application(first),
    ):
        since = account.now()
        simulator.clock.advance(600)
        edit_tool()
        await reading.read(account.context(), since=since)
    found = reading.records(account.context().config)[Model.CANDIDATE, str(one.id)]
    assert isinstance(found, Candidate)
    assert found.first_name == one.first_name
