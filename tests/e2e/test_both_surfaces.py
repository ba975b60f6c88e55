"""One store behind two surfaces: each field of each Bindbee document, and what Kombo shows of the same record.

Every field stands either in a table of pairs, with the conversion between the two spellings, or among those that
Kombo does not show, with the reason. A field that stands nowhere fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from atsumi.dialects.bindbee.fields import FIELDS, Always
from atsumi.dialects.bindbee.projection import INVALID_PATH
from atsumi.dialects.bindbee.tests.samples import RECORDS
from atsumi.model.ids import from_base58
from atsumi.model.names import Model
from atsumi.server.services import DialectServices
from atsumi.store.tenants import set_remote_data
from atsumi.sync.raw_documents import raw_document
from bindbee_reader import NAMES, bindbee_of
from harness import LISTS, Account, Product

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Both:
    """A whole account: the lists of both surfaces, by the id that each of them spells."""

    account: Account
    bindbee: Mapping[str, Mapping[str, Document]]
    kombo: Mapping[str, Mapping[str, Document]]

    def id(self, model: Model, remote_id: str) -> str | None:
        return uuid(self.account.id(model, remote_id))


@dataclass(frozen=True)
class Shown:
    """One record, as Bindbee's and as Kombo's surface shows it."""

    ours: Document
    theirs: Document
    both: Both


Side = Callable[[Shown], Any]


@dataclass(frozen=True)
class Pair:
    """What Kombo shows, and what Bindbee shows where its own value needs a conversion, too."""

    theirs: Side
    ours: Side | None = None


@dataclass(frozen=True)
class Compared:
    """One of Bindbee's lists. ``records`` are Kombo's documents, by the remote ids of Bindbee's.

    A partial one has records of which Kombo shows nothing.
    """

    records: Callable[[Both], Mapping[str, Document]]
    pairs: Mapping[str, Pair]
    not_shown: Mapping[str, str]
    is_partial: bool = False


# From Kombo's spelling to Bindbee's.


def uuid(spelled: str | None) -> str | None:
    return None if spelled is None else str(from_base58(spelled))


def shown(name: str) -> Pair:
    return Pair(lambda one: one.theirs[name])


def same(names: str) -> dict[str, Pair]:
    return {name: shown(name) for name in names.split()}


def reference(name: str) -> Pair:
    return Pair(lambda one: uuid(one.theirs[name]))


def word(name: str, words: Mapping[Any, Any]) -> Pair:
    return Pair(lambda one: words[one.theirs[name]])


def place(location: Document | None) -> str | None:
    if location is None or location["raw"]:
        return location and location["raw"]
    town = " ".join(filter(None, (location["zip_code"], location["city"])))
    lines = (location["street_1"], location["street_2"], town, location["state"], location["country"])
    return ", ".join(filter(None, lines)) or None


def job_stage(both: Both, job: str | None, stage: str | None) -> str | None:
    """The place in a job's process of a stage, both by Kombo's ids."""
    if job is None or stage is None:
        return None
    names = (both.kombo["jobs"][job]["remote_id"], both.kombo["application-stages"][stage]["remote_id"])
    return both.id(Model.JOB_STAGE, ":".join(names))


def in_jobs(name: str) -> Callable[[Both], Mapping[str, Document]]:
    """Documents that Kombo shows inside its jobs, with the job."""

    def records(both: Both) -> Mapping[str, Document]:
        return {
            f"{job['remote_id']}:{part['remote_id']}": {**part, "job_id": job["id"]}
            for job in both.kombo["jobs"].values()
            for part in job[name]
        }

    return records


def listed(name: str) -> Callable[[Both], Mapping[str, Document]]:
    return lambda both: {row["remote_id"]: row for row in both.kombo[name].values()}


def named_in_jobs(name: str, key: str) -> Callable[[Both], Mapping[str, Document]]:
    """Jobs whose one text is all that Kombo shows of the records at which they point first."""

    def records(both: Both) -> Mapping[str, Document]:
        return {
            both.bindbee[name][id]["remote_id"]: job
            for job in both.kombo["jobs"].values()
            for id in both.bindbee["jobs"][uuid(job["id"]) or ""][name][:1]
            if job[key] is not None
        }

    return records


# Fields of single lists.


def address(written: str | None) -> str | None:
    """Kombo shows what can be an address only, with its domain in lower case."""
    local, at, domain = (written or "").rpartition("@")
    return f"{local}@{domain.lower()}" if at and local and domain else None


def addresses(one: Shown) -> list[str]:
    return [kept for written in one.ours["email_addresses"] if (kept := address(written)) is not None]


def profiles(one: Shown) -> list[Document]:
    """Kombo says which network a profile belongs to, Bindbee only that it is one."""
    return [{"value": entry["link"], "url_type": "SOCIAL_MEDIA"} for entry in one.theirs["social_media"]]


def attachments_of(one: Shown) -> list[str | None]:
    rows = one.both.kombo["attachments"].values()
    return sorted(str(uuid(row["id"])) for row in rows if row["candidate_id"] == one.theirs["id"])


def adverts(one: Shown) -> list[Document]:
    found = [one.theirs["post_url"], *(posting["url"] for posting in one.theirs["job_postings"])]
    return [{"value": url, "url_type": "JOB_POSTING"} for url in dict.fromkeys(found) if url is not None]


def team(role: str, name: str) -> Pair:
    def theirs(one: Shown) -> list[str]:
        members = one.theirs["hiring_team"]
        in_role = [member for member in members if role in {part["unified_type"] for part in member["job_roles"]}]
        return sorted(str(uuid(member["id"])) for member in in_role)

    return Pair(theirs, lambda one: sorted(one.ours[name]))


def reason(one: Shown) -> str | None:
    """Kombo shows a rejection reason by its name."""
    id = one.ours["reject_reason"]
    return None if id is None else one.both.bindbee["reject-reasons"][id]["name"]


def interviews_stage(one: Shown) -> str | None:
    application = one.both.kombo["applications"][one.theirs["application_id"]]
    return job_stage(one.both, application["job_id"], one.theirs["stage_id"])


def question_type(one: Shown) -> str | None:
    asked = one.theirs["format"]
    if asked is None:
        return None
    is_long = asked.get("display_type") == "MULTI_LINE"
    words = {"TEXT": "MULTI_LINE_TEXT" if is_long else "SINGLE_LINE_TEXT", "NUMBER": "NUMERIC", "UNKNOWN": "-"}
    return words.get(asked["type"], asked["type"])


def options(one: Shown) -> list[Document]:
    found = (one.theirs["format"] or {}).get("options", [])
    return [{"remote_id": option["remote_id"], "name": option["name"]} for option in found]


def mapped(one: Shown) -> Mapping[str, Any]:
    """The mapped ones among the custom fields: Kombo shows no others, and no value where a path leads nowhere."""
    found = {name: one.ours["custom_fields"][name] for name in one.theirs["custom_fields"]}
    return {name: None if value == INVALID_PATH else value for name, value in found.items()}


def raw(one: Shown) -> Document | None:
    parts = one.theirs["remote_data"]
    return None if parts is None else raw_document(parts.items())


NEVER = "neither surface has a value: the canonical model does not know it"
IDENTITY = {"id": reference("id"), **same("remote_id")}
RAW = {"raw_data": Pair(raw)}
CUSTOM = {"custom_fields": Pair(lambda one: one.theirs["custom_fields"], mapped)}
CREATED = same("remote_created_at")
TIMES = same("remote_created_at remote_updated_at")

CHANGES = {"modified_at": "each surface counts the changes of what its own documents show"}
NO_CUSTOM = {"custom_fields": "Kombo's documents of this model have none"}
PART = {
    **CHANGES,
    **NO_CUSTOM,
    "raw_data": "Kombo shows raw records of its lists only, and this is a part of jobs",
}
NAME_IN_JOB = {
    **PART,
    "id": "Kombo does not show the record, but a text in each job that points at it",
    "remote_id": "Kombo does not show the record, but a text in each job that points at it",
}


def never(names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), NEVER)


TABLE: Mapping[str, Compared] = {
    "candidates": Compared(
        listed("candidates"),
        {
            **IDENTITY,
            **same("first_name last_name company title"),
            **TIMES,
            **RAW,
            **CUSTOM,
            "is_private": shown("confidential"),
            "locations": Pair(lambda one: [found] if (found := place(one.theirs["location"])) else []),
            "phone_numbers": Pair(lambda one: [entry["phone_number"] for entry in one.theirs["phone_numbers"]]),
            "email_addresses": Pair(
                lambda one: [entry["email_address"] for entry in one.theirs["email_addresses"]], addresses
            ),
            "urls": Pair(profiles),
            "tags": Pair(lambda one: [tag["name"] for tag in one.theirs["tags"]]),
            "applications": Pair(lambda one: [uuid(entry["id"]) for entry in one.theirs["applications"]]),
            "attachments": Pair(attachments_of, lambda one: sorted(one.ours["attachments"])),
        },
        {**CHANGES, **never("last_interaction_at can_email avatar")},
    ),
    "applications": Compared(
        listed("applications"),
        {
            **IDENTITY,
            **same("rejected_at"),
            **RAW,
            **CUSTOM,
            "candidate": reference("candidate_id"),
            "job": reference("job_id"),
            "current_stage": Pair(
                lambda one: job_stage(one.both, one.theirs["job_id"], one.theirs["current_stage_id"])
            ),
            "reject_reason": Pair(lambda one: one.theirs["rejection_reason_name"], reason),
        },
        {
            **CHANGES,
            "applied_at": "Kombo shows when the tool created the record",
            "source": "Kombo shows the sources of candidates",
            "credited_to": "Kombo does not tell whom an application is credited to",
        },
    ),
    "jobs": Compared(
        listed("jobs"),
        {
            **IDENTITY,
            **same("name description status"),
            **TIMES,
            **RAW,
            **CUSTOM,
            "code": shown("job_code"),
            "confidential": shown("confidential"),
            "job_posting_urls": Pair(adverts),
            "departments": Pair(
                lambda one: [name for name in [one.theirs["department"]] if name is not None],
                lambda one: [one.both.bindbee["departments"][id]["name"] for id in one.ours["departments"]],
            ),
            "offices": Pair(
                lambda one: place(one.theirs["location"]),
                lambda one: next((one.both.bindbee["offices"][id]["location"] for id in one.ours["offices"]), None),
            ),
            "hiring_managers": team("HIRING_MANAGER", "hiring_managers"),
            "recruiters": team("RECRUITER", "recruiters"),
        },
        CHANGES,
    ),
    "job-interview-stages": Compared(
        in_jobs("stages"),
        {
            "id": Pair(lambda one: job_stage(one.both, one.theirs["job_id"], one.theirs["id"])),
            "name": Pair(lambda one: one.both.kombo["application-stages"][one.theirs["id"]]["name"]),
            "job": reference("job_id"),
            "stage_order": shown("index"),
        },
        {**PART, "remote_id": "Kombo shows the stage's own; documents are paired by it and the job's"},
    ),
    "scheduled-interviews": Compared(
        listed("interviews"),
        {
            **IDENTITY,
            **TIMES,
            **RAW,
            "application": reference("application_id"),
            "job_interview_stage": Pair(interviews_stage),
            "interviewers": Pair(lambda one: [uuid(user["id"]) for user in one.theirs["users"]]),
            "location": Pair(lambda one: place(one.theirs["location"]) or one.theirs["video_conferencing_url"]),
            "start_at": shown("starting_at"),
            "end_at": shown("ending_at"),
            "status": word("canceled", {True: "CANCELED", False: None, None: None}),
        },
        {**CHANGES, **NO_CUSTOM, **never("organizer")},
    ),
    "offers": Compared(
        listed("offers"),
        {
            **IDENTITY,
            **CREATED,
            **RAW,
            **CUSTOM,
            "application": reference("application_id"),
            "start_date": shown("employment_start_date"),
            "status": word(
                "status",
                {
                    None: None,
                    "DRAFT": "DRAFT",
                    "APPROVED": "APPROVED",
                    "SENT": "SENT",
                    "DECLINED": "DENIED",
                    "ACCEPTED": "SIGNED",
                    "ABANDONED": "DEPRECATED",
                },
            ),
        },
        {
            **CHANGES,
            **never("creator"),
            "sent_at": "Kombo does not tell when an offer was sent",
            "closed_at": "Kombo does not tell when an offer was closed",
        },
    ),
    "attachments": Compared(
        listed("attachments"),
        {
            **IDENTITY,
            **same("file_name"),
            **RAW,
            "attachment_type": word(
                "type", {None: None, "CV": "RESUME", "COVER_LETTER": "COVER_LETTER", "OTHER": "OTHER"}
            ),
            "candidate": reference("candidate_id"),
        },
        {**CHANGES, **NO_CUSTOM, "file_url": "Kombo's links stand in the lists of one application's or person's files"},
    ),
    "departments": Compared(
        named_in_jobs("departments", "department"),
        {"name": shown("department")},
        NAME_IN_JOB,
        is_partial=True,
    ),
    "offices": Compared(
        named_in_jobs("offices", "location"),
        {"location": Pair(lambda one: place(one.theirs["location"]))},
        {**NAME_IN_JOB, "name": "Kombo shows where a job's office is, not what it is called"},
        is_partial=True,
    ),
    "remote-users": Compared(
        listed("users"),
        {
            **IDENTITY,
            **same("first_name last_name"),
            **RAW,
            "email": Pair(lambda one: one.theirs["email"], lambda one: address(one.ours["email"])),
            "disabled": word("status", {"ACTIVE": False, "INACTIVE": True, None: None}),
        },
        {
            **CHANGES,
            **NO_CUSTOM,
            **never("access_role"),
            "remote_created_at": "Kombo does not tell when a user was created",
        },
    ),
    "reject-reasons": Compared(
        listed("rejection-reasons"), {**IDENTITY, **same("name"), **RAW}, {**CHANGES, **NO_CUSTOM}
    ),
    "tags": Compared(listed("tags"), {**IDENTITY, **same("name"), **RAW}, {**CHANGES, **NO_CUSTOM}),
    "activities": Compared(
        listed("notes"),
        {
            **IDENTITY,
            **CREATED,
            **RAW,
            "user": reference("author_id"),
            "subject": shown("title"),
            "body": shown("content_html"),
            "visibility": word("is_private", {True: "PRIVATE", False: "PUBLIC", None: None}),
            "candidate": reference("candidate_id"),
        },
        {**CHANGES, **NO_CUSTOM, "activity_type": "Kombo's list has notes only"},
    ),
    "scorecards": Compared(
        listed("scorecards"),
        {
            **IDENTITY,
            **CREATED,
            **RAW,
            "application": reference("application_id"),
            "interview": reference("interview_id"),
            "interviewer": reference("author_id"),
        },
        {**CHANGES, **NO_CUSTOM, **never("submitted_at overall_recommendation")},
    ),
    "screening-questions": Compared(
        in_jobs("screening_questions"),
        {
            **same("title description required"),
            "job": reference("job_id"),
            "type": Pair(question_type),
            "options": Pair(options),
        },
        {
            **PART,
            "id": "Kombo shows the question's own; documents are paired by its remote id and the job's",
            "remote_id": "Kombo shows the question's own; documents are paired by it and the job's",
        },
    ),
    "eeocs": Compared(
        lambda both: {},
        {},
        dict.fromkeys(FIELDS["eeocs"], NEVER),
    ),
}


async def both_of(account: Account) -> Both:
    """Everything that both surfaces show of an account, raw data included."""
    await set_remote_data(account.pool, account.number, True)
    bindbee = await bindbee_of(account)
    wanted = {"include_raw_data": "true", "include_custom_fields": "true"}
    return Both(
        account,
        {name: by_id(await bindbee.rows(name, **wanted)) for name in NAMES},
        {name: by_id(await account.rows(name)) for name in LISTS},
    )


def by_id(rows: Iterable[Document]) -> Mapping[str, Document]:
    return {row["id"]: row for row in rows}


def compare(both: Both, name: str) -> set[str]:
    """Compare one list; the fields that had a value to compare."""
    table = TABLE[name]
    theirs = table.records(both)
    rows = {row["remote_id"]: row for row in both.bindbee[name].values()}
    if table.is_partial:
        assert set(theirs) <= set(rows)
    else:
        assert set(theirs) == set(rows)
    compared: set[str] = set()
    for remote_id, document in theirs.items():
        one = Shown(rows[remote_id], document, both)
        for field_name, pair in table.pairs.items():
            ours = one.ours[field_name] if pair.ours is None else pair.ours(one)
            assert ours == pair.theirs(one), f"{field_name} of {name} {remote_id}"
            if ours not in (None, [], {}):
                compared.add(field_name)
    for row in rows.values():
        assert set(row) == set(FIELDS[name])
        assert {row[field_name] for field_name, why in table.not_shown.items() if why is NEVER} <= {None}
    return compared


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_compared_or_said_not_to_be_shown(name: str) -> None:
    table = TABLE[name]
    assert set(table.pairs) | set(table.not_shown) == set(FIELDS[name])
    assert set(table.pairs) & set(table.not_shown) == set()
    empty = {field_name for field_name, source in FIELDS[name].items() if source is Always.NEVER}
    assert {field_name for field_name, why in table.not_shown.items() if why is NEVER} == empty


@pytest.fixture(scope="module")
async def read(product: Product, company: Account) -> Both:
    """The company once more, with what is read in the background."""
    account = await product.synced(company.simulator)
    await account.background()
    return await both_of(account)


@pytest.fixture(scope="module")
async def written(product: Product) -> Both:
    """The sample account, in which everything has a value, of a tool that knows every model."""
    bindbee = await bindbee_of(await product.synced(applications=0, jobs=0))
    await bindbee.write(RECORDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DialectServices, "supported_fields", lambda services, tool, model: {"remote_id": "supported"})
        return await both_of(bindbee.account)


READ = set(NAMES) - {"scheduled-interviews", "offers", "reject-reasons", "tags", "activities", "scorecards", "eeocs"}
"""What Personio's documented API gives something for."""


@pytest.mark.parametrize("name", NAMES)
def test_both_surfaces_show_the_same_of_a_company(read: Both, name: str) -> None:
    assert bool(compare(read, name)) is (name in READ)


@pytest.mark.parametrize("name", NAMES)
def test_both_surfaces_show_the_same_where_everything_has_a_value(written: Both, name: str) -> None:
    assert compare(written, name) >= set(TABLE[name].pairs) - {"raw_data"}
