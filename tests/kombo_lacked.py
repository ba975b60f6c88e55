"""The operations of Kombo's contract that Personio has no way to do, and what is sent for each."""

from __future__ import annotations

from typing import Any

KOMBO_LACKED: dict[str, dict[str, Any]] = {
    "PutAtsApplicationsApplicationIdStage": {"stage_id": "remote:1"},
    "PostAtsApplicationsApplicationIdReject": {"rejection_reason_id": "remote:1"},
    "PostAtsApplicationsApplicationIdNotes": {"content": "Well done", "content_type": "PLAIN_TEXT"},
    "PostAtsApplicationsApplicationIdResultLinks": {"label": "Result", "url": "https://results.example/1"},
    "PostAtsCandidatesCandidateIdResultLinks": {"label": "Result", "url": "https://results.example/1"},
    "PostAtsCandidatesCandidateIdTags": {"tag": {"name": "good"}},
    "DeleteAtsCandidatesCandidateIdTags": {"tag": {"name": "good"}},
    "PostAtsApplicationsApplicationIdAttachments": {
        "attachment": {"name": "cv.pdf", "type": "CV", "data_url": "https://files.example/cv.pdf"}
    },
    "PostAtsCandidatesCandidateIdAttachments": {
        "attachment": {"name": "cv.pdf", "type": "CV", "data_url": "https://files.example/cv.pdf"}
    },
    "PostAtsImportTrackedApplication": {"tracked_at": None},
    "PostAtsApplicationsApplicationIdInterviews": {},
    "PatchAtsApplicationsApplicationIdInterviews": {},
}
"""By operation. The answer is a refusal with a code of its own."""
