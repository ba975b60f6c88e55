"""A stateful stand-in for Personio's recruiting surfaces, written from the tool's documentation.

`Simulator` is one account: a generated company, its clock, switches, faults and request log. `create_app` serves it
in process, `run_server` and `serve` as a real server. Everything lies on one origin:

- `/v2/auth/…`, `/v2/recruiting/…`, `/v2/persons`, `/v2/document-management/…`: reading
- `/v1/recruiting/applications` and `…/documents`: writing
- `/career/{company}/xml`, `/career/{company}/job/{id}`, `/career/{company}/job/{id}/apply`: the career site, also at
  the root for a Host header `{company}.jobs.…`
- `/_control/…`: looking at the company, changing it and making it fail; see `control`

Where the truth about the real tool is open, a switch (`switches.Switches`) chooses.

Not reproduced: v1 personnel (`/v1/auth`, employees), the deprecated `/recruiting/applicant`, webhooks, employments
of persons, changing or deleting documents through the API, the HR job catalogue, rate limits per IP address,
submitting the public form, custom attributes of persons, the tool's own screens, and more than one account.
"""

from __future__ import annotations

from atsumi.connectors.personio.simulator.app import create_app
from atsumi.connectors.personio.simulator.changes import InvalidChange, UnknownRecord
from atsumi.connectors.personio.simulator.faults import Fault
from atsumi.connectors.personio.simulator.server import run_server, serve
from atsumi.connectors.personio.simulator.simulator import Simulator
from atsumi.connectors.personio.simulator.switches import Switches

__all__ = ["Fault", "InvalidChange", "Simulator", "Switches", "UnknownRecord", "create_app", "run_server", "serve"]
