"""What this connector can fill, field by field, and how sure that is (Personio NOTES section 18).

``confirmed``: a vendor page says so, or two independent clients. ``single lineage``: one family of clients.
``one report``: one other client. ``inferred``: our reading. Fields that are not listed cannot be filled.
"""

from __future__ import annotations

from collections.abc import Mapping

from atsumi.model.names import Model

C, L, ONE, I = "confirmed", "single lineage", "one report", "inferred"  # noqa: E741 (the marks of the notes)

_DATES = {"remote_created_at": C, "remote_updated_at": C}

COVERAGE: Mapping[Model, Mapping[str, str]] = {
    Model.JOB: {
        "remote_id": C,
        "name": C,
        "description": C,
        "status": I,
        "visibility": I,
        "employment_type": I,
        "employment_type_raw": C,
        "category": C,
        "department": C,
        "department_remote_id": L,
        "office_remote_ids": I,
        "post_url": I,
        "experience_level": C,
        "location": C,
        "other_locations": C,
        "salary_amount_from": C,
        "salary_amount_to": C,
        "salary_currency": C,
        "salary_period": I,
        "salary_period_raw": C,
        "custom_fields": C,
        "remote_url": I,
        **_DATES,
    },
    Model.JOB_POSTING: {
        "remote_id": I,
        "job_remote_id": C,
        "title": C,
        "description_html": C,
        "language": C,
        "status": I,
        "visibility": I,
        "url": ONE,
    },
    Model.JOB_STAGE: {"remote_id": I, "job_remote_id": L, "stage_remote_id": L, "index": I},
    Model.STAGE: {"remote_id": L, "name": L, "status": I},
    Model.SCREENING_QUESTION: {"remote_id": ONE, "title": ONE, "description": I, "format": ONE},
    Model.JOB_SCREENING_QUESTION: {
        "remote_id": I,
        "job_remote_id": ONE,
        "question_remote_id": ONE,
        "index": ONE,
        "is_required": ONE,
    },
    Model.HIRING_TEAM_MEMBER: {"remote_id": I, "job_remote_id": C, "user_remote_id": C, "role_remote_id": C},
    Model.USER: {"remote_id": C, "first_name": C, "last_name": C, "email": C, "status": C, **_DATES},
    Model.ROLE: {"remote_id": I, "label": C, "scope": I, "type": I},
    Model.DEPARTMENT: {"remote_id": L, "name": L},
    Model.OFFICE: {"remote_id": I, "name": C, "location": C},
    Model.CANDIDATE: {
        "remote_id": C,
        "first_name": L,
        "last_name": L,
        "email_addresses": C,
        "phone_numbers": L,
        "social_media": L,
        "location": L,
        "source": I,
        "custom_fields": L,
        "remote_created_at": L,
        "remote_updated_at": L,
    },
    Model.APPLICATION: {
        "remote_id": C,
        "candidate_remote_id": L,
        "job_remote_id": L,
        "current_stage_remote_id": L,
        "outcome": I,
        "applied_at": L,
        "source": L,
        "source_remote_id": L,
        "is_anonymized": L,
        "remote_created_at": L,
        "remote_updated_at": L,
    },
}
