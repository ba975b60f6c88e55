"""Every operation of every surface answers what its golden file says.

Lists show the samples of the dialects' own tests, in which every field is filled; everything else is asked of the
whole product with a simulated account behind it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2
import pytest

from action_kit import begun, ended
from atsumi.dialects.atsumi.operations import OPERATIONS as OWN
from atsumi.dialects.bindbee.lists import LISTS as BINDBEE_LISTS
from atsumi.dialects.bindbee.operations import OPERATIONS as BINDBEE
from atsumi.dialects.bindbee.tests import kit as bindbee_kit
from atsumi.dialects.bindbee.tests import samples as bindbee_samples
from atsumi.dialects.kombo.operations import OPERATIONS as KOMBO
from atsumi.dialects.kombo.tests import kit as kombo_kit
from atsumi.dialects.kombo.tests import samples as kombo_samples
from atsumi.errors import AlreadyExists, RemoteCall
from atsumi.model.ids import from_base58, to_base58
from atsumi.model.names import Model
from bindbee_reader import Bindbee, bindbee_of
from golden_kit import Settled, compare
from harness import Account, Product
from kombo_lacked import KOMBO_LACKED

CANDIDATE = {"category": "ATS", "model": "candidate"}


@dataclass
class Asked:
    """What a request holds besides its method and path."""

    path: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    body: Any = None


@dataclass
class Scene:
    """A synced account, and what a request may be about."""

    account: Account
    bindbee: Bindbee
    names: dict[str, str] = field(default_factory=dict)
    """What the names in the operations' paths stand for."""

    @property
    def headers(self) -> dict[str, str]:
        return self.account.headers | self.bindbee.headers

    async def ask(self, method: str, path: str, asked: Asked) -> httpx2.Response:
        url = path.format(**asked.path)
        sent = {"json": asked.body} if asked.body is not None else {}
        return await self.account.product.api.request(
            method, url, params=dict(asked.params) or None, headers=self.headers, **sent
        )

    async def made(self, path: str, body: Any) -> str:
        """The id of what a request below ``/api/v1/custom-fields`` creates."""
        answer = await self.ask("POST", f"/api/v1/custom-fields{path}", Asked(body=body))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def read(self, path: str, asked: Asked) -> Any:
        answer = await self.ask("GET", path, asked)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def tool_field(self) -> str:
        """The id of a field that the tool's candidates have."""
        rows = (await self.read("/v1/integrations/{integration_id}/integration-fields", Asked(self.names)))["data"]
        return next(
            row["id"] for row in rows["results"] if (row["model"], row["key"]) == ("ats_candidates", "location")
        )


async def prepared(product: Product) -> Scene:
    """An account with one application, which was moved after the first sync, and a custom field with a mapping."""
    account = await product.synced(applications=1, jobs=1, published_share=1)
    simulator = account.simulator
    simulator.move_application(simulator.state("applications")["applications"][0]["id"], "system:rejected")
    assert (await account.sync()).state == "SUCCEEDED"
    await account.background()
    scene = Scene(account, await bindbee_of(account))
    (row,) = await account.rows("applications")
    field = await scene.made("", {"name": "gender", "description": "As the tool has it", **CANDIDATE})
    sent = {"custom_field_id": field, "json_path": "gender", "connector_token": scene.bindbee.token}
    scene.names |= {
        "integration_id": account.integration.id,
        "connector_id": str(account.integration.public_id),
        "application_id": row["id"],
        "candidate_id": row["candidate_id"],
        "model": "application",
        "id": row["id"],
        "category": "ats",
        "tool": "personio",
        "custom_field_id": field,
        "custom_field_mapping_id": await scene.made("/mapping", sent),
    }
    return scene


Asking = Callable[[Scene], Awaitable[Asked]]


@pytest.fixture(scope="module")
async def shared(product: Product) -> Scene:
    """For requests that change nothing."""
    return await prepared(product)


@pytest.fixture
async def scene(product: Product, shared: Scene, operation: Any) -> Scene:
    return shared if operation.method == "GET" else await prepared(product)


async def answered(scene: Scene, operation: Any, base: str, asking: Mapping[str, Asking], status: int = 200) -> Any:
    """The answer with what changes at every run settled; ``None`` for one without content."""
    assert operation.id in asking, f"{operation.id} has no golden file yet: say here what is asked of it"
    asked = await asking[operation.id](scene)
    answer = await scene.ask(operation.method, base + operation.path, asked)
    assert answer.status_code == status, answer.text
    return Settled()(_ordered(answer.json())) if answer.content else None


def _ordered(answer: Any) -> Any:
    """The fields of a tool are listed by their ids, which are others for every integration."""
    rows = (answer.get("data", answer).get("results") or answer.get("items")) if isinstance(answer, dict) else None
    if rows and rows[0].keys() & {"is_passthrough", "is_passthrough_enabled"}:
        rows.sort(key=lambda row: (row["model"], row.get("key") or row["path"]))
    return answer


async def named(scene: Scene) -> Asked:
    """Nothing but what stands in the path."""
    return Asked(scene.names)


def sending(body: Any) -> Asking:
    async def asked(scene: Scene) -> Asked:
        return Asked(scene.names, body=body)

    return asked


async def new_job(scene: Scene) -> str:
    """The id of a job that takes applications and asks nothing."""
    id = scene.account.simulator.create_job("Engine builder")
    assert (await scene.account.sync()).state == "SUCCEEDED"
    return scene.bindbee.id(Model.JOB, str(id))


# Kombo's contract.


async def choose_source(scene: Scene) -> Asked:
    names = scene.names | {"custom_field_id": to_base58(UUID(scene.names["custom_field_id"]))}
    return Asked(names, body={"integration_field_id": await scene.tool_field()})


async def choose_passthrough(scene: Scene) -> Asked:
    names = scene.names | {"integration_field_id": await scene.tool_field()}
    return Asked(names, body={"enable_passthrough": True})


async def full_sync(_: Scene) -> Asked:
    return Asked(body={"type": "FULL"})


async def kombos_passthrough(scene: Scene) -> Asked:
    names = scene.names | {"api": "recruitingV2"}
    return Asked(names, body={"method": "GET", "path": "/jobs", "headers": {"Authorization": "mine"}})


LOVELOCK = {"first_name": "Adalgisa", "last_name": "Lovelock", "email_address": "adalgisa@applicants.example"}


async def kombos_application(scene: Scene) -> Asked:
    job = to_base58(UUID(await new_job(scene)))
    return Asked({"job_id": job}, body={"candidate": LOVELOCK | {"company": "Engines & Sons"}})


async def kombos_candidate(scene: Scene) -> Asked:
    job = to_base58(UUID(await new_job(scene)))
    return Asked(body={"candidate": LOVELOCK, "application": {"job_id": job}})


KOMBO_ASKING: Mapping[str, Asking] = {
    "GetCheckApiKey": named,
    "GetIntegrationsIntegrationId": named,
    "GetIntegrationsIntegrationIdCustomFields": named,
    "PutIntegrationsIntegrationIdCustomFieldsCustomFieldId": choose_source,
    "GetIntegrationsIntegrationIdIntegrationFields": named,
    "PatchIntegrationsIntegrationIdIntegrationFieldsIntegrationFieldId": choose_passthrough,
    "GetToolsCategory": named,
    "PostForceSync": full_sync,
    "PostPassthroughToolApi": kombos_passthrough,
    "GetAtsApplicationsApplicationIdAttachments": named,
    "GetAtsCandidatesCandidateIdAttachments": named,
    "PostAtsJobsJobIdApplications": kombos_application,
    "PostAtsCandidates": kombos_candidate,
    "GetAtsActionsAtsCreateCandidate": named,
    "GetAtsActionsAtsCreateApplication": named,
    "GetAtsActionsAtsAddApplicationAttachment": named,
    "GetAtsActionsAtsAddCandidateAttachment": named,
} | {id: sending(body) for id, body in KOMBO_LACKED.items()}


@pytest.mark.parametrize("operation", [one for one in KOMBO if one.list is not None], ids=lambda one: one.id)
async def test_a_list_of_kombos_contract(operation: Any) -> None:
    spec, record = operation.list, kombo_samples.LISTED[operation.list.name]
    services = kombo_kit.FakeServices()
    services.documents[spec.model] = [(UUID(int=1), kombo_kit.body(spec.name, record, kombo_samples.RECORDS))]
    async with kombo_kit.client(services) as http:
        answer = await http.get(f"/v1{operation.path}")
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert (answer.json()["status"], data["next"], len(data["results"])) == ("success", None, 1)
    compare("kombo", spec.name, data["results"][0])


@pytest.mark.parametrize("operation", [one for one in KOMBO if one.list is None], ids=lambda one: one.id)
async def test_an_answer_of_kombos_contract(scene: Scene, operation: Any) -> None:
    status = 400 if operation.id in KOMBO_LACKED else 200
    compare("kombo", operation.id, await answered(scene, operation, "/v1", KOMBO_ASKING, status))


# Bindbee's contract.


async def new_mapping(scene: Scene) -> Asked:
    field = scene.names["custom_field_id"]
    return Asked(body={"custom_field_id": field, "json_path": "location", "integration_slug": "personio"})


async def of_connector(scene: Scene) -> Asked:
    return Asked(params={"connector_token": scene.bindbee.token})


async def candidates_of_connector(scene: Scene) -> Asked:
    return Asked(params={"connector_token": scene.bindbee.token, **CANDIDATE})


async def preview(scene: Scene) -> Asked:
    return Asked(body={"connector_token": scene.bindbee.token, "json_path": "gender", **CANDIDATE})


async def new_candidate(scene: Scene) -> Asked:
    person = {"first_name": "Adalgisa", "last_name": "Lovelock", "email_addresses": ["adalgisa@applicants.example"]}
    return Asked(body={"data": person | {"job_id": await new_job(scene), "company": "Engines & Sons"}})


async def new_application(scene: Scene) -> Asked:
    candidate = from_base58(scene.names["candidate_id"])
    return Asked(body={"candidate": str(candidate), "job": await new_job(scene)})


BINDBEE_ASKING: Mapping[str, Asking] = {
    "get_create_candidate_request_body": named,
    "create_candidate": new_candidate,
    "create_application": new_application,
    "get_ats_connectors": named,
    "delete_ats_connector": named,
    "get_org_integrations": named,
    "org_health_check": named,
    "list_integrations": named,
    "list_models": named,
    "force_resync_connector": named,
    "make_passthrough_request": sending({"method": "GET", "path": "/v2/recruiting/jobs", "headers": {}}),
    "list_custom_fields": named,
    "create_custom_field": sending({"name": "place", "description": "Where someone lives", **CANDIDATE}),
    "list_custom_field_mappings": of_connector,
    "create_custom_field_mapping": new_mapping,
    "update_custom_field_mapping": sending({"json_path": "last_name"}),
    "delete_custom_field_mapping": named,
    "get_raw_data": candidates_of_connector,
    "preview_custom_field": preview,
    "get_custom_fields_configuration": candidates_of_connector,
    "get_custom_field": named,
    "update_custom_field": sending({"name": "sex", "description": None}),
    "delete_custom_field": named,
}
BINDBEE_LISTED = {spec.path: spec for spec in BINDBEE_LISTS} | {f"{spec.path}/{{id}}": spec for spec in BINDBEE_LISTS}
BINDBEE_READS = [one for one in BINDBEE if one.method == "GET" and one.path in BINDBEE_LISTED]
BINDBEE_OTHERS = [
    one
    for one in BINDBEE
    # Of what no tool can write there is no answer but a refusal.
    if one not in BINDBEE_READS and one.status != 403 and one.id != "create_candidate_attachment"
]


@pytest.mark.parametrize("operation", BINDBEE_READS, ids=lambda one: one.id)
async def test_a_list_or_single_read_of_bindbees_contract(operation: Any) -> None:
    """Both are held against the list's file: what is read singly is its first item."""
    spec = BINDBEE_LISTED[operation.path]
    services, record = bindbee_kit.whole_account(), bindbee_samples.LISTED.get(spec.name)
    id = UUID(int=1)
    if record is not None:
        stored = bindbee_kit.fragment(spec.name, record, bindbee_samples.RECORDS)
        id, services.stored[spec.model] = stored.id, [stored]
        services.raw[record.remote_id] = [("/main", bindbee_kit.RAW), ("/more", b"[2]")]
    more = {"include_raw_data": "true", "include_custom_fields": "true"}
    async with bindbee_kit.client(services) as http:
        answer = await http.get(f"/api{operation.path.format(id=id)}", params=more)
    if operation.item is None and record is None:
        assert answer.status_code == 404, answer.text
        return
    assert answer.status_code == 200, answer.text
    page = answer.json() if operation.item else {"cursor": None, "page_size": 1, "items": [answer.json()]}
    compare("bindbee", spec.name, page)


@pytest.mark.parametrize("operation", BINDBEE_OTHERS, ids=lambda one: one.id)
async def test_an_answer_of_bindbees_contract(scene: Scene, operation: Any) -> None:
    compare("bindbee", operation.id, await answered(scene, operation, "/api", BINDBEE_ASKING, operation.status))


# Our own API.


async def changes(_: Scene) -> Asked:
    return Asked(params={"models": "candidate,application"})


async def both_versions(scene: Scene) -> Asked:
    found = await scene.read("/atsumi/v1/records/{model}/{id}/versions", Asked(scene.names))
    newest, *_, oldest = found["items"]
    return Asked(scene.names, {"from": str(oldest["sequence"]), "to": str(newest["sequence"])})


async def first_run(scene: Scene) -> Asked:
    found = await scene.read("/atsumi/v1/integrations/{integration_id}/runs", Asked(scene.names))
    return Asked({"run_id": found["items"][-1]["id"]})


async def action(scene: Scene) -> Asked:
    """One that has made the scene's application; a second one was refused."""
    if "action_id" not in scene.names:
        made = await begun(scene.account)
        ids = {name: from_base58(scene.names[f"{name}_id"]) for name in ("application", "candidate")}
        await ended(scene.account, made, **ids)
        call = RemoteCall("personio", "create application", "POST", "https://api.personio.de/v1/applications", 400)
        refused = AlreadyExists(call, "Personio has an application of this person for this job")
        await ended(scene.account, await begun(scene.account), refused)
        scene.names["action_id"] = to_base58(made.id)
    return Asked(scene.names)


async def fields_of_tool(scene: Scene) -> Asked:
    return Asked(scene.names, {"limit": "1000"})


OWN_ASKING: Mapping[str, Asking] = {
    "ListChanges": changes,
    "GetRecord": named,
    "ListStages": named,
    "ListVersions": named,
    "CompareVersions": both_versions,
    "ListRuns": named,
    "GetRun": first_run,
    "ListTools": named,
    "GetTool": named,
    "ListActions": action,
    "GetAction": action,
    "ListFields": fields_of_tool,
}


@pytest.mark.parametrize("operation", OWN, ids=lambda one: one.id)
async def test_an_answer_of_our_own_api(scene: Scene, operation: Any) -> None:
    compare("atsumi", operation.id, await answered(scene, operation, "/atsumi/v1", OWN_ASKING))


# The comparison itself.


def test_what_changes_at_every_run_is_settled_and_the_rest_is_not() -> None:
    first, second = UUID(int=2**100 + 1), UUID(int=2**100 + 2)
    shown = {"id": to_base58(first), "uuid": str(first), "other": f"personio:{to_base58(second)}", "name": "Weber"}
    settled = Settled()(shown)
    assert settled["name"] == "Weber"
    assert settled["id"] == to_base58(UUID(settled["uuid"]))
    assert settled["other"] == f"personio:{to_base58(UUID('00000000-0000-8000-8000-000000000002'))}"
    assert Settled()({**shown, "uuid": str(second)}) != settled
    assert Settled()(["2020-02-01T00:00:00Z"]) == ["2020-02-01T00:00:00Z"]
