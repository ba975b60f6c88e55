"""HTTP of v1 recruiting: create an application, upload a file (Personio NOTES sections 9, 13 and 14)."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from atsumi.connectors.personio.simulator import problems
from atsumi.connectors.personio.simulator.problems import json_response
from atsumi.connectors.personio.simulator.simulator import Simulator
from atsumi.connectors.personio.simulator.writing import InvalidBody, Rejected, Writing, submission_from


class RoutesV1:
    """The handlers of v1 recruiting, on one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._writing = Writing(simulator)

    def routes(self) -> list[Route]:
        """Return the two routes."""
        return [
            Route("/v1/recruiting/applications", self._create, methods=["POST"]),
            Route("/v1/recruiting/applications/documents", self._upload, methods=["POST"]),
        ]

    async def _create(self, request: Request) -> Response:
        refusal = self._refuse(request, "applications")
        if refusal is not None:
            return refusal
        body = await request.body()
        try:
            self._writing.create(submission_from(body))
        except InvalidBody:
            answer = problems.request_error(400, "Bad Request", "Invalid request body supplied")
        except Rejected as rejected:
            answer = problems.field_errors(400, rejected.errors)
        else:
            answer = Response(status_code=201)
        self._writing.note(body, answer.status_code)
        return answer

    async def _upload(self, request: Request) -> Response:
        refusal = self._refuse(request, "documents")
        if refusal is not None:
            return refusal
        part = file_part(request.headers.get("content-type", ""), await request.body())
        if part is None:
            detail = "Invalid multipart request body and/or headers supplied."
            return problems.request_error(422, "Unprocessable Entity", detail)
        filename, content = part
        if len(content) > self._simulator.switches.upload_limit_bytes:
            return problems.field_errors(413, [("file", "errors.file-too-big")])
        try:
            upload = self._writing.upload(filename, content)
        except Rejected as rejected:
            return problems.field_errors(422, rejected.errors)
        return json_response(
            {
                "uuid": upload.uuid,
                "size": len(upload.content),
                "mimetype": upload.content_type,
                "original_filename": upload.filename,
                # The vendor's enum spells this one so (Personio NOTES section 9.2).
                "extension": "ptt" if upload.extension == "ppt" else upload.extension,
            }
        )

    def _refuse(self, request: Request, endpoint: str) -> Response | None:
        """Return the answer to a request that may not pass: wrong key or company, feature off, too many."""
        switches = self._simulator.switches
        company = self._simulator.company
        kind, _, key = request.headers.get("authorization", "").partition(" ")
        right_key = kind.lower() == "bearer" and key.strip() == company.recruiting_key
        if not right_key or request.headers.get("x-company-id") != str(company.id):
            if switches.v1_unauthorized_body == "empty":
                return Response(status_code=401)
            return problems.request_error(401, "Unauthorized", "The API token or company id was not recognized.")
        if not self._simulator.limits.window(f"v1 {endpoint}", switches):
            return problems.request_error(429, "Too Many Requests", "Rate limit exceeded.")
        if not switches.v1_recruiting_feature:
            return problems.field_errors(403, [("company", "feature.recruiting.disabled")])
        if not switches.v1_public_api_feature:
            return problems.field_errors(403, [("company", "feature.public-api.disabled")])
        return None


_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)
_NAME = re.compile(r'[;\s]name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILENAME = re.compile(r'[;\s]filename="((?:[^"\\]|\\.)*)"', re.IGNORECASE)


def file_part(content_type: str, body: bytes) -> tuple[str, bytes] | None:
    """Return name and content of the part `file` of a multipart body, or None if there is no such part."""
    boundary = _BOUNDARY.search(content_type)
    if not content_type.lower().startswith("multipart/form-data") or boundary is None:
        return None
    delimiter = b"\r\n--" + boundary.group(1).encode()
    for chunk in (b"\r\n" + body).split(delimiter)[1:-1]:
        head, separator, content = chunk.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = head.decode("utf-8", "replace")
        name, filename = _NAME.search(headers), _FILENAME.search(headers)
        if separator and name and filename and name.group(1) == "file":
            return filename.group(1).replace('\\"', '"').replace("%22", '"'), content
    return None
