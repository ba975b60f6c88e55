"""The operations that write. Every action of the contract is there; which ones a tool can do, its connector says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from atsumi.dialects.http import Answer
from atsumi.dialects.kombo import action_details, wire, writes
from atsumi.dialects.kombo import write_bodies as bodies
from atsumi.dialects.kombo.call import Call
from atsumi.dialects.kombo.errors import Family
from atsumi.dialects.kombo.operation import Operation


def _write(
    method: str,
    path: str,
    id: str,
    summary: str,
    handler: Callable[[Call], Awaitable[Answer]],
    body: type,
    data: type = writes.Nothing,
) -> Operation:
    return Operation(
        method,
        path,
        id,
        summary,
        Family.ATS,
        handler,
        body=body,
        data=data,
        is_addressed=True,
        has_warnings=True,
        is_write=True,
    )


_APPLICATION = "/ats/applications/{application_id}"
_CANDIDATE = "/ats/candidates/{candidate_id}"

WRITES: tuple[Operation, ...] = (
    _write(
        "POST",
        "/ats/jobs/{job_id}/applications",
        "PostAtsJobsJobIdApplications",
        "Create an application",
        writes.create_application,
        bodies.NewApplication,
        wire.CreatedApplication,
    ),
    _write(
        "POST",
        "/ats/candidates",
        "PostAtsCandidates",
        "Create a candidate with an application",
        writes.create_candidate,
        bodies.NewCandidate,
        wire.Candidate,
    ),
    _write(
        "PUT",
        f"{_APPLICATION}/stage",
        "PutAtsApplicationsApplicationIdStage",
        "Move an application to a stage",
        writes.set_stage,
        bodies.StageChoice,
    ),
    _write(
        "POST",
        f"{_APPLICATION}/reject",
        "PostAtsApplicationsApplicationIdReject",
        "Reject an application",
        writes.reject,
        bodies.Rejection,
    ),
    _write(
        "POST",
        f"{_APPLICATION}/notes",
        "PostAtsApplicationsApplicationIdNotes",
        "Add a note to an application",
        writes.add_note,
        bodies.NewNote,
    ),
    _write(
        "POST",
        f"{_APPLICATION}/result-links",
        "PostAtsApplicationsApplicationIdResultLinks",
        "Add a result link to an application",
        writes.add_application_link,
        bodies.NewResultLink,
    ),
    _write(
        "POST",
        f"{_CANDIDATE}/result-links",
        "PostAtsCandidatesCandidateIdResultLinks",
        "Add a result link to a candidate",
        writes.add_candidate_link,
        bodies.NewResultLink,
    ),
    _write(
        "POST",
        f"{_CANDIDATE}/tags",
        "PostAtsCandidatesCandidateIdTags",
        "Add a tag to a candidate",
        writes.add_tag,
        bodies.TagChoice,
    ),
    _write(
        "DELETE",
        f"{_CANDIDATE}/tags",
        "DeleteAtsCandidatesCandidateIdTags",
        "Remove a tag from a candidate",
        writes.remove_tag,
        bodies.TagChoice,
    ),
    _write(
        "POST",
        f"{_APPLICATION}/attachments",
        "PostAtsApplicationsApplicationIdAttachments",
        "Add a file to an application",
        writes.add_application_attachment,
        bodies.AddedAttachment,
    ),
    _write(
        "POST",
        f"{_CANDIDATE}/attachments",
        "PostAtsCandidatesCandidateIdAttachments",
        "Add a file to a candidate",
        writes.add_candidate_attachment,
        bodies.AddedAttachment,
    ),
    Operation(
        "POST",
        "/ats/import-tracked-application",
        "PostAtsImportTrackedApplication",
        "Track an application that was created elsewhere",
        Family.ATS,
        writes.refuse,
        body=bodies.TrackedApplication,
        data=writes.Nothing,
        is_addressed=True,
        has_warnings=True,
    ),
    *(
        Operation(
            method,
            f"{_APPLICATION}/interviews",
            f"{method.capitalize()}AtsApplicationsApplicationIdInterviews",
            f"{verb} an interview",
            Family.ATS,
            writes.refuse,
            body=bodies.NewInterview,
            data=writes.Nothing,
            is_addressed=True,
        )
        for method, verb in (("POST", "Create"), ("PATCH", "Change"))
    ),
    *(
        Operation(
            "GET",
            f"/ats/actions/{action}",
            f"GetAtsActions{''.join(word.capitalize() for word in action.split('_'))}",
            f"Which files {action} takes",
            Family.ATS,
            action_details.details_of(action),
            data=action_details.ActionDetails,
            is_addressed=True,
        )
        for action in action_details.WITH_FILES
    ),
)
