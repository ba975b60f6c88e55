"""Rendering the lists. Each function makes one document; all are pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from atsumi.dialects.bindbee import values, wire
from atsumi.model.application import Application
from atsumi.model.attachment import Attachment
from atsumi.model.candidate import Candidate
from atsumi.model.department import Department
from atsumi.model.enums import AttachmentType, OfferStatus, QuestionType, RoleType, UserStatus
from atsumi.model.hiring_team_member import HiringTeamMember
from atsumi.model.interview import Interview
from atsumi.model.job import Job
from atsumi.model.job_posting import JobPosting
from atsumi.model.job_screening_question import JobScreeningQuestion
from atsumi.model.job_stage import JobStage
from atsumi.model.names import Model
from atsumi.model.note import Note
from atsumi.model.offer import Offer
from atsumi.model.office import Office
from atsumi.model.record import Record
from atsumi.model.rejection_reason import RejectionReason
from atsumi.model.role import Role
from atsumi.model.scorecard import Scorecard
from atsumi.model.screening_question import QuestionFormat, ScreeningQuestion
from atsumi.model.stage import Stage
from atsumi.model.tag import Tag
from atsumi.model.user import User
from atsumi.sync.projection import Stored

_OFFER_STATUS: Mapping[OfferStatus, str] = {
    OfferStatus.DRAFT: "DRAFT",
    OfferStatus.APPROVED: "APPROVED",
    OfferStatus.SENT: "SENT",
    OfferStatus.DECLINED: "DENIED",
    OfferStatus.ACCEPTED: "SIGNED",
    OfferStatus.ABANDONED: "DEPRECATED",
}
_ATTACHMENT_TYPE: Mapping[AttachmentType, str] = {
    AttachmentType.CV: "RESUME",
    AttachmentType.COVER_LETTER: "COVER_LETTER",
    AttachmentType.OTHER: "OTHER",
}
_QUESTION_TYPE: Mapping[QuestionType, str] = {
    QuestionType.TEXT: "SINGLE_LINE_TEXT",
    QuestionType.NUMBER: "NUMERIC",
    QuestionType.UNKNOWN: "-",
}
"""The other types are called the same; ``INFORMATION``, which takes no answer, is a word of ours."""


def candidate(stored: Stored[Record]) -> wire.AtsCandidate:
    """The canonical model knows neither the last interaction nor a picture nor whether mails are welcome."""
    record = cast(Candidate, stored.record)
    found = [*stored.many("attachments"), *(file for one in stored.many("applications") for file in one.many("files"))]
    where = values.place(record.location)
    return wire.AtsCandidate(
        id=str(stored.id),
        remote_id=record.remote_id,
        first_name=record.first_name,
        last_name=record.last_name,
        company=record.company,
        title=record.title,
        last_interaction_at=None,
        is_private=record.is_confidential,
        can_email=None,
        locations=[where] if where is not None else [],
        phone_numbers=[entry.phone_number for entry in record.phone_numbers],
        email_addresses=[entry.email_address for entry in record.email_addresses],
        urls=[values.profile(entry) for entry in record.social_media if entry.link is not None],
        tags=[name for tag in stored.many("tags") if (name := cast(Tag, tag.record).name) is not None],
        applications=_ids(stored.many("applications")),
        attachments=_ids(found),
        remote_created_at=values.instant(record.remote_created_at),
        remote_updated_at=values.instant(record.remote_updated_at),
        avatar=None,
    )


def application(stored: Stored[Record]) -> wire.AtsApplication:
    """``current_stage`` is the stage's place in the job's process, so it needs both of them."""
    record = cast(Application, stored.record)
    return wire.AtsApplication(
        id=str(stored.id),
        remote_id=record.remote_id,
        candidate=values.reference(stored, Model.CANDIDATE, record.candidate_remote_id),
        job=values.reference(stored, Model.JOB, record.job_remote_id),
        applied_at=values.instant(record.applied_at),
        rejected_at=values.instant(record.rejected_at),
        source=record.source,
        credited_to=values.reference(stored, Model.USER, record.credited_to_remote_id),
        current_stage=values.job_stage(stored, record.job_remote_id, record.current_stage_remote_id),
        reject_reason=values.reference(stored, Model.REJECTION_REASON, record.rejection_reason_remote_id),
    )


def job(stored: Stored[Record]) -> wire.AtsJob:
    """Links to adverts: the job's own, then those of its postings."""
    record = cast(Job, stored.record)
    adverts = [record.post_url, *(cast(JobPosting, posting.record).url for posting in stored.many("job_postings"))]
    return wire.AtsJob(
        id=str(stored.id),
        remote_id=record.remote_id,
        name=record.name,
        description=record.description,
        code=record.job_code,
        status=record.status,
        job_posting_urls=[
            wire.AtsUrl(value=url, url_type="JOB_POSTING") for url in dict.fromkeys(adverts) if url is not None
        ],
        remote_created_at=values.instant(record.remote_created_at),
        remote_updated_at=values.instant(record.remote_updated_at),
        confidential=record.is_confidential,
        departments=_named(stored, Model.DEPARTMENT, record.department_remote_id),
        offices=values.references(stored, Model.OFFICE, record.office_remote_ids),
        hiring_managers=_team(stored, RoleType.HIRING_MANAGER),
        recruiters=_team(stored, RoleType.RECRUITER),
    )


def _team(stored: Stored[Record], type: RoleType) -> list[str]:
    members = [
        cast(HiringTeamMember, member.record).user_remote_id
        for member in stored.many("hiring_team")
        if (role := member.one("role")) is not None and cast(Role, role.record).type is type
    ]
    return values.references(stored, Model.USER, members)


def job_interview_stage(stored: Stored[Record]) -> wire.AtsJobInterviewStage:
    record = cast(JobStage, stored.record)
    stage = stored.one("stage")
    return wire.AtsJobInterviewStage(
        id=str(stored.id),
        remote_id=record.remote_id,
        name=cast(Stage, stage.record).name if stage is not None else None,
        job=values.reference(stored, Model.JOB, record.job_remote_id),
        stage_order=record.index,
    )


def scheduled_interview(stored: Stored[Record]) -> wire.AtsScheduledInterview:
    """``status`` tells only what does not change with time, and that is a word of ours; an organizer is unknown."""
    record = cast(Interview, stored.record)
    owner = stored.one("application")
    job_remote_id = cast(Application, owner.record).job_remote_id if owner is not None else None
    return wire.AtsScheduledInterview(
        id=str(stored.id),
        remote_id=record.remote_id,
        application=values.reference(stored, Model.APPLICATION, record.application_remote_id),
        job_interview_stage=values.job_stage(stored, job_remote_id, record.stage_remote_id),
        organizer=None,
        interviewers=values.references(stored, Model.USER, record.user_remote_ids),
        location=values.place(record.location) or record.video_conferencing_url,
        start_at=values.instant(record.starting_at),
        end_at=values.instant(record.ending_at),
        remote_created_at=values.instant(record.remote_created_at),
        remote_updated_at=values.instant(record.remote_updated_at),
        status="CANCELED" if record.is_canceled else None,
    )


def offer(stored: Stored[Record]) -> wire.AtsOffer:
    """Who made the offer is unknown to the canonical model."""
    record = cast(Offer, stored.record)
    return wire.AtsOffer(
        id=str(stored.id),
        remote_id=record.remote_id,
        application=values.reference(stored, Model.APPLICATION, record.application_remote_id),
        creator=None,
        remote_created_at=values.instant(record.remote_created_at),
        closed_at=values.instant(record.closed_at),
        sent_at=values.instant(record.sent_at),
        start_date=values.instant(record.employment_start_at),
        status=_OFFER_STATUS[record.status] if record.status is not None else None,
    )


def attachment(stored: Stored[Record]) -> wire.AtsAttachment:
    record = cast(Attachment, stored.record)
    return wire.AtsAttachment(
        id=str(stored.id),
        remote_id=record.remote_id,
        file_name=record.file_name,
        attachment_type=_ATTACHMENT_TYPE[record.type] if record.type is not None else None,
        candidate=_candidate(stored, record.candidate_remote_id),
    )


def department(stored: Stored[Record]) -> wire.AtsDepartment:
    record = cast(Department, stored.record)
    return wire.AtsDepartment(id=str(stored.id), remote_id=record.remote_id, name=record.name)


def office(stored: Stored[Record]) -> wire.AtsOffice:
    record = cast(Office, stored.record)
    return wire.AtsOffice(
        id=str(stored.id), remote_id=record.remote_id, name=record.name, location=values.place(record.location)
    )


def remote_user(stored: Stored[Record]) -> wire.AtsRemoteUser:
    """``access_role`` is unknown: the canonical model has no account-wide roles."""
    record = cast(User, stored.record)
    return wire.AtsRemoteUser(
        id=str(stored.id),
        remote_id=record.remote_id,
        first_name=record.first_name,
        last_name=record.last_name,
        email=record.email,
        disabled=record.status is UserStatus.INACTIVE if record.status is not None else None,
        remote_created_at=values.instant(record.remote_created_at),
        access_role=None,
    )


def reject_reason(stored: Stored[Record]) -> wire.AtsRejectReason:
    record = cast(RejectionReason, stored.record)
    return wire.AtsRejectReason(id=str(stored.id), remote_id=record.remote_id, name=record.name)


def tag(stored: Stored[Record]) -> wire.AtsTag:
    record = cast(Tag, stored.record)
    return wire.AtsTag(id=str(stored.id), remote_id=record.remote_id, name=record.name)


def activity(stored: Stored[Record]) -> wire.AtsActivity:
    record = cast(Note, stored.record)
    visibility = None
    if record.is_private is not None:
        visibility = "PRIVATE" if record.is_private else "PUBLIC"
    return wire.AtsActivity(
        id=str(stored.id),
        remote_id=record.remote_id,
        user=values.reference(stored, Model.USER, record.author_remote_id),
        activity_type="NOTE",
        subject=record.title,
        body=record.content_html,
        visibility=visibility,
        candidate=_candidate(stored, record.candidate_remote_id),
        remote_created_at=values.instant(record.remote_created_at),
    )


def scorecard(stored: Stored[Record]) -> wire.AtsScorecard:
    """The canonical model has the answers of the form, but no overall verdict and no time of submission."""
    record = cast(Scorecard, stored.record)
    return wire.AtsScorecard(
        id=str(stored.id),
        remote_id=record.remote_id,
        application=values.reference(stored, Model.APPLICATION, record.application_remote_id),
        interview=values.reference(stored, Model.INTERVIEW, record.interview_remote_id),
        interviewer=values.reference(stored, Model.USER, record.author_remote_id),
        remote_created_at=values.instant(record.remote_created_at),
        submitted_at=None,
        overall_recommendation=None,
    )


def screening_question(stored: Stored[Record]) -> wire.AtsScreeningQuestion:
    """A question as one job asks it."""
    record = cast(JobScreeningQuestion, stored.record)
    found = stored.one("question")
    question = cast(ScreeningQuestion, found.record) if found is not None else None
    format = question.format if question is not None else None
    return wire.AtsScreeningQuestion(
        id=str(stored.id),
        remote_id=record.remote_id,
        job=values.reference(stored, Model.JOB, record.job_remote_id),
        description=question.description if question is not None else None,
        title=question.title if question is not None else None,
        type=_question_type(format),
        required=record.is_required,
        options=_options(format),
    )


def _question_type(format: QuestionFormat | None) -> str | None:
    if format is None:
        return None
    if format.type is QuestionType.TEXT and format.display_type == "MULTI_LINE":
        return "MULTI_LINE_TEXT"
    return _QUESTION_TYPE.get(format.type, format.type)


def _options(format: QuestionFormat | None) -> list[dict[str, Any]]:
    return [{"remote_id": one.remote_id, "name": one.name} for one in (format.options if format is not None else ())]


def _candidate(stored: Stored[Record], candidate_remote_id: str | None) -> str | None:
    """The candidate whom a record is about, also where it names only the application."""
    owner = stored.one("application")
    if candidate_remote_id is None and owner is not None:
        candidate_remote_id = cast(Application, owner.record).candidate_remote_id
    return values.reference(stored, Model.CANDIDATE, candidate_remote_id)


def _named(stored: Stored[Record], model: Model, remote_id: str | None) -> list[str]:
    return values.references(stored, model, () if remote_id is None else (remote_id,))


def _ids(found: Iterable[Stored[Record]]) -> list[str]:
    return list(dict.fromkeys(str(one.id) for one in found))
