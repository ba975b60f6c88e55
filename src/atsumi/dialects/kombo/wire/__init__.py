"""Every document of the thirteen lists, as typed structs.

Field names, nesting, nullability and closed vocabularies follow the vendor's published contract (Kombo API, OpenAPI
document of May 2026 and the models of its Python SDK 1.4.0). A closed vocabulary must be a known word or ``None``:
one unknown word makes the published clients refuse a whole page. Five job fields are open and may hold the tool's own
word. Every field is always sent, ``None`` where it is unknown, unless it is declared ``UNSET`` here.

The top-level ``remote_data`` is missing on purpose: it is raw and appended by the reader.
"""

from __future__ import annotations

from atsumi.dialects.kombo.wire.job import (
    HiringTeamEntry,
    Job,
    JobPosting,
    JobRole,
    JobStage,
    QuestionFormat,
    QuestionOption,
    ScreeningQuestion,
    SystemRole,
)
from atsumi.dialects.kombo.wire.parts import (
    CustomFields,
    Document,
    EmailAddress,
    EmbeddedCandidate,
    EmbeddedJob,
    EmbeddedTag,
    EmbeddedUser,
    Id,
    Instant,
    IntegrationField,
    Location,
    PhoneNumber,
    SocialMedia,
)
from atsumi.dialects.kombo.wire.people import (
    AnsweredQuestion,
    AnswerValue,
    Application,
    ApplicationCandidate,
    ApplicationInterview,
    ApplicationOffer,
    Candidate,
    CandidateApplication,
    CandidateStage,
    ScreeningAnswer,
)
from atsumi.dialects.kombo.wire.records import (
    Attachment,
    ContentRef,
    Interview,
    InterviewApplication,
    NamedEntry,
    Note,
    Offer,
    OfferApplication,
    RejectionReason,
    Role,
    Scorecard,
    ScorecardChoice,
    ScorecardResponse,
    Stage,
    Tag,
    User,
)

__all__ = [
    "AnswerValue",
    "AnsweredQuestion",
    "Application",
    "ApplicationCandidate",
    "ApplicationInterview",
    "ApplicationOffer",
    "Attachment",
    "Candidate",
    "CandidateApplication",
    "CandidateStage",
    "ContentRef",
    "CustomFields",
    "Document",
    "EmailAddress",
    "EmbeddedCandidate",
    "EmbeddedJob",
    "EmbeddedTag",
    "EmbeddedUser",
    "HiringTeamEntry",
    "Id",
    "Instant",
    "IntegrationField",
    "Interview",
    "InterviewApplication",
    "Job",
    "JobPosting",
    "JobRole",
    "JobStage",
    "Location",
    "NamedEntry",
    "Note",
    "Offer",
    "OfferApplication",
    "PhoneNumber",
    "QuestionFormat",
    "QuestionOption",
    "RejectionReason",
    "Role",
    "Scorecard",
    "ScorecardChoice",
    "ScorecardResponse",
    "ScreeningAnswer",
    "ScreeningQuestion",
    "SocialMedia",
    "Stage",
    "SystemRole",
    "Tag",
    "User",
]
