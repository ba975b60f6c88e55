"""The master key as text and as a file of the data folder."""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import secrets
import tempfile
from pathlib import Path

from atsumi.redaction import register_secret

MASTER_KEY_BYTES = 32


def decode_master_key(text: str) -> bytes:
    """32 bytes from their base64, in the standard or the URL alphabet. Raises ``ValueError`` for anything else."""
    plain = text.strip().replace("-", "+").replace("_", "/").rstrip("=")
    try:
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("this is not base64") from None
    if len(key) != MASTER_KEY_BYTES:
        raise ValueError(f"these are {len(key)} bytes in base64, not {MASTER_KEY_BYTES}")
    register_secret(text)
    register_secret(key.hex())
    return key


def generate_master_key(path: Path) -> None:
    """Write a new key into a file of mode 0600, whole or not at all; a file that exists stays. Raises ``OSError``."""
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".master.key-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode() + "\n")
            file.flush()
            os.fsync(file.fileno())
        # Linking fails where another process was faster, so a key that is in use is never replaced.
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.unlink(temporary)
