"""The closed vocabularies of the wire, and the open ones that filters know."""

from __future__ import annotations

from typing import Any, Literal, get_args

OutcomeWord = Literal["PENDING", "HIRED", "DECLINED"]
OfferStatusWord = Literal["ACCEPTED", "DECLINED", "SENT", "APPROVED", "DRAFT", "ABANDONED"]
ActivityWord = Literal["ACTIVE", "INACTIVE"]
PostingStatusWord = Literal["ACTIVE", "INACTIVE", "DRAFT"]
PostingVisibilityWord = Literal["PUBLIC", "INTERNAL", "UNLISTED"]
RoleTypeWord = Literal["HIRING_MANAGER", "RECRUITER", "COORDINATOR", "SOURCER", "INTERVIEWER", "ADMIN"]
HiringTeamRoleWord = Literal["HIRING_MANAGER", "RECRUITER", "COORDINATOR", "SOURCER", "INTERVIEWER"]
RoleScopeWord = Literal["SYSTEM", "JOB"]
QuestionCategoryWord = Literal["EEO", "DEMOGRAPHIC"]
AttachmentTypeWord = Literal["CV", "COVER_LETTER", "OTHER"]
QuestionTypeWord = Literal[
    "TEXT", "NUMBER", "FILE", "SINGLE_SELECT", "BOOLEAN", "DATE", "MULTI_SELECT", "INFORMATION", "UNKNOWN"
]
AnswerTypeWord = Literal["TEXT", "SINGLE_SELECT", "MULTI_SELECT", "BOOLEAN", "NUMBER", "DATE", "UNKNOWN"]
ResponseTypeWord = Literal["TEXT", "SINGLE_SELECT", "MULTI_SELECT", "BOOLEAN", "NUMBER", "DATE"]
DisplayTypeWord = Literal["SINGLE_LINE", "MULTI_LINE", "EMAIL", "URL", "SLIDER", "FIELD", "DROPDOWN", "RADIO"]

EMPLOYMENT_TYPES = ("FULL_TIME", "PART_TIME", "CONTRACT", "SEASONAL", "INTERNSHIP")
JOB_STATUSES = ("OPEN", "CLOSED", "DRAFT", "ARCHIVED")
VISIBILITIES = ("PUBLIC", "INTERNAL", "UNLISTED", "CONFIDENTIAL")


def words(literal: Any) -> frozenset[str]:
    """The words of a vocabulary declared above."""
    return frozenset(get_args(literal))
