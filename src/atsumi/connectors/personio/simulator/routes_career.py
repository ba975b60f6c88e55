"""HTTP of the career site: feed, job pages, application forms (Personio NOTES sections 10 and 22a).

Below `/career/{company}` or, for a Host header of the form `{company}.jobs.…`, at the root as on the real site.
"""

from __future__ import annotations

from email.utils import format_datetime

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from atsumi.connectors.personio.simulator import form
from atsumi.connectors.personio.simulator.feed import feed, language_for
from atsumi.connectors.personio.simulator.records import Job
from atsumi.connectors.personio.simulator.simulator import Simulator


class RoutesCareer:
    """The handlers of the career site, on one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._kept: tuple[object, ...] = ()
        self._bodies: dict[str, bytes] = {}

    def routes(self) -> list[Route]:
        """Return the routes, each below /career/{company} and at the root."""
        table = [("/xml", self._xml), ("/job/{id}", self._job), ("/job/{id}/apply", self._apply), ("/", self._home)]
        return [
            Route(prefix + path, handler, methods=["GET"])
            for prefix in ("/career/{company}", "")
            for path, handler in table
        ]

    async def _xml(self, request: Request) -> Response:
        if not self._is_known(request):
            return _missing()
        switches, company = self._simulator.switches, self._simulator.company
        match switches.feed:
            case "off":
                return HTMLResponse(form.home_page(company))
            case "redirect":
                return RedirectResponse(f"{request.url.scheme}://{request.url.netloc}/career/{company.subdomain}/", 302)
            case "rate_limited":
                return HTMLResponse("<h1>Too many requests</h1>", 429)
            case "unavailable":
                return HTMLResponse("<h1>Service unavailable</h1>", 503)
        body = self._feed(language_for(switches, request.query_params.get("language")))
        if switches.feed == "malformed":
            body = body.replace(b"</workzag-jobs>", b"<position><name>Broken & open")
        headers = {"last-modified": format_datetime(company.feed_changed(), usegmt=True)}
        return Response(body, media_type="text/xml", headers=headers)

    def _feed(self, language: str) -> bytes:
        """Return the feed, made anew only after a change of the jobs, of a category or of a switch."""
        company, switches = self._simulator.company, self._simulator.switches
        version = (company, switches, company.feed_changed_at, company.revision)
        if version != self._kept:
            self._kept = version
            self._bodies.clear()
        if language not in self._bodies:
            self._bodies[language] = feed(company, switches, language)
        return self._bodies[language]

    async def _job(self, request: Request) -> Response:
        job = self._published(request)
        return _missing() if job is None else HTMLResponse(form.job_page(job, self._language(request)))

    async def _apply(self, request: Request) -> Response:
        job = self._published(request)
        if job is None or self._simulator.switches.form == "off":
            return _missing()
        page = form.application_form(self._simulator.company, self._simulator.switches, job, self._language(request))
        return HTMLResponse(page)

    async def _home(self, request: Request) -> Response:
        return HTMLResponse(form.home_page(self._simulator.company)) if self._is_known(request) else _missing()

    def _published(self, request: Request) -> Job | None:
        value = str(request.path_params["id"])
        job = self._simulator.company.jobs.get(int(value)) if value.isdecimal() else None
        return job if job is not None and job.is_published and self._is_known(request) else None

    def _language(self, request: Request) -> str:
        query = request.query_params
        return language_for(self._simulator.switches, query.get("language") or query.get("display"))

    def _is_known(self, request: Request) -> bool:
        """Return whether the request names our company, by path or by host."""
        named = request.path_params.get("company")
        if named is None:
            named, _, rest = request.headers.get("host", "").partition(".")
            if not rest.startswith("jobs."):
                return False
        return named == self._simulator.company.subdomain


def _missing() -> Response:
    return HTMLResponse(form.missing_page(), 404)
