"""Files of an application (Personio NOTES section 11, L)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from atsumi.connector.reading import Reader, as_id, as_object, as_text
from atsumi.model.attachment import Attachment
from atsumi.model.enums import AttachmentType

_CATEGORIES = {
    "cv": AttachmentType.CV,
    "cover-letter": AttachmentType.COVER_LETTER,
    "employment-reference": AttachmentType.OTHER,
    "certificate": AttachmentType.OTHER,
    "work-sample": AttachmentType.OTHER,
}
"""Categories of files in v1 create (section 9.1, C); whether reading keeps them is open. ``other`` says nothing."""

_CV = re.compile(r"(?<![a-z])(cv|resumee?|resumé|résumé|lebenslauf|curriculum|vita)(?![a-z])")
_COVER_LETTER = re.compile(
    r"(?<![a-z])(cover[ _.-]?letter|motivation(s|al)?[ _.-]?(letter|schreiben)|anschreiben|lettre de motivation)"
)


def attachments(application: str, candidate: str | None, entries: Iterable[object], reader: Reader) -> list[Attachment]:
    """One record per file that has an id."""
    found: dict[str, Attachment] = {}
    for entry in map(as_object, entries):
        document = as_id(entry.get("id"))
        if document is None:
            reader.report("malformed_record", "id")
            continue
        name = reader.text(entry.get("name"), "name")
        size = reader.number(entry.get("size"), "size")
        found[document] = Attachment(
            remote_id=document,
            candidate_remote_id=candidate,
            application_remote_id=application,
            type=_type(entry, name),
            file_name=name,
            size_bytes=int(size) if size is not None and size >= 0 else None,
            remote_created_at=reader.instant(entry.get("created_at"), "created_at"),
        )
    return list(found.values())


def _type(entry: Mapping[str, object], name: str | None) -> AttachmentType:
    """The category where it means something, else a guess from the name in English, German or French (I)."""
    category = as_object(entry.get("category"))
    words = [text.lower().replace("_", "-") for key in ("id", "name") if (text := as_text(category.get(key)))]
    known = next((_CATEGORIES[word] for word in words if word in _CATEGORIES), None)
    if known is not None:
        return known
    text = (name or "").lower()
    if _COVER_LETTER.search(text):
        return AttachmentType.COVER_LETTER
    return AttachmentType.CV if _CV.search(text) else AttachmentType.OTHER
