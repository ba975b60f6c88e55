"""Setting an integration's scope, and values that are found wherever they are kept."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from atsumi.connectors.personio.simulator import Simulator
from atsumi.connectors.personio.simulator.records import Named
from atsumi.server import scopes
from atsumi.server.remapping import execute_run
from atsumi.store import runs
from atsumi.store.runs import Run
from harness import Account

_TOLD = {
    ("candidate.first_name",): "Zzfirst",
    ("candidate.last_name",): "Zzlast",
    ("candidate.email_addresses",): "zzmail",
    ("candidate.phone_numbers",): "555",
    ("candidate.social_media",): "zzprofile",
    ("candidate.location",): "Zzplace",
    ("candidate.custom_fields",): "Zzfrom",
    ("candidate.source", "application.source"): "Zzchannel",
    ("job.name", "job_posting.title"): "Zzopening",
    ("job.description", "job_posting.description_html"): "Zztext",
    ("job.experience_level",): "Zzlevel",
    ("job.department", "job.department_remote_id", "department.name"): "Zzdepartment",
    ("job.salary_amount_from",): "77",
    ("job.salary_amount_to",): "88",
    ("job.employment_type", "job.employment_type_raw"): "Zzschedule",
    ("job.custom_fields",): "Zzcompany",
    ("user.first_name",): "Zzcolleague",
    ("user.last_name",): "Zzfamily",
    ("user.email",): "zzwork",
}


class Canaries:
    """Values that no other account has, by the fields that tell them.

    Each may be kept as long as any of its fields is in scope.
    """

    def __init__(self) -> None:
        number = secrets.randbelow(900_000) + 100_000
        self.by_fields = {fields: f"{start}{number}" for fields, start in _TOLD.items()}
        # A date that is found as text.
        self.day = f"{1000 + number % 900}-06-05"
        self.by_fields["application.applied_at", "application.remote_created_at"] = self.day
        self._named = dict(zip(_TOLD.values(), self.by_fields.values(), strict=False))

    @property
    def values(self) -> set[str]:
        return set(self.by_fields.values())

    @property
    def fields(self) -> list[str]:
        return [name for fields in self.by_fields for name in fields]

    def plant(self, simulator: Simulator) -> None:
        """Give one candidate, application, job and person all of the values."""
        named = self._named
        application = simulator.state("applications")["applications"][0]
        simulator.publish_job(application["job_id"])
        simulator.company.channels[7] = Named(7, named["Zzchannel"])
        simulator.edit_application(application["id"], channel_id=7, application_date=self.day)
        simulator.edit_candidate(
            application["candidate_id"],
            first_name=named["Zzfirst"],
            last_name=named["Zzlast"],
            email=f"{named['zzmail']}@people.example",
            phone=f"+49 {named['555']}",
            linkedin_profile=f"https://network.example/{named['zzprofile']}",
            location=named["Zzplace"],
            available_from=named["Zzfrom"],
        )
        person = simulator.create_person(named["Zzcolleague"], named["Zzfamily"], f"{named['zzwork']}@customer.example")
        text = [(named["Zztext"], f"<p>{named['Zztext']}</p>")]
        simulator.edit_job(
            application["job_id"],
            name=named["Zzopening"],
            descriptions={"de": text, "en": text},
            seniority=named["Zzlevel"],
            department=named["Zzdepartment"],
            schedule=named["Zzschedule"],
            subcompany=named["Zzcompany"],
            salary={"minimum": named["77"], "maximum": named["88"]},
            hiring_team=[{"person_id": person, "role": "Recruiter"}],
        )


async def set_scope(account: Account, settings: Mapping[str, str]) -> scopes.Effect:
    """Make these the settings of the account's environment, which has no other account."""
    environment = account.environment.id
    effect = await scopes.save(account.runtime, environment, "test", dict(settings), is_whole=True)
    config = await scopes.config_named(account.runtime, environment, "test")
    if not config.is_default:
        effect = await scopes.make_default(account.runtime, environment, config)
    return effect


async def disable(account: Account, *names: str) -> scopes.Effect:
    """Switch these off and everything else on."""
    return await set_scope(account, dict.fromkeys(names, "DISABLED"))


async def remap(account: Account, **options: Any) -> Run:
    """One whole remap, executed here and now."""
    claim = await account.claim("remap")
    await execute_run(account.runtime, claim, await account.fresh(), **options)
    run = await runs.find_run(account.pool, claim.run.id)
    assert run is not None
    return run
