"""Documents of records that a tool has made and does not show yet: what is certain of them, under stand-in ids."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from atsumi.actions.requests import Receipt
from atsumi.dialects.kombo import values, wire
from atsumi.model.draft import ApplicationDraft, Draft
from atsumi.model.ids import to_base58
from atsumi.model.parts import EmailAddress, PhoneNumber


def stand_in_application(receipt: Receipt, draft: Draft | None) -> wire.CreatedApplication:
    """An application that the tool does not show yet: what is certain of it."""
    return wire.CreatedApplication(
        id=_spelled(receipt.application),
        remote_id=None,
        outcome="PENDING",
        rejection_reason_name=None,
        rejected_at=None,
        current_stage_id=None,
        job_id=_spelled(draft.job.id) if isinstance(draft, ApplicationDraft) else None,
        candidate_id=_spelled(receipt.candidate),
        screening_question_answers=[],
        custom_fields={},
        integration_fields=[],
        remote_url=None,
        changed_at=values.instant(receipt.created_at),
        remote_deleted_at=None,
        remote_created_at=None,
        remote_updated_at=None,
        candidate=None,
        current_stage=None,
        job=None,
        interviews=[],
        offers=[],
    )


def stand_in_candidate(receipt: Receipt, draft: Draft | None) -> wire.Candidate:
    """The same of a candidate. The published clients want a remote id, so the stand-in id is in its place, too."""
    person = draft if isinstance(draft, ApplicationDraft) else None
    addresses = [EmailAddress(email_address=person.email_address)] if person is not None else []
    phones = [PhoneNumber(phone_number=person.phone_number)] if person is not None and person.phone_number else []
    return wire.Candidate(
        id=_spelled(receipt.candidate),
        remote_id=_spelled(receipt.candidate),
        first_name=person.first_name if person is not None else None,
        last_name=person.last_name if person is not None else None,
        company=None,
        title=None,
        phone_numbers=values.phone_numbers(phones),
        email_addresses=values.email_addresses(addresses),
        social_media=[],
        location=None,
        confidential=None,
        source=None,
        custom_fields={},
        integration_fields=[],
        remote_url=None,
        changed_at=values.instant(receipt.created_at),
        remote_deleted_at=None,
        remote_created_at=None,
        remote_updated_at=None,
        applications=[],
        tags=[],
    )


def _spelled(id: UUID | None) -> Any:
    return to_base58(id) if id is not None else None
