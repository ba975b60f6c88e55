"""HTTP of v2: recruiting, persons and document management (Personio NOTES sections 5, 6, 11, 12 and 14)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from atsumi.connectors.personio.simulator import problems
from atsumi.connectors.personio.simulator.ordered import Ordered, R
from atsumi.connectors.personio.simulator.problems import json_response
from atsumi.connectors.personio.simulator.query import (
    Bounds,
    Refused,
    bounds_from,
    cursor_for,
    instant_from,
    limit_from,
    person_fits,
    position_from,
    refuse_unknown,
    within,
)
from atsumi.connectors.personio.simulator.records import Application, Candidate, Document
from atsumi.connectors.personio.simulator.simulator import Simulator

Handler = Callable[[Request], Response]


class RoutesV2:
    """The handlers of v2, on one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def routes(self) -> list[Route]:
        """Return the routes; whatever else is asked below /v2 gets the gateway's 404."""
        recruiting, persons, documents = (f"personio:{area}:read" for area in ("recruiting", "persons", "documents"))
        table: list[tuple[str, str, Handler]] = [
            ("/v2/recruiting/applications", recruiting, self._applications),
            ("/v2/recruiting/applications/{id}", recruiting, self._application),
            ("/v2/recruiting/applications/{id}/stage-transitions", recruiting, self._transitions),
            ("/v2/recruiting/candidates", recruiting, self._candidates),
            ("/v2/recruiting/candidates/{id}", recruiting, self._candidate),
            ("/v2/recruiting/jobs", recruiting, self._jobs),
            ("/v2/recruiting/jobs/{id}", recruiting, self._job),
            ("/v2/recruiting/categories", recruiting, self._categories),
            ("/v2/recruiting/categories/{id}", recruiting, self._category),
            ("/v2/persons", persons, self._persons),
            ("/v2/persons/{id}", persons, self._person),
            ("/v2/document-management/documents", documents, self._documents),
            ("/v2/document-management/documents/{id}/download", documents, self._download),
        ]
        return [Route(path, self._guard(path, scope, handler), methods=["GET"]) for path, scope, handler in table]

    # What stands before every handler.

    def _guard(self, endpoint: str, scope: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            switches = self._simulator.switches
            at = self._simulator.clock.now()
            if endpoint.startswith("/v2/recruiting") and (
                not switches.recruiting_enabled
                or (switches.require_beta and request.headers.get("beta", "").lower() != "true")
            ):
                return problems.no_such_endpoint(at, request.url.path)
            kind, _, value = request.headers.get("authorization", "").partition(" ")
            token = self._simulator.tokens.find(value.strip()) if kind.lower() == "bearer" else None
            if token is None:
                return problems.unauthorized(at)
            passed, headers = self._take_token(endpoint)
            if not passed:
                response = problems.too_many_requests(at)
                if switches.v2_retry_after:
                    headers["retry-after"] = "1"
            elif _short(scope) not in {_short(held) for held in token.scopes}:
                missing = switches.missing_scope_status
                response = problems.unauthorized(at) if missing == 401 else problems.forbidden(at, scope)
            else:
                try:
                    if switches.unknown_parameters == "refused":
                        refuse_unknown(request.query_params, endpoint)
                    response = handler(request)
                except Refused as refused:
                    response = problems.bad_request(at, refused.detail)
            response.headers.update(headers)
            return response

        return guarded

    def _take_token(self, endpoint: str) -> tuple[bool, dict[str, str]]:
        switches = self._simulator.switches
        if not switches.v2_rate_limit:
            return True, {}
        is_persons = endpoint.startswith("/v2/persons")
        replenish = switches.persons_replenish_per_second if is_persons else switches.v2_replenish_per_second
        burst = switches.persons_burst if is_persons else switches.v2_burst
        passed, left = self._simulator.limits.bucket(endpoint, replenish, burst)
        if not switches.v2_rate_headers:
            return passed, {}
        return passed, {
            "x-ratelimit-replenish-rate": str(replenish),
            "x-ratelimit-burst-capacity": str(burst),
            "x-ratelimit-requested-tokens": "1",
            "x-ratelimit-remaining": str(left),
        }

    # Recruiting.

    def _applications(self, request: Request) -> Response:
        company = self._simulator.company
        bounds = bounds_from(request.query_params, "applications", self._simulator.switches)
        email = request.query_params.get("candidate.email")
        found = None if email is None else company.applications_by_email(email)
        render = self._simulator.wire(_origin(request)).application
        return self._page(request, "applications", company.applications, found, bounds, render, self._is_shown)

    def _candidates(self, request: Request) -> Response:
        company = self._simulator.company
        bounds = bounds_from(request.query_params, "candidates", self._simulator.switches)
        email = request.query_params.get("email")
        found = None if email is None else company.candidates_by_email(email)
        render = self._simulator.wire(_origin(request)).candidate
        return self._page(request, "candidates", company.candidates, found, bounds, render, self._is_candidate_shown)

    def _jobs(self, request: Request) -> Response:
        bounds = bounds_from(request.query_params, "jobs", self._simulator.switches)
        render = self._simulator.wire(_origin(request)).job
        return self._page(request, "jobs", self._simulator.company.jobs, None, bounds, render)

    def _application(self, request: Request) -> Response:
        wire = self._simulator.wire(_origin(request))
        return self._single(request, self._simulator.company.applications, wire.application, self._is_shown)

    def _candidate(self, request: Request) -> Response:
        wire = self._simulator.wire(_origin(request))
        return self._single(request, self._simulator.company.candidates, wire.candidate, self._is_candidate_shown)

    def _is_shown(self, application: Application) -> bool:
        switches = self._simulator.switches
        return self._simulator.company.is_shown(application, switches.v2_visible_after_seconds)

    def _is_candidate_shown(self, candidate: Candidate) -> bool:
        switches = self._simulator.switches
        return self._simulator.company.is_candidate_shown(candidate, switches.v2_visible_after_seconds)

    def _job(self, request: Request) -> Response:
        return self._single(request, self._simulator.company.jobs, self._simulator.wire(_origin(request)).job)

    def _category(self, request: Request) -> Response:
        return self._single(
            request, self._simulator.company.categories, self._simulator.wire(_origin(request)).category
        )

    def _categories(self, request: Request) -> Response:
        wire = self._simulator.wire(_origin(request))
        return self._short_list(request, [wire.category(item) for item in self._simulator.company.categories])

    def _transitions(self, request: Request) -> Response:
        company = self._simulator.company
        application = company.applications.get(_id(request))
        if application is None or not self._is_shown(application):
            return problems.not_found(self._simulator.clock.now())
        wire = self._simulator.wire(_origin(request))
        newest_first = reversed(company.transitions(application))
        return self._short_list(request, [wire.transition(at, stage) for at, stage in newest_first])

    def _single(
        self,
        request: Request,
        records: Ordered[R],
        render: Callable[[R], dict[str, Any]],
        is_shown: Callable[[R], bool] = lambda _: True,
    ) -> Response:
        record = records.get(_id(request))
        if record is None or not is_shown(record):
            return problems.not_found(self._simulator.clock.now())
        rendered = render(record)
        return json_response({"_data": rendered} if self._simulator.switches.wrap_single_objects else rendered)

    def _short_list(self, request: Request, rendered: list[dict[str, Any]]) -> Response:
        if not self._simulator.switches.wrap_short_lists:
            return json_response(rendered)
        return json_response({"_data": rendered, "_meta": {"links": {"self": {"href": str(request.url)}}}})

    # Paging.

    def _page(
        self,
        request: Request,
        kind: str,
        records: Ordered[R],
        found: list[R] | None,
        bounds: Bounds,
        render: Callable[[R], dict[str, Any]],
        is_shown: Callable[[R], bool] = lambda _: True,
    ) -> Response:
        """Answer a page of `records`, or of `found` (newest first) where a filter has picked records already."""
        if found is None:
            page, has_more = records.page(
                bounds.limit, before=bounds.before, newer_than=bounds.newer_than, older_than=bounds.older_than
            )
        else:
            fitting = [record for record in found if within(record.updated_at, bounds)]
            page, has_more = fitting[: bounds.limit], len(fitting) > bounds.limit
        links = {"self": {"href": str(request.url)}}
        following = self._next(request, kind, page[-1].updated_at if page else None, has_more)
        if following is not None:
            links["next"] = {"href": following}
        return json_response(
            {"_data": [render(record) for record in page if is_shown(record)], "_meta": {"links": links}}
        )

    def _next(self, request: Request, kind: str, position: int | None, has_more: bool) -> str | None:
        switches = self._simulator.switches
        if position is None:
            return None
        if not has_more and switches.next_points_to_itself:
            href = str(request.url)
        elif has_more or switches.next_on_last_page:
            kept = [item for item in request.query_params.multi_items() if item[0] != "cursor"]
            query = [*(kept if switches.next_keeps_query else []), ("cursor", cursor_for(kind, position))]
            href = f"{_origin(request)}{request.url.path}?{urlencode(query)}"
        else:
            return None
        return href.removeprefix(_origin(request)) if switches.next_is_relative else href

    # Persons.

    def _persons(self, request: Request) -> Response:
        query = request.query_params
        limit = limit_from(query.get("limit"), default=10, maximum=50)
        after = position_from(query.get("cursor"), "persons") or 0
        found = [person for person in self._simulator.company.persons if person_fits(person, query.multi_items())]
        rest = [person for person in found if person.id > after]
        page = rest[:limit]
        links = {"self": {"href": str(request.url)}}
        following = self._next(request, "persons", page[-1].id if page else None, len(rest) > limit)
        if following is not None:
            links["next"] = {"href": following}
        wire = self._simulator.wire(_origin(request))
        return json_response({"_data": [wire.person(person) for person in page], "_meta": {"links": links}})

    def _person(self, request: Request) -> Response:
        person = self._simulator.company.persons.get(_id(request))
        if person is None:
            return problems.not_found(self._simulator.clock.now())
        return json_response(self._simulator.wire(_origin(request)).person(person))

    # Documents.

    def _documents(self, request: Request) -> Response:
        query = request.query_params
        owner = query.get("owner_id")
        if not owner:
            raise Refused
        limit = limit_from(query.get("limit"), default=100, maximum=200)
        after = position_from(query.get("cursor"), "documents") or 0
        since = instant_from(query["created_at.gte"]) if "created_at.gte" in query else None
        until = instant_from(query["created_at.lt"]) if "created_at.lt" in query else None
        company = self._simulator.company
        application = company.applications.get(int(owner)) if owner.isdecimal() else None
        if application is not None and not self._is_shown(application):
            application = None
        rest = [
            document
            for document in sorted(company.documents(application) if application else [], key=lambda item: item.id)
            if document.id > after
            and (since is None or document.created_at >= since)
            and (until is None or document.created_at < until)
            and query.get("category_id", document.category) == document.category
        ]
        wire = self._simulator.wire(_origin(request))
        rendered = [
            wire.document(item, size=len(company.content(item)), is_scanned=self._is_scanned(item))
            for item in rest[:limit]
        ]
        links = {"self": {"href": str(request.url)}}
        following = self._next(request, "documents", rest[:limit][-1].id if rendered else None, len(rest) > limit)
        if following is not None:
            links["next"] = {"href": following}
        return json_response({"_data": rendered, "_meta": {"links": links}})

    def _download(self, request: Request) -> Response:
        at = self._simulator.clock.now()
        document = self._simulator.company.document(_id(request))
        if document is None:
            return problems.not_found(at)
        if document.is_quarantined or not self._is_scanned(document):
            return problems.conflict(at, "The virus scan of this document has not passed.")
        plain = document.name.encode("ascii", "replace").decode().replace('"', "'").replace("?", "_")
        disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(document.name)}"
        content = self._simulator.company.content(document)
        return Response(content, media_type=document.content_type, headers={"content-disposition": disposition})

    def _is_scanned(self, document: Document) -> bool:
        age = self._simulator.clock.milliseconds() - document.created_at
        return age >= self._simulator.switches.documents_scan_seconds * 1000


def _origin(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def _short(scope: str) -> str:
    # The vendor's examples show both spellings (Personio NOTES section 11).
    return scope.removeprefix("personio:")


def _id(request: Request) -> int:
    value = str(request.path_params["id"])
    return int(value) if value.isascii() and value.isdecimal() else -1
