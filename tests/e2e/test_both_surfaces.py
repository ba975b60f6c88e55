"""One store behind two surfaces: each field of each Bindbee document, and what Kombo shows of the same record.

Every field stands either in a table of pairs, with the conversion between the two spellings, or among those that
Kombo does not show, with the reason. A field that stands nowhere fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

from atsumi.dialects.bindbee.fields import FIELDS, Always
from atsumi.dialects.bindbee.tests.samples import RECORDS
from atsumi.server.services import DialectServices
from atsumi.store.tenants import set_remote_data
from bindbee_reader import NAMES, bindbee_of
from harness import LISTS, Account, Product
from pairs_kit import Both, Document, Shown
from pairs_table import NEVER, TABLE


async def both_of(account: Account) -> Both:
    """Everything that both surfaces show of an account, raw data included."""
    await set_remote_data(account.pool, account.number, True)
    bindbee = await bindbee_of(account)
    wanted = {"include_raw_data": "true", "include_custom_fields": "true"}
    return Both(
        account,
        {name: by_id(await bindbee.rows(name, **wanted)) for name in NAMES},
        {name: by_id(await account.rows(name)) for name in LISTS},
    )


def by_id(rows: Iterable[Document]) -> Mapping[str, Document]:
    return {row["id"]: row for row in rows}


def compare(both: Both, name: str) -> set[str]:
    """Compare one list; the fields that had a value to compare."""
    table = TABLE[name]
    theirs = table.records(both)
    rows = {row["remote_id"]: row for row in both.bindbee[name].values()}
    if table.is_partial:
        assert set(theirs) <= set(rows)
    else:
        assert set(theirs) == set(rows)
    compared: set[str] = set()
    for remote_id, document in theirs.items():
        one = Shown(rows[remote_id], document, both)
        for field_name, pair in table.pairs.items():
            ours = one.ours[field_name] if pair.ours is None else pair.ours(one)
            assert ours == pair.theirs(one), f"{field_name} of {name} {remote_id}"
            if ours not in (None, [], {}):
                compared.add(field_name)
    for row in rows.values():
        assert set(row) == set(FIELDS[name])
        assert {row[field_name] for field_name, why in table.not_shown.items() if why is NEVER} <= {None}
    return compared


@pytest.mark.parametrize("name", NAMES)
def test_every_field_is_compared_or_said_not_to_be_shown(name: str) -> None:
    table = TABLE[name]
    assert set(table.pairs) | set(table.not_shown) == set(FIELDS[name])
    assert set(table.pairs) & set(table.not_shown) == set()
    empty = {field_name for field_name, source in FIELDS[name].items() if source is Always.NEVER}
    assert {field_name for field_name, why in table.not_shown.items() if why is NEVER} == empty


@pytest.fixture(scope="module")
async def read(product: Product, company: Account) -> Both:
    """The company once more, with what is read in the background."""
    account = await product.synced(company.simulator)
    await account.background()
    return await both_of(account)


@pytest.fixture(scope="module")
async def written(product: Product) -> Both:
    """The sample account, in which everything has a value, of a tool that knows every model."""
    bindbee = await bindbee_of(await product.synced(applications=0, jobs=0))
    await bindbee.write(RECORDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DialectServices, "supported_fields", lambda services, tool, model: {"remote_id": "supported"})
        return await both_of(bindbee.account)


READ = set(NAMES) - {"scheduled-interviews", "offers", "reject-reasons", "tags", "activities", "scorecards", "eeocs"}
"""What Personio's documented API gives something for."""


@pytest.mark.parametrize("name", NAMES)
def test_both_surfaces_show_the_same_of_a_company(read: Both, name: str) -> None:
    assert bool(compare(read, name)) is (name in READ)


@pytest.mark.parametrize("name", NAMES)
def test_both_surfaces_show_the_same_where_everything_has_a_value(written: Both, name: str) -> None:
    assert compare(written, name) >= set(TABLE[name].pairs) - {"raw_data"}
