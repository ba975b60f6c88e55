"""Secrets at rest: AES-256-GCM envelopes.

Layout of a sealed value: ``A1`` · key id (8) · nonce (12) · wrapped data key (48) · nonce (12) · ciphertext and tag.
Each value has a data key of its own, wrapped by the master key that the key id names. The associated data ties a
value to its owner, so that a ciphertext copied into another row does not open there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from atsumi.errors import ConfigurationError

_VERSION = b"A1"
_ID = 8
_NONCE = 12
_WRAPPED = 32 + 16
_HEADER = len(_VERSION) + _ID + _NONCE + _WRAPPED + _NONCE

KEY_BYTES = 32


class Vault:
    """Seals with the first master key, opens with any of them."""

    def __init__(self, master_keys: Iterable[bytes]) -> None:
        """``master_keys``: 32 random bytes each, the present one first. Raises ``ConfigurationError`` otherwise."""
        keys = list(master_keys)
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ConfigurationError("ATSUMI_MASTER_KEY: every key must be 32 bytes, written in base64")
        self._current = keys[0]
        self._by_id = {_key_id(key): key for key in keys}

    def seal(self, plain: bytes, *, owner: str) -> bytes:
        """Encrypt for ``owner`` (tenant, integration and field joined by the caller)."""
        data_key = AESGCM.generate_key(bit_length=256)
        bound = owner.encode()
        wrap_nonce, nonce = os.urandom(_NONCE), os.urandom(_NONCE)
        wrapped = AESGCM(self._current).encrypt(wrap_nonce, data_key, bound)
        sealed = AESGCM(data_key).encrypt(nonce, plain, bound)
        return _VERSION + _key_id(self._current) + wrap_nonce + wrapped + nonce + sealed

    def open(self, sealed: bytes, *, owner: str) -> bytes:
        """Decrypt what :meth:`seal` made for the same owner.

        Raises :class:`ConfigurationError` when the master key is not among ours, or the value is damaged or belongs
        to another owner.
        """
        if len(sealed) <= _HEADER or sealed[:2] != _VERSION:
            raise ConfigurationError(f"The stored secret of {owner} is damaged: it is not an envelope of ours.")
        at = len(_VERSION)
        key_id, at = sealed[at : at + _ID], at + _ID
        wrap_nonce, at = sealed[at : at + _NONCE], at + _NONCE
        wrapped, at = sealed[at : at + _WRAPPED], at + _WRAPPED
        nonce, at = sealed[at : at + _NONCE], at + _NONCE
        master = self._by_id.get(key_id)
        if master is None:
            raise ConfigurationError(
                f"ATSUMI_MASTER_KEY: the secret of {owner} was sealed with another master key "
                f"(key id {key_id.hex()}). Give that key as well."
            )
        bound = owner.encode()
        try:
            data_key = AESGCM(master).decrypt(wrap_nonce, wrapped, bound)
            return AESGCM(data_key).decrypt(nonce, sealed[at:], bound)
        except InvalidTag:
            raise ConfigurationError(f"The stored secret of {owner} is damaged or belongs to another owner.") from None

    def derive(self, purpose: str) -> bytes:
        """A 32-byte key for another use, from the present master key."""
        return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode()).derive(self._current)


def _key_id(key: bytes) -> bytes:
    return sha256(b"atsumi key id" + key).digest()[:_ID]
