"""What this connector can fill, field by field, and how sure that is (Personio NOTES section 18).

``confirmed``: a vendor page says so, or two independent clients. ``single lineage``: one family of clients.
``one report``: one other client. ``inferred``: our reading. Fields that are not listed cannot be filled.
"""

from __future__ import annotations

from collections.abc import Mapping

from atsumi.model.names import Model

C, L, ONE, OURS = "confirmed", "single lineage", "one report", "inferred"

_DATES = {"remote_created_at": C, "remote_updated_at": C}

COVERAGE: Mapping[Model, Mapping[str, str]] = {
    Model.JOB: {
        "remote_id": C,
        "name": C,
        "description": C,
        "status": OURS,
        "visibility": OURS,
        "employment_type": OURS,
        "employment_type_raw": C,
        "category": C,
        "department": C,
        "department_remote_id": L,
        "office_remote_ids": OURS,
        "post_url": OURS,
        "experience_level": C,
        "location": C,
        "other_locations": C,
        "salary_amount_from": C,
        "salary_amount_to": C,
        "salary_currency": C,
        "salary_period": OURS,
        "salary_period_raw": C,
        "custom_fields": C,
        "remote_url": OURS,
        **_DATES,
    },
    Model.JOB_POSTING: {
        "remote_id": OURS,
        "job_remote_id": C,
        "title": C,
        "description_html": C,
        "language": C,
        "status": OURS,
        "visibility": OURS,
        "url": ONE,
    },
    Model.JOB_STAGE: {"remote_id": OURS, "job_remote_id": L, "stage_remote_id": L, "index": OURS},
    Model.STAGE: {"remote_id": L, "name": L, "status": OURS},
    Model.SCREENING_QUESTION: {"remote_id": ONE, "title": ONE, "description": OURS, "format": ONE},
    Model.JOB_SCREENING_QUESTION: {
        "remote_id": OURS,
        "job_remote_id": ONE,
        "question_remote_id": ONE,
        "index": ONE,
        "is_required": ONE,
    },
    Model.HIRING_TEAM_MEMBER: {"remote_id": OURS, "job_remote_id": C, "user_remote_id": C, "role_remote_id": C},
    Model.USER: {"remote_id": C, "first_name": C, "last_name": C, "email": C, "status": C, **_DATES},
    Model.ROLE: {"remote_id": OURS, "label": C, "scope": OURS, "type": OURS},
    Model.DEPARTMENT: {"remote_id": L, "name": L},
    Model.OFFICE: {"remote_id": OURS, "name": C, "location": C},
    Model.CANDIDATE: {
        "remote_id": C,
        "first_name": L,
        "last_name": L,
        "email_addresses": C,
        "phone_numbers": L,
        "social_media": L,
        "location": L,
        "source": OURS,
        "custom_fields": L,
        "remote_created_at": L,
        "remote_updated_at": L,
    },
    Model.APPLICATION: {
        "remote_id": C,
        "candidate_remote_id": L,
        "job_remote_id": L,
        "current_stage_remote_id": L,
        "outcome": OURS,
        "applied_at": L,
        "rejected_at": OURS,
        "source": L,
        "source_remote_id": L,
        "is_anonymized": L,
        "remote_created_at": L,
        "remote_updated_at": L,
    },
    Model.STAGE_TRANSITION: {
        "remote_id": OURS,
        "application_remote_id": C,
        "stage_remote_id": L,
        "entered_at": L,
        "left_at": OURS,
    },
    Model.ATTACHMENT: {
        "remote_id": L,
        "candidate_remote_id": L,
        "application_remote_id": L,
        "type": OURS,
        "file_name": L,
        "size_bytes": L,
        "remote_created_at": L,
    },
}
