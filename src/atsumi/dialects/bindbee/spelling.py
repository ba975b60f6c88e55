"""What this dialect calls canonical models and fields."""

from __future__ import annotations

from atsumi.dialects.bindbee.dialect import DIALECT
from atsumi.dialects.bindbee.fields import FIELDS, OMITTED, OMITTED_MODELS
from atsumi.dialects.bindbee.lists import LISTS
from atsumi.dialects.bindbee.projection import projection
from atsumi.dialects.spelling import spelling

SPELLING = spelling(
    projection,
    paths={spec.name: DIALECT.base_path + spec.path for spec in LISTS},
    fields=FIELDS,
    omitted=OMITTED,
    omitted_models=OMITTED_MODELS,
    configured=dict.fromkeys(("mapped_fields", "unresolved_fields"), ("custom_fields",)),
)
