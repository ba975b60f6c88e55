"""Whatever goes wrong on the way, nothing that is there is taken for gone, and the next read is complete again."""

from __future__ import annotations

from typing import Any

import pytest

from atsumi.connectors.personio import connector
from atsumi.connectors.personio.tests.simulated import SimulatedAccount
from atsumi.model.names import Model
from atsumi.testing.reading import Reading

FAULTS: dict[str, dict[str, Any]] = {
    "429": {"kind": "429", "retry_after": "2"},
    "down for all attempts": {"kind": "status", "count": 3},
    "down once": {"kind": "status"},
    "a page with status 200": {"kind": "html"},
    "an error with status 200": {"kind": "error_body"},
    "a redirect": {"kind": "redirect"},
    "cut": {"kind": "cut"},
    "disconnected": {"kind": "disconnect"},
    "an empty page": {"kind": "empty_page"},
    "a page that names itself": {"kind": "self_next"},
    "a page again": {"kind": "repeat_page"},
    "records twice": {"kind": "duplicate_records"},
    "malformed XML": {"kind": "malformed_xml"},
    "no objects": {"kind": "malformed_record", "malformation": "not_an_object"},
    "odd timestamps": {"kind": "malformed_record", "malformation": "odd_timestamp"},
    "wrong types": {"kind": "malformed_record", "malformation": "wrong_types"},
    "missing fields": {"kind": "malformed_record", "malformation": "missing_fields"},
    "unknown words": {"kind": "malformed_record", "malformation": "unknown_words"},
}
LEARNED = {(Model.STAGE, "archived"), (Model.JOB_STAGE, "archived")}
"""Once seen, a stage stays; this is the unknown word that the simulator uses."""
APPLICATIONS = "/v2/recruiting/applications"
CASES = [
    *(pytest.param(fault, APPLICATIONS, id=f"applications: {name}") for name, fault in FAULTS.items()),
    *(
        pytest.param(FAULTS[name], path, id=f"{path}: {name}")
        for path in ("/v2/recruiting/jobs", "/v2/persons", "/career")
        for name in ("a page with status 200", "an error with status 200", "a redirect", "cut", "malformed XML")
    ),
]


@pytest.mark.parametrize(("fault", "path"), CASES)
async def test_a_fault_removes_nothing_and_the_next_read_is_whole(fault: dict[str, Any], path: str) -> None:
    account = SimulatedAccount(applications=210, jobs=4)
    config = account.context().config
    reading = Reading(connector, lookup_limit=20)
    await reading.read(account.context())
    before = reading.records(config)
    account.simulator.inject(**{"path": path, "after": int(path == APPLICATIONS), **fault})
    await reading.read(account.context())
    assert set(before) <= set(reading.records(config))
    account.simulator.clear_faults()
    await reading.read(account.context())
    assert not reading.failures
    after = reading.records(config)
    assert {key: after[key] for key in before} == before
    assert {(key[0], key[1].rpartition(":")[2]) for key in set(after) - set(before)} <= LEARNED
