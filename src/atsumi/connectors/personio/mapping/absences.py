"""Why this connector leaves models and fields empty: what Personio's public interfaces do not give.

Sources are the sections of the Personio NOTES that the lines name; section 17 lists what the vendor offers nowhere.
"""

from __future__ import annotations

from atsumi.connector.absences import Absences
from atsumi.model.names import Model

absences = Absences(
    models={
        Model.INTERVIEW: "Personio's public API has no resource for interviews (section 17).",
        Model.OFFER: "Personio's public API has no resource for offers; it only shows that an application is in the "
        "built-in offer stage (section 17).",
        Model.REJECTION_REASON: "Personio's public API gives no rejection reasons (section 17).",
        Model.TAG: "Tags can be written when an application is created, and never be read (section 17).",
        Model.NOTE: "Personio's public API has no resource for comments (section 17).",
        Model.SCORECARD: "Personio's public API has no resource for evaluations (section 17).",
    },
    fields={
        (Model.JOB, "job_code"): "Neither the recruiting API nor the career feed has a code beside the id (sections 7 "
        "and 10).",
        (Model.JOB, "remote_work_status"): "Personio has no such field; an office may be called Remote (section 10).",
        (Model.JOB, "is_confidential"): "Neither interface says whether a job is confidential (sections 7 and 10).",
        (Model.JOB, "weekly_hours"): "The career feed says full-time or part-time and no hours (section 10).",
        (Model.JOB, "salary_amount"): "The career feed gives a range, shown by its two ends (section 10).",
        (Model.JOB, "opened_at"): "The career feed shows that a job is published, and not since when (section 10).",
        (Model.JOB, "closed_at"): "The career feed shows that a job left it, and not when (section 10).",
        (Model.SCREENING_QUESTION, "category"): "The application form has no categories of questions (section 22a).",
        **dict.fromkeys(
            (
                (Model.JOB_SCREENING_QUESTION, "precondition_question_remote_id"),
                (Model.JOB_SCREENING_QUESTION, "precondition_options"),
            ),
            "Conditions between questions cannot be seen on the application form (section 22a).",
        ),
        (Model.CANDIDATE, "company"): "Candidates in Personio have no employer (section 7).",
        (Model.CANDIDATE, "title"): "Candidates in Personio have no job title (section 7).",
        (Model.CANDIDATE, "is_confidential"): "Candidates in Personio have no such mark (section 7).",
        (Model.CANDIDATE, "tag_remote_ids"): "Tags can be written, and never be read (section 17).",
        **dict.fromkeys(
            ((Model.APPLICATION, "rejection_reason_name"), (Model.APPLICATION, "rejection_reason_remote_id")),
            "Personio's public API gives no rejection reasons; rejected and withdrawn are told apart by the stage "
            "(section 17).",
        ),
        (Model.APPLICATION, "credited_to_remote_id"): "The channel names a source, and nobody (section 7).",
        (Model.APPLICATION, "screening_answers"): "Answers can be written with an application, and never be read "
        "(section 17).",
    },
    everywhere={
        "remote_url": "No page of Personio with a known address shows it (section 18).",
        "remote_created_at": "Personio does not say when it was created (section 7).",
        "remote_updated_at": "Personio does not say when it last changed (section 7).",
        "custom_fields": "Custom attributes cannot be read, and nothing else is left over (sections 7 and 17).",
    },
)
