"""Proving an account's credentials before they are saved (Personio NOTES section 19, point 8)."""

from __future__ import annotations

from atsumi.connector.context import Context
from atsumi.connector.contract import Account
from atsumi.connector.reading import as_object, as_text
from atsumi.connectors.personio.client import PersonioClient
from atsumi.connectors.personio.facts import Settings
from atsumi.connectors.personio.feed import CareerSiteUnknown, read_feed
from atsumi.errors import InvalidInput, PermissionMissing


async def check(context: Context) -> Account:
    """Ask for a token, the categories, a person and the feed, and say whose account it is.

    Reading recruiting data is indispensable and its lack is raised. Reading persons and the XML feed are not (the
    smallest plan has no feed): their lack stands in ``Account.lacks``.

    The account's id is the company's number as categories or jobs show it (section 7, L), else the one typed in, else
    the career page's name. Raises :class:`InvalidInput` at ``company`` when no career site has that name and at
    ``company_id`` when the credentials belong to another company, and the errors of the client.
    """
    settings = Settings.read(context.config)
    client = PersonioClient(context)
    items, _ = await client.categories()
    found = _company_of(items)
    if found is None:
        async for page in client.jobs({"limit": "1"}):
            found = _company_of(list(page.items))
            break
    if found is not None and settings.company_id is not None and found != settings.company_id:
        raise InvalidInput("personio: the credentials belong to another company than this id", path="company_id")
    lacks: list[PermissionMissing] = []
    try:
        await client.check_persons()
    except PermissionMissing as error:
        lacks.append(error)
    try:
        await read_feed(context, settings.languages[0])
    except CareerSiteUnknown as error:
        raise InvalidInput("personio: no career page has this name", path="company") from error
    except PermissionMissing as error:
        lacks.append(error)
    return Account(found or settings.company_id or settings.company, settings.company, lacks)


def _company_of(items: list[object]) -> str | None:
    numbers = (as_text(as_object(as_object(item).get("company")).get("id")) for item in items)
    return next((number for number in numbers if number is not None), None)
