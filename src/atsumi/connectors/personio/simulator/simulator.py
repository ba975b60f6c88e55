"""The simulator as an object: one company, its clock, its switches, its faults and the log of requests."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from atsumi.connectors.personio.simulator.clock import Clock
from atsumi.connectors.personio.simulator.dump import KINDS, dump
from atsumi.connectors.personio.simulator.edits import Edits
from atsumi.connectors.personio.simulator.faults import Fault, Faults, Log, fault_from
from atsumi.connectors.personio.simulator.limits import Limits
from atsumi.connectors.personio.simulator.records import SCOPES, Credential
from atsumi.connectors.personio.simulator.render import Wire
from atsumi.connectors.personio.simulator.seed import ANCHOR, Generated, secret
from atsumi.connectors.personio.simulator.state import Company
from atsumi.connectors.personio.simulator.switches import Switches
from atsumi.connectors.personio.simulator.tokens import Tokens


class Simulator(Edits):
    """A Personio account that can be looked at, changed and made to fail.

    The company is generated from `seed` and `applications` (and `jobs`, `persons`, if given) and is the same every
    time. With `start` the clock stands still there until it is advanced; rate limits follow the clock too, so a test
    with a standing clock that sends more than a bucket holds switches `v2_rate_limit` off or advances the clock.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        applications: int = 200,
        jobs: int | None = None,
        persons: int | None = None,
        published_share: float = 0.4,
        start: datetime | None = None,
        anchor: datetime = ANCHOR,
        switches: Switches | None = None,
    ) -> None:
        self.clock = Clock(start)
        self._start = start
        self._first_switches = switches or Switches()
        self.switches = self._first_switches
        self.faults = Faults()
        self.log = Log()
        self.limits = Limits(self.clock)
        self._wires: dict[str, Wire] = {}
        self._recipe: dict[str, Any] = {}
        self.reseed(
            seed=seed,
            applications=applications,
            jobs=jobs,
            persons=persons,
            published_share=published_share,
            anchor=anchor,
        )

    def reseed(
        self,
        *,
        seed: int = 1,
        applications: int = 200,
        jobs: int | None = None,
        persons: int | None = None,
        published_share: float = 0.4,
        anchor: datetime = ANCHOR,
    ) -> None:
        """Replace the company by a newly generated one; tokens end, switches, faults, clock and log stay."""
        self._recipe = {
            "seed": seed,
            "applications": applications,
            "jobs": jobs,
            "persons": persons,
            "published_share": published_share,
            "anchor": anchor,
        }
        generated = Generated(
            seed, applications, jobs=jobs, persons=persons, published_share=published_share, anchor=anchor
        )
        self.company = Company(generated, self.clock)
        self.tokens = Tokens(self.clock, seed)
        self._own = generated.credential(SCOPES)
        self.tokens.credentials[self._own.client_id] = self._own
        self._wires.clear()

    def reset(self) -> None:
        """Return to the beginning: the company as generated, first switches and clock, no faults, empty log."""
        if self._start is None:
            self.clock.follow()
        else:
            self.clock.set(self._start)
        self.faults.clear()
        self.log.clear()
        self.limits.clear()
        self.switches = self._first_switches
        self.reseed(**self._recipe)

    # Credentials.

    def credentials(self) -> dict[str, Any]:
        """Return what a customer would type into the connect form, fixed for the seed."""
        return {
            "client_id": self._own.client_id,
            "client_secret": self._own.client_secret,
            "scopes": list(self._own.scopes),
            "recruiting_key": self.company.recruiting_key,
            "company_id": str(self.company.id),
            "subdomain": self.company.subdomain,
            "company_name": self.company.name,
        }

    def set_scopes(self, scopes: list[str]) -> None:
        """Change what the company's own credential may read; its tokens end."""
        self._own = Credential(self._own.client_id, self._own.client_secret, tuple(scopes))
        self.tokens.credentials[self._own.client_id] = self._own
        self.tokens.revoke_all()

    def add_credential(self, scopes: list[str]) -> Credential:
        """Create one more client credential with these scopes."""
        number = len(self.tokens.credentials)
        made = Credential(
            f"papi-extra-{number}", f"papi-{secret(self.company.seed, f'extra {number}', 64)}", tuple(scopes)
        )
        self.tokens.credentials[made.client_id] = made
        return made

    def rotate_secret(self) -> str:
        """Give the company's own credential a new secret, end its tokens, and return the secret."""
        new = "papi-" + secret(self.company.seed, self._own.client_secret, 64)
        self._own = Credential(self._own.client_id, new, self._own.scopes)
        self.tokens.credentials[self._own.client_id] = self._own
        self.tokens.revoke_all()
        return new

    def revoke_tokens(self) -> None:
        """End all access tokens, as if they had expired."""
        self.tokens.revoke_all()

    # Switches and faults.

    def switch(self, **changes: Any) -> None:
        """Change switches by name. Raises ValueError for an unknown or ill-typed one."""
        self.switches = self.switches.with_changes(changes)
        self._wires.clear()

    def inject(self, kind: str, **fields: Any) -> Fault:
        """Put a fault in force; fields are those of `faults.Fault`. Raises ValueError."""
        return self.faults.add(fault_from({"kind": kind, **fields}))

    def clear_faults(self) -> None:
        """End all faults."""
        self.faults.clear()

    # Looking in.

    def state(self, kind: str | None = None) -> dict[str, list[dict[str, Any]]]:
        """Return the full truth, of one kind or of all (`dump.KINDS`); shapes are described in `dump`."""
        if kind is not None and kind not in KINDS:
            raise ValueError(f"unknown kind {kind!r}; known are {', '.join(KINDS)}")
        return {name: dump(self.company, name) for name in KINDS if kind in (None, name)}

    def counts(self) -> dict[str, int]:
        """Return how many records of each kind there are."""
        company = self.company
        return {
            "applications": len(company.applications),
            "candidates": len(company.candidates),
            "jobs": len(company.jobs),
            "published_jobs": len(company.published_jobs()),
            "categories": len(company.categories),
            "persons": len(company.persons),
            "submissions": len(company.received),
            "uploads": len(company.uploads),
        }

    def wire(self, origin: str) -> Wire:
        """Return the renderer for answers to this origin."""
        if origin not in self._wires:
            self._wires[origin] = Wire(self.company, self.switches, origin)
        return self._wires[origin]
