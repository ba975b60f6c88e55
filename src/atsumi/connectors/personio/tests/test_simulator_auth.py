"""Tokens, scopes and what an unwelcome request is told."""

from __future__ import annotations

import pytest

from atsumi.connectors.personio.tests.simulator_kit import Probe, simulated


@pytest.fixture
def probe() -> Probe:
    return Probe(simulated())


async def test_the_same_token_comes_back_with_its_remaining_life(probe: Probe) -> None:
    first = (await probe.token()).json()
    probe.simulator.clock.advance(3600)
    second = (await probe.token()).json()
    assert first["access_token"] == second["access_token"]
    assert first["access_token"].startswith("papi-")
    assert (first["expires_in"], second["expires_in"]) == (86400, 82800)
    assert set(first["scope"].split()) == set(probe.simulator.credentials()["scopes"])


async def test_a_new_token_comes_after_a_day_and_the_old_one_is_refused(probe: Probe) -> None:
    first = (await probe.token()).json()["access_token"]
    probe.simulator.clock.advance(86400)
    assert (await probe.token()).json()["access_token"] != first
    answer = await probe.http.get("/v2/recruiting/jobs", headers={"Authorization": f"Bearer {first}"})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": ""}, "invalid_request"),
        ({"client_id": ""}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"scope": "personio:payroll:read"}, "invalid_scope"),
    ],
)
async def test_every_token_fault_is_a_flat_400(probe: Probe, changes: dict[str, str], error: str) -> None:
    answer = await probe.token(**changes)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["error"] == error
    assert "errors" not in answer.json()


async def test_a_token_request_in_json_is_refused(probe: Probe) -> None:
    answer = await probe.http.post("/v2/auth/token", json={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "application/x-www-form-urlencoded" in answer.json()["error_description"]


async def test_a_token_for_fewer_scopes_opens_only_those(probe: Probe) -> None:
    token = (await probe.token(scope="persons:read")).json()
    assert token["scope"] == "personio:persons:read"
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert (await probe.http.get("/v2/persons", headers=headers)).status_code == 200
    assert (await probe.http.get("/v2/recruiting/jobs", headers=headers)).status_code == 403


@pytest.mark.parametrize("status", [401, 403])
async def test_a_missing_scope_answers_what_the_switch_says(probe: Probe, status: int) -> None:
    probe.simulator.set_scopes(["personio:persons:read"])
    probe.simulator.switch(missing_scope_status=status)
    assert (await probe.get("/v2/recruiting/candidates")).status_code == status


async def test_revoking_a_token_ends_it_for_everybody(probe: Probe) -> None:
    token = (await probe.token()).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert (await probe.http.post("/v2/auth/revoke", data={"token": token})).status_code == 401
    answer = await probe.http.post("/v2/auth/revoke", data={"token": token}, headers=headers)
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await probe.http.get("/v2/recruiting/jobs", headers=headers)).status_code == 401


async def test_revoking_without_a_bearer_works_when_switched_so(probe: Probe) -> None:
    probe.simulator.switch(revoke_needs_bearer=False)
    token = (await probe.token()).json()["access_token"]
    assert (await probe.http.post("/v2/auth/revoke", data={"token": token})).status_code == 200
    assert (await probe.http.post("/v2/auth/revoke", data={})).status_code == 400


async def test_more_than_150_tokens_a_minute_slow_down_to_one_a_second(probe: Probe) -> None:
    statuses = [(await probe.token()).status_code for _ in range(151)]
    assert statuses == [200] * 150 + [429]
    probe.simulator.clock.advance(1)
    assert [(await probe.token()).status_code for _ in range(2)] == [200, 429]
    probe.simulator.clock.advance(60)
    assert (await probe.token()).status_code == 200


async def test_the_limit_of_token_requests_is_a_switch(probe: Probe) -> None:
    probe.simulator.switch(token_requests_per_minute=1)
    assert [(await probe.token()).status_code for _ in range(2)] == [200, 429]
    probe.simulator.switch(token_requests_per_minute=0)
    assert (await probe.token()).status_code == 200


async def test_a_request_without_a_token_is_a_problem_with_401(probe: Probe) -> None:
    answer = await probe.http.get("/v2/recruiting/jobs")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["title"]


async def test_rotating_the_secret_shuts_the_old_one_out(probe: Probe) -> None:
    old = probe.simulator.credentials()["client_secret"]
    new = probe.simulator.rotate_secret()
    assert (await probe.token(client_secret=old)).status_code == 400
    assert (await probe.token(client_secret=new)).status_code == 200


async def test_the_gateway_hides_recruiting_without_the_beta_header_when_switched_so(probe: Probe) -> None:
    probe.simulator.switch(require_beta=True)
    answer = await probe.get("/v2/recruiting/jobs")
    assert answer.status_code == 404
    error = answer.json()["errors"][0]
    assert error["type"].endswith("#apinot_found")
    assert error["_meta"] == {"path": "/v2/recruiting/jobs"}
    assert (await probe.get("/v2/recruiting/jobs", headers={"Beta": "true"})).status_code == 200


async def test_a_tenant_without_recruiting_gets_the_gateways_404(probe: Probe) -> None:
    probe.simulator.switch(recruiting_enabled=False)
    answer = await probe.get("/v2/recruiting/jobs", headers={"Beta": "true"})
    assert answer.json()["errors"][0]["type"].endswith("#apinot_found")


async def test_an_unknown_route_is_the_gateways_404(probe: Probe) -> None:
    answer = await probe.get("/v2/recruiting/interviews")
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["type"].endswith("#apinot_found")
