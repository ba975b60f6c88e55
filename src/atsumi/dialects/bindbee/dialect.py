"""The facts of this dialect."""

from __future__ import annotations

from atsumi.dialects.facts import load_dialect

DIALECT = load_dialect(__package__)
"""The Bindbee dialect, as its ``dialect.toml`` states it."""
