"""`python -m atsumi.server` is the `atsumi` command, for starting it without its script."""

from __future__ import annotations

from atsumi.server.cli import main

main()
