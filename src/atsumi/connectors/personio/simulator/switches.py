"""Every point where the truth about the tool is open, or differs between tenants, as one switch.

The list and the defaults follow Personio NOTES section 20 and the open questions of section 23.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal

import msgspec

LANGUAGES = ("de", "en", "fr", "es", "nl", "it", "pt")
"""Languages that the career feed can be asked for (Personio NOTES section 10)."""


@dataclass(frozen=True)
class Switches:
    """How this tenant behaves. Immutable; `with_changes` returns a changed copy."""

    # Routing of v2 recruiting (NOTES sections 5, 13).
    require_beta: bool = False
    """The gateway answers 404 `apinot_found` unless the request carries `Beta: true`."""
    recruiting_enabled: bool = True
    """Off: every v2 recruiting route is a gateway 404, as for a tenant without the API."""

    # Paging (NOTES section 6.1).
    next_on_last_page: bool = False
    """On: every non-empty page has a `next`, and a page with empty `_data` ends the list."""
    next_points_to_itself: bool = False
    """`next` names the page that is being read."""
    next_is_relative: bool = False
    """`next` is a path without scheme and host."""
    next_keeps_query: bool = True
    """Off: `next` carries the cursor only; a client that does not repeat `limit` and filters loses them."""

    # Shapes (NOTES sections 7, 8).
    system_key_in: Literal["kind", "type"] = "kind"
    """Which stage field carries the system key; the other one carries `system` or `custom`."""
    stage_case: Literal["lower", "upper"] = "lower"
    builtin_stages_have_ids: bool = False
    """On: built-in stages carry an id and a name instead of two nulls."""
    category_stages: bool = True
    """Off: categories have no `stages`."""
    job_category: Literal["object", "string", "null"] = "object"
    """Shape of `category` on a job and on an application's job."""
    timestamps: Literal["naive", "offset"] = "naive"
    """Whether the timestamp objects carry an offset."""
    naive_means: Literal["local", "utc"] = "local"
    """What a naive timestamp is: time in its `timezone`, or UTC."""
    timestamp_key: Literal["date-time", "date_time", "date", "string"] = "date-time"
    """Key inside the timestamp object; `string` sends a bare string in its place."""
    timestamp_precision: Literal["milliseconds", "seconds"] = "milliseconds"
    wrap_single_objects: bool = False
    """On: `{id}` routes of recruiting wrap their object in `_data`."""
    wrap_short_lists: bool = True
    """Off: categories and stage transitions are bare arrays."""

    # Answers of v2 (NOTES sections 4, 6, 13).
    missing_scope_status: Literal[401, 403] = 403
    revoke_needs_bearer: bool = True
    both_updated_filters: Literal["refused", "last_wins"] = "refused"
    updated_filter_refused: bool = False
    """On: any `updated_at` filter on recruiting lists gives 400."""
    unknown_operator: Literal["ignored", "refused"] = "ignored"
    """What recruiting lists do with for instance `updated_at.gte`; persons always refuse it."""

    unknown_parameters: Literal["ignored", "refused"] = "ignored"
    """`refused` is stricter than the tool: any query name that v2 does not know gives 400, to find misspelt filters."""

    # Rate limits (NOTES section 14). 0 switches the limits of v1 and of the token endpoint off.
    v2_rate_limit: bool = True
    v2_rate_headers: bool = True
    v2_replenish_per_second: int = 200
    v2_burst: int = 400
    persons_replenish_per_second: int = 200
    """The notes saw 30 on a live tenant."""
    persons_burst: int = 400
    v2_retry_after: bool = False
    """On: 429 on v2 carries `Retry-After`, which was never seen live."""
    v1_requests_per_window: int = 20
    v1_window_seconds: int = 60
    v1_pause_seconds: int = 60
    token_requests_per_minute: int = 150

    # What a change does (NOTES section 23, questions 10 and 12).
    moves_bump_application: bool = True
    """Off: a stage move leaves `updated_at` of the application alone."""
    one_candidate_per_email: bool = True
    """Off: each v1 application creates its own candidate."""

    applications_bump_candidate: bool = False
    """On: a new application bumps `updated_at` of its candidate."""

    # Documents (NOTES section 11).
    documents_scan_seconds: float = 0
    """Downloads answer 409 until a file is this old."""
    documents_have_category: bool = True

    # v1 recruiting (NOTES sections 9, 13).
    v2_visible_after_seconds: float = 0
    """How old an application that v1 has created must be before v2 shows it, and its candidate if that is new."""
    v1_requires_answers: bool = False
    """On: an application without an answer that its job's form requires gives 400 `required-attribute`."""
    v1_recruiting_feature: bool = True
    """Off: 403 `feature.recruiting.disabled`."""
    v1_public_api_feature: bool = True
    """Off: 403 `feature.public-api.disabled`."""
    v1_unauthorized_body: Literal["empty", "json"] = "empty"
    upload_lifetime_seconds: float = 86400
    """How long an uploaded file waits to be attached; not known of the real tool."""
    upload_limit_bytes: int = 20 * 1024 * 1024

    # Career site (NOTES sections 10, 22a).
    feed: Literal["on", "off", "redirect", "malformed", "rate_limited", "unavailable"] = "on"
    """`off` is the career home page as HTML with status 200, `unavailable` is a 503."""
    feed_default_language: str = "de"
    feed_languages: tuple[str, ...] = field(default=("de", "en"))
    """Languages with texts of their own; the others show the default language."""
    form: Literal["on", "script_only", "off"] = "on"
    """`script_only` is a page whose form a browser would have to build; `off` answers 404."""
    form_required_mark: Literal["words", "star"] = "words"
    form_option_values: Literal["keys", "labels"] = "keys"

    def with_changes(self, changes: dict[str, Any]) -> Switches:
        """Return a copy with `changes` applied. Raises ValueError naming the switch that is unknown or ill-typed."""
        known = {item.name for item in fields(self)}
        for name in changes:
            if name not in known:
                raise ValueError(f"unknown switch {name!r}; known are {', '.join(sorted(known))}")
        merged = {**asdict(self), **changes}
        try:
            checked = msgspec.convert(merged, Switches)
        except msgspec.ValidationError as error:
            raise ValueError(str(error)) from error
        for language in (checked.feed_default_language, *checked.feed_languages):
            if language not in LANGUAGES:
                raise ValueError(f"unknown language {language!r}")
        return replace(checked)

    def as_dict(self) -> dict[str, Any]:
        """Return all switches by name."""
        return asdict(self)
