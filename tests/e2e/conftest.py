"""One synced company that tests only read, and syncs that repeat a failed request at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from harness import Account, Product, small_company


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


@pytest.fixture(scope="session")
async def company(product: Product) -> Account:
    """A synced company that no test changes: with an erased person and a job with texts of its own."""
    simulator = small_company(applications=90, jobs=10, published_share=0.6)
    state = simulator.state()
    by_candidate: dict[str, list[str]] = {}
    for application in state["applications"]:
        by_candidate.setdefault(application["candidate_id"], []).append(application["id"])
    single = next(found for found in by_candidate.values() if len(found) == 1)
    simulator.anonymise_application(single[0])
    job = state["published"][0]["id"]
    simulator.edit_job(
        job,
        descriptions={
            "de": [["Aufgaben", "<p>Kuchen &amp; Kaffee</p>"], ["Profil", "<ul><li>wach</li></ul>"]],
            "en": [["Tasks", "<p>Cake &amp; coffee</p>"]],
        },
        salary={"minimum": "42000", "maximum": "51000.50"},
        additional_offices=["Wien", "Graz"],
        office="Berlin",
    )
    return await product.synced(simulator)
