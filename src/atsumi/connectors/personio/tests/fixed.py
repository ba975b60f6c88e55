"""The connector against a table of fixed answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from atsumi.connector.context import Context
from atsumi.connectors.personio.facts import MANIFEST
from atsumi.testing.doubles import make_context

FIXTURES = Path(__file__).parents[1] / "fixtures"
CONFIG = {"company": "acme", "client_id": "papi-client", "languages": "de,en"}
SECRET = "papi-fixture-client-secret"

Answer = httpx2.Response | Callable[[httpx2.Request], httpx2.Response]


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text())


class FixedAccount:
    """Answers by path; a list is used up one by one, its last answer for ever. Unknown paths fail the test."""

    def __init__(self, answers: dict[str, Answer | list[Answer]], **config: str) -> None:
        self.answers: dict[str, list[Answer]] = {
            "/v2/auth/token": [httpx2.Response(200, json=fixture("get_token"))],
            **{path: list(found) if isinstance(found, list) else [found] for path, found in answers.items()},
        }
        self.requests: list[httpx2.Request] = []
        self.context: Context = make_context(
            MANIFEST,
            httpx2.MockTransport(self._answer),
            credentials={"client_secret": SECRET},
            config={**CONFIG, **config},
        )

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        found = self.answers[request.url.path]
        answer = found.pop(0) if len(found) > 1 else found[0]
        return answer if isinstance(answer, httpx2.Response) else answer(request)

    def asked(self, path: str) -> list[httpx2.Request]:
        return [request for request in self.requests if request.url.path == path]


def ok(name: str) -> httpx2.Response:
    return httpx2.Response(200, json=fixture(name))


def problem(status: int, name: str) -> httpx2.Response:
    return httpx2.Response(status, json=fixture(name), headers={"Content-Type": "application/problem+json"})
