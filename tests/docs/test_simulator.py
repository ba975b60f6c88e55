"""The page about the simulator names every route, fault and switch that there is, and none besides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import httpx2

from atsumi.connectors.personio.simulator import Simulator, create_app
from atsumi.connectors.personio.simulator.faults import Malformation

DOCUMENT = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


async def index(path: str) -> dict[str, Any]:
    transport = httpx2.ASGITransport(app=create_app(Simulator(applications=1)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://simulator.test") as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def rows(heading: str) -> list[list[str]]:
    [section] = [part for part in DOCUMENT.split("\n## ") if part.startswith(f"{heading}\n")]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


async def test_the_control_api_lists_itself_with_and_without_the_slash() -> None:
    assert await index("/_control") == await index("/_control/")


async def test_every_route_is_named_with_what_it_does() -> None:
    told = [[one["method"], f"`{one['path']}`", one["does"]] for one in (await index("/_control/"))["routes"]]
    assert all(does.endswith(".") for *_, does in told)
    assert rows("Routes") == told


async def test_every_fault_is_named() -> None:
    told = await index("/_control/")
    assert [row[0] for row in rows("Faults")] == [f"`{kind}`" for kind in told["fault_kinds"]]
    for name in (*told["fault_fields"], *get_args(Malformation)):
        assert f"`{name}`" in DOCUMENT, name


async def test_every_switch_is_named_with_its_value_at_the_start() -> None:
    told = (await index("/_control/"))["switches"]
    assert {row[0].strip("`"): json.loads(row[1].strip("`")) for row in rows("Switches")} == told
