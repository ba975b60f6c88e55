"""The connector against the simulator in this process."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import httpx2

from atsumi.connector.context import Context
from atsumi.connector.contract import Connector
from atsumi.connectors.personio import connector
from atsumi.connectors.personio.simulator import Simulator, create_app
from atsumi.connectors.personio.tests.simulator_kit import START
from atsumi.model.actions import Action
from atsumi.model.draft import (
    Answer,
    ApplicationDraft,
    Draft,
    FileDraft,
    Gender,
    Ref,
    SalaryExpectation,
    SourceDraft,
)
from atsumi.model.enums import AttachmentType, QuestionType, SalaryPeriod
from atsumi.model.parts import Location
from atsumi.testing.doubles import make_context

ORIGIN = "http://personio.test"


class SimulatedAccount:
    """A small company behind the simulator, whose clock stands still; follows the conformance harness."""

    def __init__(self, **seed: Any) -> None:
        given = {"applications": 450, "jobs": 12, "published_share": 0.5, "start": START} | seed
        self.simulator = Simulator(**given)
        self.simulator.switch(v2_rate_limit=False)
        self.config_changes: dict[str, str] = {}
        self._given = self.simulator.credentials()
        self._transport = httpx2.ASGITransport(app=create_app(self.simulator))

    @property
    def connector(self) -> Connector:
        return connector

    def context(self) -> Context:
        given = self._given
        return make_context(
            connector.manifest,
            self._transport,
            credentials={"client_secret": given["client_secret"], "recruiting_key": given["recruiting_key"]},
            config={
                "company": given["subdomain"],
                "client_id": given["client_id"],
                "company_id": given["company_id"],
                "languages": "de,en",
                "api_base_url": ORIGIN,
                "career_base_url": f"{ORIGIN}/career/{{company}}",
                **self.config_changes,
            },
            now=self.now,
        )

    def now(self) -> datetime:
        return self.simulator.clock.now()

    def break_credentials(self) -> None:
        self.simulator.rotate_secret()

    def end_tokens(self) -> None:
        self.simulator.revoke_tokens()

    def take_right(self, scope: str) -> None:
        self.simulator.switch(feed="off" if scope == "XML feed" else "on")
        scopes = self.simulator.credentials()["scopes"]
        everything = {"personio:recruiting:read", "personio:persons:read", "personio:documents:read"}
        self.simulator.set_scopes(sorted((everything | set(scopes)) - {scope}))

    def edit(self) -> tuple[str, str]:
        self.simulator.clock.advance(3600)
        found = next(iter(self.simulator.company.candidates)).id
        self.simulator.edit_candidate(found, phone="+49 30 5550100")
        return "candidates", str(found)

    def draft(self, action: Action, number: int) -> tuple[ApplicationDraft, Sequence[Sequence[bytes]]]:
        """An application of another person for each number, for the first published job."""
        self.simulator.switch(v1_requests_per_window=0)
        state = self.simulator.state()
        job = next(item for item in state["jobs"] if item["is_published"] and item["category_id"])
        category = next(item for item in state["categories"] if item["id"] == job["category_id"])
        question = next(item["id"] for item in state["attributes"] if item["kind"] == "text")
        draft = ApplicationDraft(
            job=Ref(remote_id=job["id"]),
            first_name="Ada",
            last_name=f"Beispiel {number}",
            email_address=f"ada.{number}@example.com",
            phone_number="+49 30 5550100",
            location=Location(
                raw="Berlin",
                city="Berlin",
                country="DE",
                state="BE",
                street_1="Weg 1",
                street_2="Hof",
                zip_code="10115",
            ),
            gender=Gender.OTHER,
            birthday=date(1990, 2, 28),
            available_from=date(2026, 12, 1),
            salary_expectation=SalaryExpectation(amount=5000.0, period=SalaryPeriod.MONTH),
            tags=["Empfehlung"],
            message="Guten Tag",
            applied_on=date(2026, 11, 1),
            stage=Ref(remote_id=next(one for one in category["stages"] if one.isdecimal())),
            source=SourceDraft(id=state["postings"][0]["channel_id"]),
            answers=[Answer(question=Ref(remote_id=question), value="Ja", type=QuestionType.TEXT)],
            files=[FileDraft(name="Lebenslauf.pdf", type=AttachmentType.CV, content_type="application/pdf")],
            remote_fields={"external_posting_id": state["postings"][0]["id"]},
        )
        return draft, [[b"%PDF-1.4 ", b"content"]]

    def held(self, draft: Draft) -> int:
        assert isinstance(draft, ApplicationDraft)
        found = self.simulator.company.applications_by_email(draft.email_address)
        return sum(str(item.job_id) == draft.job.remote for item in found)
