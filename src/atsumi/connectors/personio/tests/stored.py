"""Raw records put together by hand, and what the mapping makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from atsumi.connector.contract import Group, Issue, MappingContext, Page, RawRecord
from atsumi.connectors.personio import connector
from atsumi.connectors.personio.mapping import mapping
from atsumi.connectors.personio.tests.fixed import CONFIG, fixture
from atsumi.model.names import Model
from atsumi.model.record import Record
from atsumi.testing.reading import AskedView, Reading

R = TypeVar("R", bound=Record)
JOB = fixture("list_jobs")["_data"][0]
APPLICATION, ERASED = fixture("list_applications")["_data"]
CANDIDATE = fixture("list_candidates")["_data"][0]
CATEGORY = fixture("list_categories")["_data"][0]


class Stored:
    """Raw records, and what is built of them."""

    def __init__(self, config: Mapping[str, str] = CONFIG) -> None:
        self.reading = Reading(connector, lookup_limit=20)
        self.config = config

    def put(self, stream: str, remote_id: str, value: Any) -> Stored:
        data = value if isinstance(value, bytes) else msgspec.json.encode(value)
        self.reading.store.save(Page([RawRecord(stream, remote_id, data)]))
        return self

    def observe(self, records: Any) -> Stored:
        self.reading.store.save(Page(list(records)))
        return self

    def build(self, model: Model, key: str) -> tuple[list[Record], list[Issue]]:
        view = AskedView(self.reading.store, self.reading.sources(Group(model, key), self.config))
        built = mapping.rules[model].build(key, view, MappingContext(self.config))
        return list(built.records), list(built.issues)

    def one(self, struct: type[R], key: str, root: Model | None = None) -> R:
        (found,) = [item for item in self.build(root or struct.model, key)[0] if isinstance(item, struct)]
        return found

    def many(self, struct: type[R], key: str, root: Model) -> list[R]:
        return [item for item in self.build(root, key)[0] if isinstance(item, struct)]


def position(**elements: str) -> str:
    body = "".join(f"<{name}>{text}</{name}>" for name, text in elements.items())
    return f"<position><id>5101</id>{body}</position>"


def control(name: str, kind: str, **more: Any) -> dict[str, Any]:
    shown = {"name": name, "kind": kind, "label": "Why?", "is_required": True, "is_multiple": False}
    return {**shown, "description": None, "options": [], **more}
