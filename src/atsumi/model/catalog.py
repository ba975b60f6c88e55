"""Every canonical struct by its model, and the codes the store writes for them."""

from __future__ import annotations

from atsumi.model.application import Application
from atsumi.model.attachment import Attachment
from atsumi.model.candidate import Candidate
from atsumi.model.department import Department
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
from atsumi.model.screening_question import ScreeningQuestion
from atsumi.model.stage import Stage
from atsumi.model.stage_transition import StageTransition
from atsumi.model.tag import Tag
from atsumi.model.user import User

STRUCTS: dict[Model, type[Record]] = {
    struct.model: struct
    for struct in (
        Job,
        JobPosting,
        JobStage,
        Stage,
        ScreeningQuestion,
        JobScreeningQuestion,
        HiringTeamMember,
        User,
        Role,
        Department,
        Office,
        Candidate,
        Application,
        StageTransition,
        Interview,
        Offer,
        RejectionReason,
        Tag,
        Attachment,
        Note,
        Scorecard,
    )
}

CODES: dict[Model, int] = {
    Model.JOB: 1,
    Model.JOB_POSTING: 2,
    Model.JOB_STAGE: 3,
    Model.STAGE: 4,
    Model.SCREENING_QUESTION: 5,
    Model.JOB_SCREENING_QUESTION: 6,
    Model.HIRING_TEAM_MEMBER: 7,
    Model.USER: 8,
    Model.ROLE: 9,
    Model.DEPARTMENT: 10,
    Model.OFFICE: 11,
    Model.CANDIDATE: 12,
    Model.APPLICATION: 13,
    Model.STAGE_TRANSITION: 14,
    Model.INTERVIEW: 15,
    Model.OFFER: 16,
    Model.REJECTION_REASON: 17,
    Model.TAG: 18,
    Model.ATTACHMENT: 19,
    Model.NOTE: 20,
    Model.SCORECARD: 21,
}
"""Stored in rows: a number is never reused and never changes its meaning."""

MODELS: dict[int, Model] = {code: model for model, code in CODES.items()}
