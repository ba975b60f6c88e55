"""Why this connector leaves models and fields empty, and what it reads others out of that Personio does not give.

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
    inferred={
        (Model.JOB, "status"): "Open while the career feed shows the job, closed once it left the feed, else unknown "
        "(section 18).",
        (Model.JOB, "visibility"): "Public while the career feed shows the job, else unknown (section 18).",
        (
            Model.JOB,
            "employment_type",
        ): "Put together from the feed's kind of employment and its schedule (section 18).",
        (Model.JOB, "office_remote_ids"): "The feed names offices and has no ids of them, so the name is the id "
        "(section 10).",
        (Model.JOB, "post_url"): "Made of the career page and the job's id, as seen in two clients, while the feed "
        "shows the job (section 18).",
        (Model.JOB, "salary_period"): "Yearly is documented, the feed's words for other periods are ours by analogy "
        "(section 18).",
        (Model.JOB, "remote_url"): "Made of the company and the job's id; the path was seen once (section 18).",
        (Model.JOB_POSTING, "remote_id"): "Postings have no ids; made of the job's and the language (section 10).",
        (Model.JOB_POSTING, "status"): "Active while the career feed shows it, inactive once it left (section 18).",
        (Model.JOB_POSTING, "visibility"): "Public while the career feed shows it, else unknown (section 18).",
        (Model.JOB_STAGE, "remote_id"): "A stage's place in a job has no id; made of the job's and the stage's "
        "(section 18).",
        (Model.JOB_STAGE, "index"): "The position among the stages of the job's category; unknown for stages that only "
        "applications show (section 18).",
        (Model.STAGE, "status"): "Active where it is built in or a category lists it, inactive once none does, else "
        "unknown (section 8).",
        (Model.SCREENING_QUESTION, "description"): "The text that the application form sets beside the control "
        "(section 22a).",
        (Model.JOB_SCREENING_QUESTION, "remote_id"): "Made of the job's id and the name of the control (section 22a).",
        (Model.HIRING_TEAM_MEMBER, "remote_id"): "Members have no ids; made of the job's, the person's and the role's "
        "(section 18).",
        (Model.ROLE, "remote_id"): "Roles have names and no ids; the name in small letters is the id (section 18).",
        (Model.ROLE, "scope"): "Roles are seen in the hiring teams of jobs, so they count as roles of a job "
        "(section 18).",
        (Model.ROLE, "type"): "Read out of the role's name, which is free text: recruiters and hiring managers are "
        "told apart (section 18).",
        (Model.OFFICE, "remote_id"): "The feed names offices and has no ids of them, so the name is the id "
        "(section 10).",
        (Model.CANDIDATE, "source"): "The channel of the candidate's newest application (section 18).",
        (Model.APPLICATION, "outcome"): "Hired in the built-in stage accepted, declined in rejected and withdrawn, "
        "else pending (section 18).",
        (
            Model.APPLICATION,
            "rejected_at",
        ): "When the newest recorded move led to the stage rejected or withdrawn, if it "
        "still stands there (section 18).",
        (Model.STAGE_TRANSITION, "remote_id"): "Moves have no ids; made of the application's, the stage and the time "
        "(section 18).",
        (Model.STAGE_TRANSITION, "left_at"): "When the application entered the next stage (section 18).",
        (Model.ATTACHMENT, "type"): "The file's category where it means something, else a guess from the file's name "
        "(section 18).",
    },
)
