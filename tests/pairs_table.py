"""Each field of each Bindbee document beside what Kombo shows of it, or the reason why Kombo shows nothing."""

from __future__ import annotations

from collections.abc import Mapping

from atsumi.dialects.bindbee.fields import FIELDS
from pairs_kit import (
    Compared,
    Pair,
    address,
    addresses,
    adverts,
    attachments_of,
    in_jobs,
    interviews_stage,
    job_stage,
    listed,
    mapped,
    named_in_jobs,
    options,
    place,
    profiles,
    question_type,
    raw,
    reason,
    reference,
    same,
    shown,
    team,
    uuid,
    word,
)

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
