"""What this dialect calls canonical models and fields."""

from __future__ import annotations

from atsumi.dialects.kombo.dialect import DIALECT
from atsumi.dialects.kombo.fields import FIELDS, OMITTED, OMITTED_MODELS
from atsumi.dialects.kombo.lists import LISTS
from atsumi.dialects.kombo.projection import projection
from atsumi.dialects.spelling import spelling

SPELLING = spelling(
    projection,
    paths={spec.name: DIALECT.base_path + spec.path for spec in LISTS},
    fields=FIELDS,
    omitted=OMITTED,
    omitted_models=OMITTED_MODELS,
    configured={
        "mapped_fields": ("custom_fields",),
        "unresolved_fields": ("custom_fields",),
        "passed_fields": ("integration_fields",),
    },
)
