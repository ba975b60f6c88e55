"""The check that a connect flow makes before it saves anything."""

from __future__ import annotations

import httpx2
import pytest

from atsumi.connectors.personio.check import check
from atsumi.connectors.personio.facts import MANIFEST, Settings
from atsumi.connectors.personio.tests.fixed import Answer, FixedAccount, ok, problem
from atsumi.connectors.personio.tests.simulated import SimulatedAccount
from atsumi.errors import AuthenticationFailed, InvalidInput, PermissionMissing, RemoteUnavailable

FEED = httpx2.Response(200, content=b"<workzag-jobs/>", headers={"Content-Type": "text/xml"})


def account(changes: dict[str, Answer] | None = None, **config: str) -> FixedAccount:
    answers: dict[str, Answer | list[Answer]] = {
        "/v2/recruiting/categories": ok("list_categories"),
        "/v2/recruiting/jobs": ok("list_jobs"),
        "/v2/persons": ok("list_persons"),
        "/xml": FEED,
    }
    return FixedAccount({**answers, **(changes or {})}, **config)


async def test_the_account_is_the_company_that_categories_show() -> None:
    found = await check(account().context)
    assert (found.id, found.name, list(found.lacks)) == ("7007", "acme", [])


NO_COMPANY = httpx2.Response(200, json={"_data": []})


async def test_without_categories_a_job_shows_the_company() -> None:
    assert (await check(account({"/v2/recruiting/categories": NO_COMPANY}).context)).id == "7007"


@pytest.mark.parametrize(("config", "expected"), [({"company_id": "5"}, "5"), ({}, "acme")])
async def test_an_empty_account_is_known_by_what_was_typed_in(config: dict[str, str], expected: str) -> None:
    empty: dict[str, Answer] = {"/v2/recruiting/categories": NO_COMPANY, "/v2/recruiting/jobs": NO_COMPANY}
    assert (await check(account(empty, **config).context)).id == expected


async def test_a_wrong_company_id_is_told_at_its_field() -> None:
    with pytest.raises(InvalidInput) as caught:
        await check(account(company_id="7008").context)
    assert caught.value.path == "company_id"


async def test_a_wrong_career_page_name_is_told_at_its_field() -> None:
    with pytest.raises(InvalidInput) as caught:
        await check(account({"/xml": httpx2.Response(404, html="<h1>404</h1>")}).context)
    assert caught.value.path == "company"


async def test_rights_that_can_be_done_without_are_listed_and_the_others_raised() -> None:
    changes: dict[str, Answer] = {
        "/v2/persons": httpx2.Response(403),
        "/xml": httpx2.Response(200, html="<h1>Jobs</h1>"),
    }
    found = await check(account(changes).context)
    assert [error.scope for error in found.lacks] == ["personio:persons:read", "XML feed"]
    with pytest.raises(PermissionMissing):
        await check(account({"/v2/recruiting/categories": httpx2.Response(403)}).context)


async def test_wrong_credentials_and_an_absent_tool_are_told_apart() -> None:
    with pytest.raises(AuthenticationFailed):
        await check(account({"/v2/auth/token": problem(400, "error_token")}).context)
    with pytest.raises(RemoteUnavailable):
        await check(account({"/v2/auth/token": httpx2.Response(502)}).context)


async def test_the_simulated_account_is_found() -> None:
    simulated = SimulatedAccount(applications=20)
    found = await check(simulated.context())
    assert found.id == simulated.simulator.credentials()["company_id"]


def test_settings_have_defaults_and_survive_nonsense() -> None:
    settings = Settings.read({"company": " Acme ", "languages": "klingon,,", "naive_timestamps": "perhaps"})
    assert settings == Settings(
        company="acme",
        company_id=None,
        languages=MANIFEST.languages,
        api_base_url="https://api.personio.de",
        career_base_url="https://acme.jobs.personio.de",
        naive_timestamps="local",
    )


@pytest.mark.parametrize("name", ["evil.test/#", "evil.test?", "u:p@evil.test", "evil.test\\", "EVIL.test"])
def test_a_career_page_name_cannot_lead_to_another_host(name: str) -> None:
    host = httpx2.URL(Settings.read({"company": name}).career_base_url).host
    assert host.endswith(".jobs.personio.de")
    assert host.count(".") == 3


def test_the_default_languages_are_written_once() -> None:
    assert MANIFEST.field("languages").default == ",".join(MANIFEST.languages)
    assert MANIFEST.field("api_base_url").default == MANIFEST.base_urls["api"]
    assert MANIFEST.field("career_base_url").default == MANIFEST.base_urls["career"]
