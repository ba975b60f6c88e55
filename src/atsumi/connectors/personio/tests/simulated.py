"""The connector against the simulator in this process."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx2

from atsumi.connector.context import Context
from atsumi.connector.contract import Connector
from atsumi.connectors.personio import connector
from atsumi.connectors.personio.simulator import Simulator, create_app
from atsumi.connectors.personio.tests.simulator_kit import START
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
            credentials={"client_secret": given["client_secret"]},
            config={
                "company": given["subdomain"],
                "client_id": given["client_id"],
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
