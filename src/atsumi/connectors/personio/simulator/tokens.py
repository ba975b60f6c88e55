"""Client credentials and the tokens they are exchanged for (Personio NOTES section 4.1). No HTTP."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from atsumi.connectors.personio.simulator.clock import Clock
from atsumi.connectors.personio.simulator.records import Credential

LIFETIME_SECONDS = 86400


@dataclass(frozen=True)
class Token:
    """An access token: `expires_at` in milliseconds."""

    value: str
    client_id: str
    scopes: frozenset[str]
    expires_at: int


class Tokens:
    """The credentials of the company and the living tokens."""

    def __init__(self, clock: Clock, seed: int) -> None:
        self._clock = clock
        self._seed = seed
        self._issued = 0
        self.credentials: dict[str, Credential] = {}
        self._tokens: dict[str, Token] = {}

    def grant(self, credential: Credential, scopes: frozenset[str]) -> tuple[Token, int]:
        """Return the token of the credential for these scopes and its remaining seconds; while it lives, the same."""
        now = self._clock.milliseconds()
        for token in self._tokens.values():
            if token.client_id == credential.client_id and token.scopes == scopes and token.expires_at > now:
                return token, (token.expires_at - now) // 1000
        self._issued += 1
        digest = hashlib.sha512(f"{self._seed}/{credential.client_id}/{self._issued}".encode()).digest()
        value = "papi-" + base64.urlsafe_b64encode(digest).decode().rstrip("=")
        token = Token(value, credential.client_id, scopes, now + LIFETIME_SECONDS * 1000)
        self._tokens[value] = token
        return token, LIFETIME_SECONDS

    def find(self, value: str) -> Token | None:
        """Return the token if it lives and its credential still exists."""
        token = self._tokens.get(value)
        if token is None or token.expires_at <= self._clock.milliseconds() or token.client_id not in self.credentials:
            return None
        return token

    def revoke(self, value: str) -> None:
        """End a token for everybody who holds it; an unknown one is no error."""
        self._tokens.pop(value, None)

    def revoke_all(self) -> None:
        """End all tokens, as if they had expired."""
        self._tokens.clear()
