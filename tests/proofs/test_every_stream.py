"""However records came in, of whatever stream: the result is the same, and reading again changes nothing.

What the lists of the foreground show is proven in ``tests/sync/test_equivalence.py`` and ``test_unchanged.py``; here
are all streams, with what the background reads.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from atsumi.connector.contract import LookupStream
from atsumi.connectors.personio import client as personio_client
from atsumi.connectors.personio.simulator import Simulator
from atsumi.model.catalog import MODELS
from atsumi.model.names import Model
from atsumi.sync.run import execute
from harness import Account, Product, small_company

COMPANY = {"applications": 24, "jobs": 5, "published_share": 0.6}
LEARNED = {
    *(Model.STAGE, Model.JOB_STAGE, Model.OFFICE, Model.DEPARTMENT, Model.ROLE, Model.USER, Model.SCREENING_QUESTION)
}
"""What stays known although the tool shows it nowhere any more: who comes later cannot know it."""
ON_THE_CAREER_PAGE = {Model.JOB, Model.JOB_POSTING, Model.JOB_SCREENING_QUESTION}
"""What a job that has left the page keeps of it."""
OF_THE_API = {"name", "category", "department", "department_remote_id", "remote_created_at", "remote_updated_at"}
"""Fields of a job that do not come from the page."""
PAGE_SIZES = (1, 3, 13)

Content = dict[tuple[Model, str], Any]


async def content(account: Account) -> Content:
    """Every present canonical record, free of what differs between two connections."""
    assert await account.fragments() == await account.rendered_anew()
    return {
        (MODELS[model], remote_id): msgspec.json.decode(
            msgspec.json.encode(data).replace(account.origin.encode(), b"http://tool")
        )
        for (model, remote_id), (data, is_deleted) in (await account.canonical()).items()
        if not is_deleted
    }


async def read_all(product: Product, simulator: Simulator) -> Account:
    """A new connection that has read everything once."""
    account = await product.synced(simulator)
    assert await account.background() == "SUCCEEDED"
    return account


async def test_every_stream_brings_something(product: Product) -> None:
    account = await read_all(product, small_company(**COMPANY))
    named = {stream.name for stream in account.runtime.connector("personio").streams}
    stored = {row["stream"] for row in await account.fetch("SELECT stream FROM raw_record WHERE integration = $1")}
    # The company's career page has two languages.
    assert named - stored == {name for name in named if name.startswith("feed:") and name not in ("feed:de", "feed:en")}
    models = {model for model, _ in await content(account)}
    assert models >= {
        Model.STAGE_TRANSITION,
        Model.ATTACHMENT,
        Model.APPLICATION,
        Model.CANDIDATE,
        Model.JOB,
        Model.USER,
    }


@pytest.mark.parametrize("kind", ["full", "incremental", "background"])
async def test_reading_every_stream_again_changes_nothing(product: Product, kind: str) -> None:
    account = await read_all(product, small_company(**COMPANY))
    before = await account.row_versions()

    state = await account.background() if kind == "background" else (await account.sync(kind)).state

    assert state == "SUCCEEDED"
    assert await account.row_versions() == before


async def test_the_size_of_pages_and_batches_changes_nothing(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = await content(await read_all(product, small_company(**COMPANY)))
    for size in PAGE_SIZES:
        monkeypatch.setattr(personio_client, "PAGE_SIZE", size)
        account = await product.connect(small_company(**COMPANY))
        whole = account.runtime.connector("personio")
        streams = [
            replace(stream, batch_size=size) if isinstance(stream, LookupStream) else stream for stream in whole.streams
        ]
        small = replace(whole, streams=streams)

        for kind in ("full", "background"):
            work = await account.work(await account.claim(kind))
            assert await execute(replace(work, target=replace(work.target, connector=small))) == "SUCCEEDED"

        assert await content(account) == expected, size


@pytest.mark.parametrize(("seed", "size"), [(0, 2), (1, 5), (2, 200)])
async def test_increments_and_the_background_give_what_a_full_read_gives(
    product: Product, monkeypatch: pytest.MonkeyPatch, seed: int, size: int
) -> None:
    """And a full run what a first one gives, once there were changes that the tool tells nobody of."""
    monkeypatch.setattr(personio_client, "PAGE_SIZE", size)
    game = Game(small_company(seed=seed + 1, **COMPANY), random.Random(seed))  # noqa: S311 -- a game, not a secret
    account = await read_all(product, game.simulator)
    for _ in range(3):
        for _ in range(6):
            game.play(TOLD)
        assert (await account.sync("incremental")).state == "SUCCEEDED"
        assert await account.background() == "SUCCEEDED"
    # A small feed that shrinks is believed at the second look.
    assert (await account.sync("incremental")).state == "SUCCEEDED"
    assert_same(await content(account), await content(await read_all(product, game.simulator)), game)

    for name in UNTOLD:
        game.play((name,))
    for _ in range(2):
        assert (await account.sync("full")).state == "SUCCEEDED"
    assert await account.background() == "SUCCEEDED"
    assert_same(await content(account), await content(await read_all(product, game.simulator)), game)


def assert_same(ours: Content, theirs: Content, game: Game) -> None:
    """Every record of the later reader is ours too, and alike; what only we have was learned, or was on the page.

    A job that was deleted before the later reader came is known to that one from its applications.
    """

    def is_of_the_page(model: Model, remote_id: str) -> bool:
        return model in ON_THE_CAREER_PAGE and remote_id.partition(":")[0] in game.has_left

    theirs = {
        (model, remote_id): record
        for (model, remote_id), record in theirs.items()
        if model not in (Model.JOB, Model.JOB_STAGE) or remote_id.partition(":")[0] not in game.deleted
    }
    assert theirs.keys() <= ours.keys()
    for (model, remote_id), record in theirs.items():
        found, expected = ours[model, remote_id], record
        if is_of_the_page(model, remote_id):
            found, expected = ({name: one.get(name) for name in OF_THE_API} for one in (found, expected))
        assert found == expected, (model, remote_id)
    extra = ours.keys() - theirs.keys()
    assert {key for key in extra if key[0] not in LEARNED and not is_of_the_page(*key)} == set()


class Game:
    """Edits of a company; the sizes of its generated files depend on names of people, which stay."""

    def __init__(self, simulator: Simulator, chance: random.Random) -> None:
        self.simulator = simulator
        self._chance = chance
        self.has_left: set[str] = set()
        """Jobs that have left the career page."""
        self.deleted: set[str] = set()
        """Jobs that the tool has no more."""
        company = simulator.company
        for one in company.applications:
            # As long as they are only generated, moves and files follow the categories of today.
            one.transitions = list(company.transitions(one))
            company.own_documents(one)

    def play(self, names: Sequence[str]) -> None:
        getattr(self, self._chance.choice(names))()

    def _any(self, kind: str) -> dict[str, Any]:
        return self._chance.choice(self.simulator.state(kind)[kind])

    def move(self) -> None:
        self.simulator.move_application(self._any("applications")["id"], self._any("stages")["id"])

    def edit_candidate(self) -> None:
        number = self._chance.randrange(100)
        self.simulator.edit_candidate(self._any("candidates")["id"], phone=f"+49 30 555{number}", location="Ulm")

    def edit_application(self) -> None:
        day, channel = f"2026-02-{1 + self._chance.randrange(28):02}", self._any("channels")["id"]
        self.simulator.edit_application(self._any("applications")["id"], application_date=day, channel_id=channel)

    def apply(self) -> None:
        self.simulator.create_application(self._any("candidates")["id"], self._any("jobs")["id"])

    def apply_as_somebody_new(self) -> None:
        person = self.simulator.create_candidate("Neu", "Person", f"neu{self._chance.randrange(100)}@example.org")
        self.simulator.create_application(person, self._any("jobs")["id"])

    def add_file(self) -> None:
        application = self._any("applications")
        if not application["is_anonymized"]:
            self.simulator.add_document(application["id"], f"Zeugnis {self._chance.randrange(100)}.pdf")
            self.simulator.move_application(application["id"], self._any("stages")["id"])

    def remove_file(self) -> None:
        document = self._any("documents")
        self.simulator.delete_document(document["id"])
        self.simulator.move_application(document["application_id"], self._any("stages")["id"])

    def anonymise(self) -> None:
        """The candidate does not tell which applications they have, so all of a person's go."""
        self.simulator.anonymise_candidate(self._any("candidates")["id"])

    def edit_job(self) -> None:
        department = self._any("departments")["name"]
        self.simulator.edit_job(
            self._any("jobs")["id"],
            name=f"Stelle {self._chance.randrange(9)}",
            department=department,
            office=self._chance.choice(["Ulm", "Kiel"]),
            schedule="part-time",
            category_id=self._any("categories")["id"],
        )

    def staff_job(self) -> None:
        team = [
            {"person_id": self._any("persons")["id"], "role": role} for role in ("Recruiter", "Hiring Manager", "Rat")
        ]
        self.simulator.edit_job(self._any("jobs")["id"], hiring_team=team[: self._chance.randrange(4)])

    def publish(self) -> None:
        self.simulator.publish_job(self._any("jobs")["id"])

    def unpublish(self) -> None:
        job = self._any("jobs")
        self.has_left.add(job["id"])
        self.simulator.unpublish_job(job["id"])

    def add_stage(self) -> None:
        category = self._any("categories")
        stages = [*category["stages"], f"Phase {self._chance.randrange(9)}"]
        self.simulator.edit_category(category["id"], stages=stages)

    def rename_stage(self) -> None:
        in_use = {stage for one in self.simulator.state("categories")["categories"] for stage in one["stages"]}
        own = [one for one in self.simulator.state("stages")["stages"] if not one["is_builtin"] and one["id"] in in_use]
        self.simulator.rename_stage(self._chance.choice(own)["id"], "Umbenannt")

    def rename_category(self) -> None:
        self.simulator.edit_category(self._any("categories")["id"], name="Umbenannt")

    def edit_person(self) -> None:
        self.simulator.edit_person(self._any("persons")["id"], email="neu@example.org", status="INACTIVE")

    def delete_application(self) -> None:
        self.simulator.delete_application(self._any("applications")["id"])

    def delete_candidate(self) -> None:
        self.simulator.delete_candidate(self._any("candidates")["id"])

    def delete_job(self) -> None:
        job = self._any("jobs")["id"]
        self.has_left.add(job)
        self.deleted.add(job)
        self.simulator.delete_job(job)


TOLD = (
    *("move", "edit_candidate", "edit_application", "apply", "apply_as_somebody_new", "add_file", "remove_file"),
    *("anonymise", "edit_job", "staff_job", "publish", "unpublish", "add_stage"),
)
"""Edits that the tool tells of."""
UNTOLD = ("rename_stage", "rename_category", "edit_person", "delete_application", "delete_candidate", "delete_job")
"""Edits that only a full run finds."""
