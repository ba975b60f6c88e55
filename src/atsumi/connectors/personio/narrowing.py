"""Which raw records tell of whom, so that sync modes can leave people out."""

from __future__ import annotations

from atsumi.connector.contract import ApplicationFacts, Group, MappingContext, Narrowing, RawRecord
from atsumi.connector.reading import as_object, as_text, decode
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.facts import Settings
from atsumi.connectors.personio.mapping.addresses import GROUP_OF_STREAM
from atsumi.model.names import Model

_NAMELESS = frozenset({raw.malformed(raw.CANDIDATES), raw.malformed(raw.APPLICATIONS)})
_PERSONAL = frozenset({Model.CANDIDATE, Model.APPLICATION})


def subject(record: RawRecord) -> Group | None:
    """The application or candidate that a raw record tells of; remote ids start with the one they belong to."""
    if record.stream in _NAMELESS:
        return Group(Model.CANDIDATE, "")
    model = GROUP_OF_STREAM.get(record.stream)
    return Group(model, record.remote_id.partition(":")[0]) if model in _PERSONAL else None


def facts(record: RawRecord, context: MappingContext) -> ApplicationFacts:
    """An application's candidate and when it last changed."""
    source = as_object(decode(record.data))
    reader = Settings.read(context.config).reader(record.stream, record.remote_id)
    return ApplicationFacts(
        as_text(as_object(source.get("candidate")).get("id")),
        reader.instant(source.get("updated_at"), "updated_at"),
    )


narrowing = Narrowing(applications=raw.APPLICATIONS, candidates=raw.CANDIDATES, subject=subject, facts=facts)
