"""Personio Recruiting."""

from __future__ import annotations

from atsumi.connector.contract import Connector
from atsumi.connectors.personio import raw
from atsumi.connectors.personio.check import check
from atsumi.connectors.personio.client import PersonioClient
from atsumi.connectors.personio.disclosure import disclosure
from atsumi.connectors.personio.facts import MANIFEST
from atsumi.connectors.personio.mapping import mapping
from atsumi.connectors.personio.narrowing import narrowing
from atsumi.connectors.personio.passthrough import PASSTHROUGH
from atsumi.connectors.personio.probe import probe
from atsumi.connectors.personio.samples import sample
from atsumi.connectors.personio.streams import REQUIRED_STREAMS, STREAMS
from atsumi.connectors.personio.writing import ACTIONS

connector = Connector(
    manifest=MANIFEST,
    streams=STREAMS,
    mapping=mapping,
    check=check,
    required_streams=REQUIRED_STREAMS,
    probe=probe,
    narrowing=narrowing,
    disclosure=disclosure,
    samples=sample,
    files_stream=raw.DOCUMENTS,
    open_file=lambda context, remote_id: PersonioClient(context).download(remote_id),
    actions=ACTIONS,
    passthrough=PASSTHROUGH,
)
