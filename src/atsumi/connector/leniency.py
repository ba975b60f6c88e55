"""Reading JSON that is slightly broken: one applicant's half emoji must not stop a company's sync.

What cannot be kept is replaced, so that what comes out can be written as JSON and stored anywhere.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

_REPLACEMENT = rb"\ufffd"
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lost>u(?:[dD][89a-fA-F][0-9a-fA-F]{2}|0000))|.)",
    re.DOTALL,
)
"""An escape; ``lost`` is half a surrogate pair, or NUL, which no database keeps as text."""
_MOST_DIGITS = 300
"""Of a whole number; a longer one becomes text."""


def decode_leniently(body: bytes) -> object:
    """The JSON value of a document.

    Half a surrogate pair, NUL and bytes that are no UTF-8 become U+FFFD, a number beyond every range becomes ``None``
    or, if whole, text. Raises :class:`ValueError` when it is no JSON or nested too deeply.
    """
    try:
        if b"\\u0000" not in body:
            return msgspec.json.decode(body)
        return msgspec.json.decode(_mended(body))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _decode_slowly(_mended(body))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _mended(body: bytes) -> bytes:
    return _ESCAPE.sub(lambda match: _REPLACEMENT if match["lost"] else match[0], body)


def _decode_slowly(body: bytes) -> object:
    text = body.decode("utf-8-sig", "replace")
    try:
        return json.loads(text, parse_int=_whole, parse_float=_float, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= _MOST_DIGITS else text


def _float(text: str) -> float | None:
    found = float(text)
    return found if abs(found) != float("inf") else None


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")
