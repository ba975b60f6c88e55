"""The writes that an ATS may offer. Values are stable: settings and logs name them."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """One write, whichever tools can do it."""

    CREATE_APPLICATION = "create_application"
    CREATE_CANDIDATE = "create_candidate"
    ADD_APPLICATION_ATTACHMENT = "add_application_attachment"
    ADD_CANDIDATE_ATTACHMENT = "add_candidate_attachment"
    SET_APPLICATION_STAGE = "set_application_stage"
    REJECT_APPLICATION = "reject_application"
    ADD_APPLICATION_NOTE = "add_application_note"
    ADD_APPLICATION_RESULT_LINK = "add_application_result_link"
    ADD_CANDIDATE_RESULT_LINK = "add_candidate_result_link"
    ADD_CANDIDATE_TAG = "add_candidate_tag"
    REMOVE_CANDIDATE_TAG = "remove_candidate_tag"
