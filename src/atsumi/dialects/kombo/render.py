"""Rendering the lists other than jobs."""

from __future__ import annotations

from typing import cast

from atsumi.dialects.kombo import values, wire
from atsumi.dialects.kombo.render_answers import screening_answer
from atsumi.dialects.kombo.render_job import stage
from atsumi.dialects.kombo.wire import words
from atsumi.model.application import Application
from atsumi.model.attachment import Attachment
from atsumi.model.candidate import Candidate
from atsumi.model.interview import Interview
from atsumi.model.job import Job
from atsumi.model.names import Model
from atsumi.model.note import Note
from atsumi.model.offer import Offer
from atsumi.model.record import Record
from atsumi.model.rejection_reason import RejectionReason
from atsumi.model.role import Role
from atsumi.model.stage import Stage
from atsumi.model.tag import Tag
from atsumi.model.user import User
from atsumi.sync.projection import Stored

_OUTCOME = words.words(words.OutcomeWord)
_OFFER_STATUS = words.words(words.OfferStatusWord)
_ACTIVITY = words.words(words.ActivityWord)
_SCOPE = words.words(words.RoleScopeWord)
_ROLE_TYPE = words.words(words.RoleTypeWord)
_ATTACHMENT_TYPE = words.words(words.AttachmentTypeWord)


def application(stored: Stored[Record]) -> wire.Application:
    """One entry of the applications list."""
    record = cast(Application, stored.record)
    found = stored.one("current_stage")
    return wire.Application(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        outcome=values.closed(record.outcome, _OUTCOME),
        rejection_reason_name=record.rejection_reason_name,
        rejected_at=values.instant(record.rejected_at),
        current_stage_id=values.reference(stored, Model.STAGE, record.current_stage_remote_id),
        job_id=values.reference(stored, Model.JOB, record.job_remote_id),
        candidate_id=values.reference(stored, Model.CANDIDATE, record.candidate_remote_id),
        screening_question_answers=[screening_answer(entry) for entry in record.screening_answers],
        custom_fields=values.custom_fields(record),
        integration_fields=values.integration_fields(stored),
        remote_url=record.remote_url,
        changed_at=values.instant(stored.changed_at),
        remote_deleted_at=values.instant(stored.deleted_at),
        remote_created_at=values.instant(record.remote_created_at),
        remote_updated_at=values.instant(record.remote_updated_at),
        candidate=_application_candidate(stored.one("candidate")),
        current_stage=stage(found) if found else None,
        job=_embedded_job(stored.one("job")),
        interviews=[_application_interview(interview) for interview in stored.many("interviews")],
        offers=[_application_offer(offer) for offer in stored.many("offers")],
    )


def candidate(stored: Stored[Record]) -> wire.Candidate:
    """One entry of the candidates list."""
    record = cast(Candidate, stored.record)
    return wire.Candidate(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        first_name=record.first_name,
        last_name=record.last_name,
        company=record.company,
        title=record.title,
        phone_numbers=values.phone_numbers(record.phone_numbers),
        email_addresses=values.email_addresses(record.email_addresses),
        social_media=values.social_media(record.social_media),
        location=values.location(record.location),
        confidential=record.is_confidential,
        source=record.source,
        custom_fields=values.custom_fields(record),
        integration_fields=values.integration_fields(stored),
        remote_url=record.remote_url,
        changed_at=values.instant(stored.changed_at),
        remote_deleted_at=values.instant(stored.deleted_at),
        remote_created_at=values.instant(record.remote_created_at),
        remote_updated_at=values.instant(record.remote_updated_at),
        applications=[_candidate_application(entry) for entry in stored.many("applications")],
        tags=_tags(stored),
    )


def application_stage(stored: Stored[Record]) -> wire.Stage:
    """One entry of the application stages list."""
    record = cast(Stage, stored.record)
    return wire.Stage(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        name=record.name,
        status=values.closed(record.status, _ACTIVITY),
        custom_fields=values.custom_fields(record),
        changed_at=values.instant(stored.changed_at),
        remote_deleted_at=values.instant(stored.deleted_at),
    )


def user(stored: Stored[Record]) -> wire.User:
    """One entry of the users list. ``system_roles`` is empty: the canonical model has no account-wide roles yet."""
    record = cast(User, stored.record)
    return wire.User(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        first_name=record.first_name,
        last_name=record.last_name,
        email=values.email(record.email),
        status=values.closed(record.status, _ACTIVITY),
        changed_at=values.instant(stored.changed_at),
        remote_deleted_at=values.instant(stored.deleted_at),
        system_roles=[],
    )


def role(stored: Stored[Record]) -> wire.Role:
    """One entry of the roles list."""
    record = cast(Role, stored.record)
    return wire.Role(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        remote_label=record.label,
        scope=values.closed(record.scope, _SCOPE),
        unified_type=values.closed(record.type, _ROLE_TYPE),
        changed_at=values.instant(stored.changed_at),
        remote_deleted_at=values.instant(stored.deleted_at),
    )


def tag(stored: Stored[Record]) -> wire.Tag:
    """One entry of the tags list."""
    record = cast(Tag, stored.record)
    return wire.Tag(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        name=record.name,
        changed_at=values.instant(stored.changed_at),
        remote_deleted_at=values.instant(stored.deleted_at),
    )


def rejection_reason(stored: Stored[Record]) -> wire.RejectionReason:
    """One entry of the rejection reasons list."""
    record = cast(RejectionReason, stored.record)
    return wire.RejectionReason(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        name=record.name,
        changed_at=values.instant(stored.changed_at),
        remote_deleted_at=values.instant(stored.deleted_at),
    )


def offer(stored: Stored[Record]) -> wire.Offer:
    """One entry of the offers list."""
    record = cast(Offer, stored.record)
    found = stored.one("application")
    return wire.Offer(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        status=values.closed(record.status, _OFFER_STATUS),
        employment_start_date=values.instant(record.employment_start_at),
        application_id=values.reference(stored, Model.APPLICATION, record.application_remote_id),
        custom_fields=values.custom_fields(record),
        integration_fields=values.integration_fields(stored),
        changed_at=values.instant(stored.changed_at),
        remote_deleted_at=values.instant(stored.deleted_at),
        remote_created_at=values.instant(record.remote_created_at),
        remote_updated_at=values.instant(record.remote_updated_at),
        application=wire.OfferApplication(
            candidate=_embedded_candidate(found.one("candidate")),
            job=_embedded_job(found.one("job")),
        )
        if found
        else None,
    )


def interview(stored: Stored[Record]) -> wire.Interview:
    """One entry of the interviews list."""
    record = cast(Interview, stored.record)
    return wire.Interview(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        title=record.title,
        starting_at=values.instant(record.starting_at),
        ending_at=values.instant(record.ending_at),
        location=values.location(record.location),
        video_conferencing_url=record.video_conferencing_url,
        application_id=values.reference(stored, Model.APPLICATION, record.application_remote_id),
        stage_id=values.reference(stored, Model.STAGE, record.stage_remote_id),
        canceled=record.is_canceled,
        changed_at=values.instant(stored.changed_at),
        remote_deleted_at=values.instant(stored.deleted_at),
        remote_created_at=values.instant(record.remote_created_at),
        remote_updated_at=values.instant(record.remote_updated_at),
        users=_interviewers(stored),
        application=_interview_application(stored.one("application")),
    )


def note(stored: Stored[Record]) -> wire.Note:
    """One entry of the notes list."""
    record = cast(Note, stored.record)
    return wire.Note(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        candidate_id=_owner(stored, record.candidate_remote_id),
        application_id=values.reference(stored, Model.APPLICATION, record.application_remote_id),
        author_id=values.reference(stored, Model.USER, record.author_remote_id),
        title=record.title,
        content_html=record.content_html,
        is_private=record.is_private,
        changed_at=values.instant(stored.changed_at),
        remote_deleted_at=values.instant(stored.deleted_at),
        remote_created_at=values.instant(record.remote_created_at),
        remote_updated_at=values.instant(record.remote_updated_at),
        author=_embedded_user(stored.one("author")),
    )


def attachment(stored: Stored[Record]) -> wire.Attachment:
    """One entry of the attachments list. ``content_ref`` is null: files are not copied to a bucket of the operator."""
    record = cast(Attachment, stored.record)
    return wire.Attachment(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        candidate_id=_owner(stored, record.candidate_remote_id),
        application_id=values.reference(stored, Model.APPLICATION, record.application_remote_id),
        type=values.closed(record.type, _ATTACHMENT_TYPE),
        file_name=record.file_name,
        changed_at=values.instant(stored.changed_at),
        remote_deleted_at=values.instant(stored.deleted_at),
        remote_created_at=values.instant(record.remote_created_at),
        remote_updated_at=values.instant(record.remote_updated_at),
        content_ref=None,
    )


def _owner(stored: Stored[Record], candidate_remote_id: str | None) -> str:
    """The candidate's id, through the application where the record names only that.

    The contract allows no null here; the empty string stands for an erased reference.
    """
    if candidate_remote_id is None:
        found = stored.one("application")
        candidate_remote_id = cast(Application, found.record).candidate_remote_id if found else None
    spelled: str | None = values.reference(stored, Model.CANDIDATE, candidate_remote_id)
    return spelled or ""


def _application_candidate(stored: Stored[Record] | None) -> wire.ApplicationCandidate | None:
    if stored is None:
        return None
    record = cast(Candidate, stored.record)
    return wire.ApplicationCandidate(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        first_name=record.first_name,
        last_name=record.last_name,
        source=record.source,
        remote_url=record.remote_url,
        tags=_tags(stored),
        email_addresses=values.email_addresses(record.email_addresses),
        phone_numbers=values.phone_numbers(record.phone_numbers),
        social_media=values.social_media(record.social_media),
    )


def _embedded_candidate(stored: Stored[Record] | None) -> wire.EmbeddedCandidate | None:
    if stored is None:
        return None
    record = cast(Candidate, stored.record)
    return wire.EmbeddedCandidate(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        first_name=record.first_name,
        last_name=record.last_name,
        email_addresses=values.email_addresses(record.email_addresses),
    )


def _embedded_job(stored: Stored[Record] | None) -> wire.EmbeddedJob | None:
    if stored is None:
        return None
    record = cast(Job, stored.record)
    return wire.EmbeddedJob(id=values.own_id(stored), remote_id=record.remote_id, name=record.name)


def _embedded_user(stored: Stored[Record] | None) -> wire.EmbeddedUser | None:
    if stored is None:
        return None
    record = cast(User, stored.record)
    return wire.EmbeddedUser(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        first_name=record.first_name,
        last_name=record.last_name,
        email=values.email(record.email),
    )


def _candidate_application(stored: Stored[Record]) -> wire.CandidateApplication:
    record = cast(Application, stored.record)
    found = stored.one("current_stage")
    return wire.CandidateApplication(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        outcome=values.closed(record.outcome, _OUTCOME),
        rejection_reason_name=record.rejection_reason_name,
        rejected_at=values.instant(record.rejected_at),
        remote_url=record.remote_url,
        changed_at=values.instant(stored.changed_at),
        remote_created_at=values.instant(record.remote_created_at),
        remote_updated_at=values.instant(record.remote_updated_at),
        current_stage=_candidate_stage(found) if found else None,
        job=_embedded_job(stored.one("job")),
    )


def _candidate_stage(stored: Stored[Record]) -> wire.CandidateStage:
    record = cast(Stage, stored.record)
    return wire.CandidateStage(id=values.own_id(stored), remote_id=record.remote_id, name=record.name, index=None)


def _application_interview(stored: Stored[Record]) -> wire.ApplicationInterview:
    record = cast(Interview, stored.record)
    return wire.ApplicationInterview(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        title=record.title,
        starting_at=values.instant(record.starting_at),
        ending_at=values.instant(record.ending_at),
        canceled=record.is_canceled,
        location=values.location(record.location),
    )


def _application_offer(stored: Stored[Record]) -> wire.ApplicationOffer:
    record = cast(Offer, stored.record)
    return wire.ApplicationOffer(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        status=values.closed(record.status, _OFFER_STATUS),
    )


def _interview_application(stored: Stored[Record] | None) -> wire.InterviewApplication | None:
    if stored is None:
        return None
    record = cast(Application, stored.record)
    return wire.InterviewApplication(
        id=values.own_id(stored),
        remote_id=record.remote_id,
        outcome=values.closed(record.outcome, _OUTCOME),
        rejection_reason_name=record.rejection_reason_name,
        candidate=_embedded_candidate(stored.one("candidate")),
        job=_embedded_job(stored.one("job")),
    )


def _tags(stored: Stored[Record]) -> list[wire.EmbeddedTag]:
    """The tags that a candidate names, also those that are not stored."""
    names = {tag.record.remote_id: cast(Tag, tag.record).name for tag in stored.many("tags")}
    return [
        wire.EmbeddedTag(
            id=values.reference(stored, Model.TAG, remote_id), remote_id=remote_id, name=names.get(remote_id)
        )
        for remote_id in cast(Candidate, stored.record).tag_remote_ids
    ]


def _interviewers(stored: Stored[Record]) -> list[wire.EmbeddedUser]:
    """The users that an interview names, also those that are not stored."""
    known = {user.record.remote_id: _embedded_user(user) for user in stored.many("users")}
    return [
        known.get(remote_id)
        or wire.EmbeddedUser(
            id=values.reference(stored, Model.USER, remote_id),
            remote_id=remote_id,
            first_name=None,
            last_name=None,
            email=None,
        )
        for remote_id in cast(Interview, stored.record).user_remote_ids
    ]
