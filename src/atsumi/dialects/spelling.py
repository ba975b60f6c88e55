"""What a surface calls canonical models and fields, read off the tables that the surface itself works with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from atsumi.model.catalog import STRUCTS
from atsumi.model.names import Model
from atsumi.model.scope import Field
from atsumi.sync.projection import Projection, Relation, WireModel


@dataclass(frozen=True, slots=True)
class Spelling:
    """One surface's words.

    ``lists`` are the paths of each model's own lists. ``names`` are, by canonical field, the fields of documents that
    show it, ``<list>.<field>``: those of the model's own lists, or else those in which it is embedded (``<list>`` alone
    where no table says in which field). ``left_out`` says why a field is shown nowhere; a field is in one of the two.
    ``empty_lists`` are the paths of the lists that no model stands behind, with the fields of their documents.
    """

    name: str
    lists: Mapping[Model, tuple[str, ...]]
    names: Mapping[Field, tuple[str, ...]]
    left_out: Mapping[Field, str]
    empty_lists: Mapping[str, tuple[str, ...]]


def spelling(
    projection: Projection,
    *,
    paths: Mapping[str, str],
    fields: Mapping[str, Mapping[str, object]],
    omitted: Mapping[Model, Mapping[str, str]],
    omitted_models: Mapping[Model, str],
    configured: Mapping[str, Collection[str]],
) -> Spelling:
    """The words of a surface.

    ``paths`` are those of its lists by name. ``fields`` names the source of each field of each list: a canonical
    field, or a model whose records are embedded; anything else stands for a field that does not depend on the tool.
    ``configured`` are, by canonical field, the fields that show what callers have mapped or chosen.
    """
    lists: dict[Model, list[str]] = {}
    names: dict[Field, tuple[str, ...]] = {}
    left_out: dict[Field, str] = {}
    for wire_model in projection.wire_models:
        lists.setdefault(wire_model.model, []).append(paths[wire_model.name])
    for model, struct in STRUCTS.items():
        for field in struct.__struct_fields__:
            reason = omitted.get(model, {}).get(field) or omitted_models.get(model)
            if reason is not None:
                left_out[model, field] = reason
                continue
            own = [
                f"{one.name}.{name}"
                for one in projection.wire_models
                if one.model is model
                for name in _own_names(fields[one.name], field, configured)
            ]
            found = own or chain.from_iterable(
                _embedding_names(one, fields[one.name], model, field) for one in projection.wire_models
            )
            names[model, field] = tuple(dict.fromkeys(found))
    filled = {one.name for one in projection.wire_models}
    return Spelling(
        projection.name,
        {model: tuple(found) for model, found in lists.items()},
        names,
        left_out,
        {path: tuple(fields[name]) for name, path in paths.items() if name not in filled},
    )


def _own_names(sources: Mapping[str, object], field: str, configured: Mapping[str, Collection[str]]) -> Iterator[str]:
    for name, source in sources.items():
        # A field of the tool that every surface passes on under its own name has no source in the table.
        is_same = name == field and not isinstance(source, str | Model)
        if is_same or (source == field and not isinstance(source, Model)) or name in configured.get(field, ()):
            yield name


def _embedding_names(wire_model: WireModel, sources: Mapping[str, object], model: Model, field: str) -> Iterator[str]:
    for relation in wire_model.relations:
        tree = tuple(_tree(relation))
        is_link = wire_model.model is model and relation.forward == field
        if not is_link and not any(one.model is model and _shows(one, field) for one in tree):
            continue
        within = {one.model for one in tree}
        made_of = [name for name, source in sources.items() if isinstance(source, Model) and source in within]
        if field in made_of:
            made_of = [field]
        others = [name for name in made_of if name == field or name not in STRUCTS[model].__struct_fields__]
        for name in others or ([relation.name] if relation.name in sources else []):
            yield f"{wire_model.name}.{name}"
        if not others and relation.name not in sources:
            yield wire_model.name


def _shows(relation: Relation, field: str) -> bool:
    return relation.shows is None or field in relation.shows or field == relation.reverse


def _tree(relation: Relation) -> Iterator[Relation]:
    yield relation
    for one in relation.relations:
        yield from _tree(one)
