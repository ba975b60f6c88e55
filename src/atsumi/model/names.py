"""The names of the canonical models. Values are stable: they are part of every record id and stored in every row."""

from __future__ import annotations

from enum import StrEnum


class Model(StrEnum):
    """One canonical record type; the docstring of each struct in this package says what its fields mean."""

    JOB = "job"
    JOB_POSTING = "job_posting"
    JOB_STAGE = "job_stage"
    STAGE = "stage"
    SCREENING_QUESTION = "screening_question"
    JOB_SCREENING_QUESTION = "job_screening_question"
    HIRING_TEAM_MEMBER = "hiring_team_member"
    USER = "user"
    ROLE = "role"
    DEPARTMENT = "department"
    OFFICE = "office"
    CANDIDATE = "candidate"
    APPLICATION = "application"
    STAGE_TRANSITION = "stage_transition"
    INTERVIEW = "interview"
    OFFER = "offer"
    REJECTION_REASON = "rejection_reason"
    TAG = "tag"
    ATTACHMENT = "attachment"
    NOTE = "note"
    SCORECARD = "scorecard"
