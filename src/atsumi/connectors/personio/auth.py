"""What Personio's APIs are shown: access tokens of v2 and of v1 personnel, and the recruiting key (NOTES section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from atsumi.connector.context import Context, Token
from atsumi.connector.http import Response, remote_message
from atsumi.connector.reading import as_object, as_text
from atsumi.connectors.personio.facts import MANIFEST, Settings
from atsumi.errors import AuthenticationFailed, PermissionMissing, RemoteCall, RemoteUnavailable, UnexpectedResponse
from atsumi.redaction import register_secret

_MARGIN_SECONDS = 300.0
_TEMPORARY = frozenset({"server_error", "temporarily_unavailable"})


class Authorization:
    """Gets tokens of v2 for one integration through the shared token store: client credentials, sent as a form.

    The tool hands out the same token for as long as it lives and tells the *remaining* seconds, so a fresh answer may
    be short-lived. Nothing is ever revoked: all processes of the customer hold the same token (section 4.1, I).
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._url = Settings.read(context.config).api_base_url + "/v2/auth/token"

    async def token(self, *, rejected: str | None = None) -> str:
        """A token that is valid now; another than ``rejected`` if the tool has another to give.

        Raises :class:`AuthenticationFailed` when the tool refuses the credentials, and the errors of a call.
        """
        return await self._context.tokens.get(self._refresh, rejected=rejected)

    async def granted_scopes(self) -> frozenset[str] | None:
        """The rights that the credentials hold, without the tool's prefix; ``None`` when the tool does not tell.

        Raises as :meth:`token`.
        """
        _, scope = await self._ask()
        words = frozenset(word.removeprefix("personio:") for word in (scope or "").split())
        return words or None

    async def _refresh(self) -> Token:
        token, _ = await self._ask()
        return token

    async def _ask(self) -> tuple[Token, str | None]:
        context = self._context
        client_id, client_secret = _credential(context, "client_id"), _credential(context, "client_secret")
        register_secret(client_secret)
        response = await context.http.request(
            "get token",
            "POST",
            self._url,
            bucket="token",
            limit=MANIFEST.limit("token"),
            limiter=context.limiter,
            data={"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret},
            max_bytes=64 * 1024,
        )
        if response.status in (400, 401, 403):
            raise _refused(response)
        body = as_object(response.json())
        value, seconds = body.get("access_token"), body.get("expires_in")
        if response.status != 200 or not isinstance(value, str) or not value:
            raise response.unexpected("the answer holds no access token", response.json())
        return _kept(context, value, seconds), as_text(body.get("scope"))


class PersonnelAuthorization:
    """Gets tokens of v1 personnel, which live beside those of v2 (section 4.2, C)."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._url = Settings.read(context.config).api_base_url + "/v1/auth"

    async def token(self, *, rejected: str | None = None) -> str:
        """As :meth:`Authorization.token`."""
        return await self._context.tokens.get(self._ask, rejected=rejected, name="personnel")

    async def _ask(self) -> Token:
        context = self._context
        client_id, client_secret = _credential(context, "client_id"), _credential(context, "client_secret")
        register_secret(client_secret)
        response = await context.http.request(
            "get personnel token",
            "POST",
            self._url,
            bucket="personnel_token",
            limit=MANIFEST.limit("personnel_token"),
            limiter=context.limiter,
            json={"client_id": client_id, "client_secret": client_secret},
            max_bytes=64 * 1024,
            pause=v1_pause_seconds,
        )
        if response.status in (400, 401, 403):
            raise AuthenticationFailed(
                response.call, "Personio refuses client id or client secret; connect again with new credentials"
            )
        data = as_object(as_object(response.json()).get("data"))
        value, seconds = data.get("token"), data.get("expires_in")
        if response.status != 200 or not isinstance(value, str) or not value:
            raise response.unexpected("the answer holds no access token", response.json())
        return _kept(context, value, seconds)


def recruiting_headers(context: Context, call: RemoteCall) -> Mapping[str, str]:
    """What v1 recruiting asks for: the recruiting key and the company's id (section 4.3, C).

    Raises :class:`PermissionMissing`, about ``call``, where the integration has one of them not.
    """
    key, company = _credential(context, "recruiting_key").strip(), _credential(context, "company_id").strip()
    for name, value in (("recruiting_key", key), ("company_id", company)):
        if not value:
            field = MANIFEST.field(name)
            what = f"the integration has no {field.label['en']}. {field.help['en']}"
            raise PermissionMissing(call, what, scope=field.label["en"])
    register_secret(key)
    return {"Authorization": f"Bearer {key}", "X-Company-ID": company}


def v1_pause_seconds(headers: Mapping[str, str]) -> float:
    """How long a 429 of v1 asks to wait, without saying so in a header (section 14, C)."""
    return 60.0


def _kept(context: Context, value: str, seconds: object) -> Token:
    """The token for as long as it is certainly good."""
    register_secret(value)
    lifetime = float(seconds) if isinstance(seconds, int | float) and seconds > 0 else _MARGIN_SECONDS
    return Token(value, context.now() + timedelta(seconds=lifetime - min(_MARGIN_SECONDS, lifetime / 10)))


def _credential(context: Context, name: str) -> str:
    return context.credentials.get(name) or context.config.get(name, "")


def _refused(response: Response) -> AuthenticationFailed | RemoteUnavailable | UnexpectedResponse:
    """All faults are answered with 400 and a flat object whose ``error`` tells them apart (section 4.1, C)."""
    try:
        body = as_object(response.json())
    except UnexpectedResponse as error:
        return error
    code, text = as_text(body.get("error")), as_text(body.get("error_description"))
    code = remote_message(code) if code else None
    if code is None:
        return response.unexpected("the token was refused without a reason", body)
    if code in _TEMPORARY:
        return RemoteUnavailable(response.call, f"no token at the moment ({code})")
    return AuthenticationFailed(
        response.call,
        f"Personio refuses client id or client secret ({code}); connect again with new credentials",
        remote_message=remote_message(text) if text else None,
    )
