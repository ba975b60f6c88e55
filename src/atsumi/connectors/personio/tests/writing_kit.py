"""What the tests of writing share: a small account, a draft with little in it, and a way to lose requests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import httpx2

from atsumi.connector.writing import Made, WriteAction
from atsumi.connectors.personio import connector
from atsumi.connectors.personio.tests.simulated import SimulatedAccount
from atsumi.model.actions import Action
from atsumi.model.draft import ApplicationDraft, FileDraft, Ref
from atsumi.model.enums import AttachmentType
from atsumi.testing.journal import MemoryJournal

CREATE: WriteAction = connector.actions[Action.CREATE_APPLICATION]
CREATE_PATH, UPLOAD_PATH = "/v1/recruiting/applications", "/v1/recruiting/applications/documents"
EMAIL = "ada.beispiel@example.com"


class Wire(httpx2.AsyncBaseTransport):
    """Keeps what was sent. ``before`` and ``after`` see each request, and may raise what a transport raises."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner
        self.sent: list[httpx2.Request] = []
        self.before: Callable[[httpx2.Request], None] = lambda request: None
        self.after: Callable[[httpx2.Request], None] = lambda request: None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.before(request)
        self.sent.append(request)
        answer = await self._inner.handle_async_request(request)
        self.after(request)
        return answer

    def posts(self) -> list[str]:
        """The paths of what was asked of v1, in order."""
        return [request.url.path for request in self.sent if request.url.path.startswith("/v1")]


class Writer(SimulatedAccount):
    """A simulated account and one application to write, for the first published job."""

    def __init__(self, contents: Sequence[Sequence[bytes]] = (), **fields: Any) -> None:
        super().__init__(applications=20, jobs=6)
        self.simulator.switch(v1_requests_per_window=0)
        self._transport = self.wire = Wire(self._transport)
        self.journal = MemoryJournal(contents)
        job = self.simulator.state("published")["published"][0]["id"]
        least = {
            "job": Ref(remote_id=job),
            "first_name": "Ada",
            "last_name": "Beispiel",
            "email_address": EMAIL,
            "files": [FileDraft(name=f"{at}.pdf", type=AttachmentType.CV) for at in range(len(contents))],
        }
        self.wanted = ApplicationDraft(**{**least, **fields})

    async def perform(self) -> None:
        await CREATE.perform(self.context(), self.wanted, self.journal)

    async def find(self) -> Made | None:
        return await CREATE.find(self.context(), self.wanted, self.journal)

    def submissions(self) -> list[dict[str, Any]]:
        return self.simulator.state("submissions")["submissions"]

    def statuses(self) -> list[int]:
        return [entry["status"] for entry in self.submissions()]

    def written(self) -> dict[str, Any]:
        """The one application at the tool."""
        assert self.held(self.wanted) == 1
        return self.simulator.state("applications")["applications"][-1]
