"""Names of files, as strangers send them."""

from __future__ import annotations

import pytest

from atsumi.connector.files import file_name


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="cv.pdf"', "cv.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ("attachment; filename=..", None),
        ("attachment; filename=.", None),
        ('attachment; filename="a/.."', None),
        ("attachment; filename*=utf-8''%2E%2E", None),
        ("attachment", None),
    ],
)
def test_a_name_is_no_way_to_a_folder(disposition: str, name: str | None) -> None:
    assert file_name(disposition) == name
