"""What may be said about an answer without saying what is in it: its shape and its address."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit, urlunsplit

from atsumi.redaction import redact_text

_HIDDEN = "..."
_PLAIN_PARAMETERS = frozenset({"limit", "offset", "page", "language", "updated_at.gt", "updated_at.lt"})


def plain_url(url: str) -> str:
    """A URL fit for logs: no user part, no fragment, parameter values only where they are known to be harmless."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(
        f"{name}={value if name in _PLAIN_PARAMETERS else _HIDDEN}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    )
    return redact_text(urlunsplit((parts.scheme, host, parts.path, query, "")))


def describe_shape(value: object, *, depth: int = 3) -> str:
    """Keys and types of a decoded JSON value, never its values: ``{errors: [{title: str}] x 1}``.

    Keys that do not look like field names are hidden, since they might be data.
    """
    if isinstance(value, dict):
        if depth == 0:
            return "{...}"
        shown = sorted(value.items(), key=lambda item: str(item[0]))[:20]
        parts = [f"{_key(key)}: {describe_shape(item, depth=depth - 1)}" for key, item in shown]
        return "{" + ", ".join(parts + ["..."] * (len(value) > len(shown))) + "}"
    if isinstance(value, list):
        return f"[{describe_shape(value[0], depth=depth - 1)}] x {len(value)}" if value and depth else "[]"
    return "null" if value is None else type(value).__name__


def _key(key: object) -> str:
    text = str(key)
    return text if len(text) <= 40 and text.replace("_", "").replace("-", "").isalnum() and text.isascii() else _HIDDEN
