"""The control API below /_control: what tests and demos do to the company. Not part of the real tool.

Every route is a JSON request to a method of `Simulator`; 404 for an unknown id, 400 for a change that makes no sense.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from atsumi.connectors.personio.simulator.changes import UnknownRecord
from atsumi.connectors.personio.simulator.faults import Fault, Kind
from atsumi.connectors.personio.simulator.problems import json_response
from atsumi.connectors.personio.simulator.simulator import Simulator

Body = dict[str, Any]


class Control:
    """The handlers of the control API, on one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [self._route(method, path, action) for method, path, _, action in self._operations()]

    def _operations(self) -> list[tuple[str, str, str, Callable[[Request, Body], Any]]]:
        """Method, path below /_control, what it does, and the handler of each route."""
        simulator = self._simulator
        edits: list[tuple[str, str, Callable[..., Any]]] = [
            ("POST", "/applications", simulator.create_application),
            ("PATCH", "/applications/{id}", simulator.edit_application),
            ("DELETE", "/applications/{id}", simulator.delete_application),
            ("POST", "/applications/{id}/move", simulator.move_application),
            ("POST", "/applications/{id}/anonymise", simulator.anonymise_application),
            ("POST", "/applications/{id}/documents", simulator.add_document),
            ("POST", "/candidates", simulator.create_candidate),
            ("PATCH", "/candidates/{id}", simulator.edit_candidate),
            ("DELETE", "/candidates/{id}", simulator.delete_candidate),
            ("POST", "/candidates/{id}/anonymise", simulator.anonymise_candidate),
            ("POST", "/jobs", simulator.create_job),
            ("PATCH", "/jobs/{id}", simulator.edit_job),
            ("DELETE", "/jobs/{id}", simulator.delete_job),
            ("POST", "/jobs/{id}/publish", simulator.publish_job),
            ("POST", "/jobs/{id}/unpublish", simulator.unpublish_job),
            ("POST", "/persons", simulator.create_person),
            ("PATCH", "/persons/{id}", simulator.edit_person),
            ("DELETE", "/persons/{id}", simulator.delete_person),
            ("PATCH", "/categories/{id}", simulator.edit_category),
            ("DELETE", "/categories/{id}", simulator.delete_category),
            ("PATCH", "/stages/{id}", simulator.rename_stage),
            ("DELETE", "/documents/{id}", simulator.delete_document),
            ("POST", "/documents/{id}/quarantine", simulator.quarantine_document),
        ]
        others: list[tuple[str, str, str, Callable[[Request, Body], Any]]] = [
            ("GET", "", "This list, with the switches and the kinds of faults.", lambda _, __: self._index()),
            ("GET", "/", "The same.", lambda _, __: self._index()),
            (
                "POST",
                "/reset",
                "Return to the beginning: the company as generated, first switches and clock, no faults, empty log.",
                lambda _, __: simulator.reset(),
            ),
            (
                "POST",
                "/seed",
                "Generate another company, by `seed`, `applications`, `jobs`, `persons`, `published_share`.",
                self._seed,
            ),
            (
                "GET",
                "/state",
                "The full truth, of all kinds of records or of `?kind=`.",
                lambda request, _: simulator.state(request.query_params.get("kind")),
            ),
            ("GET", "/counts", "How many records of each kind there are.", lambda _, __: simulator.counts()),
            (
                "GET",
                "/log",
                "The requests received, all or those below `?path=`, and how many by method and path.",
                self._log,
            ),
            ("DELETE", "/log", "Forget the requests received.", lambda _, __: simulator.log.clear()),
            ("GET", "/clock", "What time it is for the company.", lambda _, __: self._clock()),
            (
                "POST",
                "/clock",
                "Change the time: `set` an instant, `advance_seconds`, or `follow` the real time.",
                self._set_clock,
            ),
            ("GET", "/switches", "All switches with their present values.", lambda _, __: simulator.switches.as_dict()),
            ("PATCH", "/switches", "Change switches by name.", self._switch),
            (
                "GET",
                "/faults",
                "The faults in force, with how often each happened.",
                lambda _, __: [asdict(fault) for fault in simulator.faults],
            ),
            (
                "POST",
                "/faults",
                "Put a fault in force: `kind`, and any of the fields of a fault.",
                lambda _, body: asdict(simulator.inject(**body)),
            ),
            ("DELETE", "/faults", "End all faults.", lambda _, __: simulator.clear_faults()),
            (
                "GET",
                "/credentials",
                "What a customer would type into the connect form.",
                lambda _, __: simulator.credentials(),
            ),
            ("POST", "/credentials", "Create one more client credential with these `scopes`.", self._add_credential),
            (
                "PATCH",
                "/credentials",
                "Change the `scopes` of the company's own credential; its tokens end.",
                lambda _, body: simulator.set_scopes(list(body["scopes"])),
            ),
            (
                "POST",
                "/credentials/rotate",
                "Give the company's own credential a new secret and return it; its tokens end.",
                lambda _, __: {"client_secret": simulator.rotate_secret()},
            ),
            (
                "POST",
                "/tokens/revoke",
                "End all access tokens, as if they had expired.",
                lambda _, __: simulator.revoke_tokens(),
            ),
        ]
        return [
            *((method, path, _summary(action), _edit(action)) for method, path, action in edits),
            *others,
        ]

    def _index(self) -> dict[str, Any]:
        return {
            "routes": [
                {"method": method, "path": f"/_control{path}", "does": does}
                for method, path, does, _ in self._operations()
            ],
            "switches": self._simulator.switches.as_dict(),
            "fault_kinds": list(get_args(Kind)),
            "fault_fields": [field.name for field in fields(Fault) if field.name not in ("kind", "hits")],
        }

    def _route(self, method: str, path: str, action: Callable[[Request, Body], Any]) -> Route:
        async def handle(request: Request) -> Response:
            raw = await request.body()
            try:
                body = msgspec.json.decode(raw, type=dict[str, Any]) if raw else {}
                result = action(request, body)
            except UnknownRecord as error:
                return json_response({"error": str(error)}, 404)
            except (ValueError, TypeError, KeyError) as error:
                return json_response({"error": f"{type(error).__name__}: {error}"}, 400)
            return json_response({"ok": True} if result is None else result)

        return Route(f"/_control{path}", handle, methods=[method])

    def _seed(self, _: Request, body: Body) -> dict[str, int]:
        if "anchor" in body:
            body["anchor"] = _instant(body["anchor"])
        self._simulator.reseed(**body)
        return self._simulator.counts()

    def _switch(self, _: Request, body: Body) -> dict[str, Any]:
        self._simulator.switch(**body)
        return self._simulator.switches.as_dict()

    def _clock(self) -> dict[str, Any]:
        clock = self._simulator.clock
        return {"now": clock.now().isoformat(), "is_fixed": clock.is_fixed}

    def _set_clock(self, _: Request, body: Body) -> dict[str, Any]:
        clock = self._simulator.clock
        match body:
            case {"set": str(instant), **rest} if not rest:
                clock.set(_instant(instant))
            case {"advance_seconds": float() | int() as seconds, **rest} if not rest:
                clock.advance(seconds)
            case {"follow": True, **rest} if not rest:
                clock.follow()
            case _:
                raise ValueError("give one of set, advance_seconds or follow")
        return self._clock()

    def _log(self, request: Request, _: Body) -> dict[str, Any]:
        prefix = request.query_params.get("path", "/")
        log = self._simulator.log
        return {
            "counts": {key: value for key, value in log.counts.items() if key.partition(" ")[2].startswith(prefix)},
            "requests": [entry for entry in log.as_list() if entry["path"].startswith(prefix)],
        }

    def _add_credential(self, _: Request, body: Body) -> dict[str, Any]:
        made = self._simulator.add_credential(list(body["scopes"]))
        return {"client_id": made.client_id, "client_secret": made.client_secret, "scopes": list(made.scopes)}


def _summary(action: Callable[..., Any]) -> str:
    """Return the first line of a method's docstring."""
    return (action.__doc__ or "").partition("\n")[0]


def _edit(action: Callable[..., Any]) -> Callable[[Request, Body], Any]:
    """Return a handler that calls the action with the id of the path first and the body's fields by name."""

    def call(request: Request, body: Body) -> Any:
        made = action(*request.path_params.values(), **body)
        return None if made is None else {"id": str(made)}

    return call


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant
