"""A ledger that is a list, and the bodies of writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx

from atsumi import errors
from atsumi.actions.requests import (
    ActionState,
    Answered,
    Deferred,
    Planned,
    Receipt,
    WriteRequest,
    Written,
)
from atsumi.connector.writing import ToolRequest, WriteAction
from atsumi.dialects.kombo.tests import samples
from atsumi.dialects.kombo.tests.kit import CHANGED_AT, INTEGRATION, FakeServices, body, client
from atsumi.dialects.services import Integration
from atsumi.model.actions import Action
from atsumi.model.ids import record_id, to_base58
from atsumi.model.names import Model

ID = to_base58(INTEGRATION)
JOB = f"/v1/ats/jobs/{ID}/applications"
PERSON = {"first_name": "Ada", "last_name": "Lovelace", "email_address": "ada@example.com"}
TOOL = errors.RemoteCall("personio", "create application", "POST", "https://api.example.com", 400)
FILE = {"name": "cv.pdf", "type": "CV", "content_type": "application/pdf", "data": "QQ=="}

BODIES: Mapping[Action, tuple[str, str, dict[str, Any]]] = {
    Action.CREATE_APPLICATION: ("POST", f"jobs/{ID}/applications", {"candidate": PERSON}),
    Action.CREATE_CANDIDATE: ("POST", "candidates", {"candidate": PERSON, "application": {"job_id": ID}}),
    Action.SET_APPLICATION_STAGE: ("PUT", f"applications/{ID}/stage", {"stage_id": "remote:7"}),
    Action.REJECT_APPLICATION: ("POST", f"applications/{ID}/reject", {"rejection_reason_id": ID, "note": "n"}),
    Action.ADD_APPLICATION_NOTE: (
        "POST",
        f"applications/{ID}/notes",
        {"content": "x", "content_type": "PLAIN_TEXT"},
    ),
    Action.ADD_APPLICATION_RESULT_LINK: (
        "POST",
        f"applications/{ID}/result-links",
        {
            "label": "x",
            "url": "https://a.example",
            "details": {"custom_field_name_prefix": "p", "attributes": [{"key": "k", "value": "v"}]},
        },
    ),
    Action.ADD_CANDIDATE_RESULT_LINK: (
        "POST",
        f"candidates/{ID}/result-links",
        {"label": "x", "url": "https://a.example"},
    ),
    Action.ADD_CANDIDATE_TAG: ("POST", f"candidates/{ID}/tags", {"tag": {"name": "t"}}),
    Action.REMOVE_CANDIDATE_TAG: ("DELETE", f"candidates/{ID}/tags", {"tag": {"name": "t"}}),
    Action.ADD_APPLICATION_ATTACHMENT: ("POST", f"applications/{ID}/attachments", {"attachment": FILE}),
    Action.ADD_CANDIDATE_ATTACHMENT: ("POST", f"candidates/{ID}/attachments", {"attachment": FILE}),
}
MADE = frozenset({Action.CREATE_APPLICATION, Action.CREATE_CANDIDATE})


async def never(*_: Any) -> None:
    raise NotImplementedError


ABLE = WriteAction(inputs={}, required=frozenset(), perform=never, find=never, plan=lambda *_: ())


def receipt(action: Action = Action.CREATE_APPLICATION, **changes: Any) -> Receipt:
    made = Receipt(
        id=UUID(int=5),
        action=action,
        state=ActionState.SUCCEEDED,
        surface="kombo",
        created_at=CHANGED_AT,
        warnings=["gender: not written."],
    )
    return replace(made, **changes)


class Ledger(FakeServices):
    """Notes what is wanted and answers what it is told to."""

    def __init__(self, outcome: Any = None) -> None:
        super().__init__()
        self.outcome = outcome
        self.wanted: list[WriteRequest] = []
        self.planned: list[WriteRequest] = []
        self.kept: Answered | None = None
        self.under_way = 2
        self.able = frozenset(Action)

    def write_action(self, tool: str, action: Action) -> WriteAction | None:
        return ABLE if action in self.able else None

    async def write(self, integration: Integration, request: WriteRequest) -> Written | Deferred:
        self.wanted.append(request)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome if self.outcome is not None else Written(receipt(request.action))

    async def plan(self, integration: Integration, request: WriteRequest) -> Planned:
        self.planned.append(request)
        sent = ToolRequest("POST", "https://api.example.com/x", {"Authorization": "***"}, {"email": "ada@example.com"})
        return Planned([sent], ["A warning."], 1.5)

    async def keep_answer(self, integration: Integration, action: UUID, answered: Answered) -> Answered:
        self.kept = self.kept or answered
        return self.kept

    async def raw_sources(
        self, integration: Integration, model: Model, remote_ids: Sequence[str]
    ) -> Sequence[Sequence[tuple[str, bytes]]]:
        return [[("main", json.dumps(remote_id).encode())] for remote_id in remote_ids]

    async def in_flight(self, integration: Integration) -> int:
        return self.under_way


async def sent(
    services: FakeServices, given: Any, *, url: str = JOB, method: str = "POST", **headers: str
) -> httpx.Response:
    content = given if isinstance(given, bytes | str) else json.dumps(given)
    async with client(services, **headers) as http:
        return await http.request(method, url, content=content)


def with_person(**changes: Any) -> dict[str, Any]:
    return {"candidate": PERSON | changes}


def listed(services: Ledger) -> tuple[UUID, UUID]:
    """Put the samples among the records; returns the application and its candidate."""
    found = []
    for name, model in (("applications", Model.APPLICATION), ("candidates", Model.CANDIDATE)):
        record = samples.LISTED[name]
        id = record_id(INTEGRATION, model, record.remote_id)
        services.documents[model] = [(id, body(name, record, samples.RECORDS))]
        found.append(id)
    return found[0], found[1]
