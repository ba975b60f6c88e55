"""Where values of settings come from, and how a fault is told: by key, by place, by what is allowed instead."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, TomlConfigSettingsSource

ENV_PREFIX = "ATSUMI_"
CONFIG_FILE_VARIABLE = f"{ENV_PREFIX}CONFIG_FILE"
CONFIG_FILE_NAME = "atsumi.toml"

_OTHER_VARIABLES = (CONFIG_FILE_VARIABLE, f"{ENV_PREFIX}REFERENCE")
_TEST_PREFIX = f"{ENV_PREFIX}TEST_"
_KUBERNETES = re.compile(rf"{ENV_PREFIX}(\w+_)?(SERVICE_HOST|SERVICE_PORT\w*|PORT_\d+_\w+)$")
_KUBERNETES_HINT = (
    'it looks like a variable that Kubernetes sets for a service called "atsumi": '
    "set enableServiceLinks to false in the pod, or name the service otherwise"
)


@dataclass(slots=True)
class Gathered:
    """Values by field name, the place each one stands in, and what is wrong before any value is looked at."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def is_secret(settings: type[BaseSettings], name: str) -> bool:
    """Whether the field holds a secret, which may also be read from a file and is never shown."""
    return SecretStr in _types(settings.model_fields[name])


def allowed(settings: type[BaseSettings], name: str) -> str:
    """What the field takes, as a phrase in Markdown."""
    info = settings.model_fields[name]
    stated = extra(info).get("allowed")
    if stated:
        return stated
    types = _types(info)
    if bool in types:
        return "`true` or `false`"
    if get_origin(info.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(info.annotation))
    bounds: dict[str, object] = {}
    for constraint in info.metadata:
        bounds |= {side: getattr(constraint, side) for side in ("ge", "le") if hasattr(constraint, side)}
    kind = "a whole number" if int in types else "a number"
    return f"{kind} from {bounds['ge']} to {bounds['le']}"


def extra(info: FieldInfo) -> dict[str, str]:
    """What the reference says about the field beyond its type: ``unit``, ``allowed``, ``default``."""
    stated = info.json_schema_extra
    return {key: str(value) for key, value in stated.items()} if isinstance(stated, dict) else {}


def gather(settings: type[BaseSettings], overrides: Mapping[str, object]) -> Gathered:
    """Collect values from the command line, the environment and the TOML file; the first place that has one wins.

    Nothing is validated but that keys exist and files can be read; faults are collected in ``problems``.
    """
    gathered = Gathered()
    path = _config_file(gathered)
    if path is not None:
        _take_file(settings, path, gathered)
    _take_environment(settings, gathered)
    for name, value in overrides.items():
        gathered.values[name] = value
        gathered.places[name] = f"--{name.replace('_', '-')}"
    return gathered


def describe_problems(settings: type[BaseSettings], gathered: Gathered, error: ValidationError) -> list[str]:
    """One line for each fault: the place, the value unless it is secret, and what is allowed."""
    lines: list[str] = []
    for fault in error.errors(include_url=False, include_input=False):
        name = str(fault["loc"][0])
        place = gathered.places.get(name, name)
        if name not in settings.model_fields:
            lines.append(_unknown(place, name, settings.model_fields))
            continue
        shown = "the value" if is_secret(settings, name) else repr(gathered.values.get(name))
        reason = fault["msg"].removeprefix("Value error, ") if fault["type"] == "value_error" else "not allowed"
        line = f"{place}: {shown} is refused: {reason}; allowed: {allowed(settings, name).replace('`', '')}"
        if name == "port" and str(gathered.values.get(name)).startswith("tcp://"):
            line += f"; {_KUBERNETES_HINT}"
        # Each wrong entry of a list is a fault of its own.
        if line not in lines:
            lines.append(line)
    return lines


def _config_file(gathered: Gathered) -> Path | None:
    named = os.environ.get(CONFIG_FILE_VARIABLE)
    if not named:
        path = Path.cwd() / CONFIG_FILE_NAME
        return path if path.exists() else None
    path = Path(named).expanduser().absolute()
    if not path.is_file():
        gathered.problems.append(f"{CONFIG_FILE_VARIABLE}: there is no file {path}")
        return None
    return path


def _take_file(settings: type[BaseSettings], path: Path, gathered: Gathered) -> None:
    try:
        found = TomlConfigSettingsSource(settings, toml_file=path)()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        gathered.problems.append(f"{path} cannot be read: {_reason(error)}")
        return
    known = _keys(settings)
    gathered.problems += [_unknown(f"{key} in {path}", key, known) for key in found if key not in known]
    for name in settings.model_fields:
        place = f"{name} in {path}"
        if name in found:
            gathered.values[name] = found[name]
            gathered.places[name] = place
        if is_secret(settings, name) and f"{name}_file" in found:
            target = path.parent / Path(str(found[f"{name}_file"])).expanduser()
            _take_secret_file(name, target, f"{name}_file in {path}", name in found, gathered)
    folder = gathered.values.get("data_dir")
    if isinstance(folder, str):
        gathered.values["data_dir"] = str(path.parent / Path(folder).expanduser())


def _take_environment(settings: type[BaseSettings], gathered: Gathered) -> None:
    known = [_variable(name) for name in _keys(settings)]
    for name in os.environ:
        is_ours = name.upper().startswith(ENV_PREFIX) and not name.startswith(_TEST_PREFIX)
        if is_ours and name not in known and name not in _OTHER_VARIABLES:
            gathered.problems.append(_unknown(name, name.upper(), known))
    found = EnvSettingsSource(settings, env_prefix=ENV_PREFIX, env_ignore_empty=True)()
    for name in settings.model_fields:
        if name in found:
            gathered.values[name] = found[name]
            gathered.places[name] = _variable(name)
        if is_secret(settings, name) and os.environ.get(_variable(f"{name}_file")):
            target = Path(os.environ[_variable(f"{name}_file")]).expanduser().absolute()
            _take_secret_file(name, target, _variable(f"{name}_file"), name in found, gathered)


def _take_secret_file(name: str, path: Path, place: str, is_given_twice: bool, gathered: Gathered) -> None:
    if is_given_twice:
        gathered.problems.append(f"{place}: the value is also given directly; remove one of the two")
        return
    try:
        value = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        gathered.problems.append(f"{place}: {path} cannot be read: {_reason(error)}")
        return
    if not value:
        gathered.problems.append(f"{place}: {path} is empty")
        return
    gathered.values[name] = value
    gathered.places[name] = f"{place} ({path})"


def _keys(settings: type[BaseSettings]) -> list[str]:
    """What may stand in the TOML file, and in capitals behind the prefix in the environment."""
    names = list(settings.model_fields)
    return [*names, *(f"{name}_file" for name in names if is_secret(settings, name))]


def _unknown(place: str, key: str, known: Iterable[str]) -> str:
    if _KUBERNETES.match(key):
        return f"{place} is not a setting: {_KUBERNETES_HINT}"
    closest = difflib.get_close_matches(key, list(known), n=1, cutoff=0.6)
    hint = f"did you mean {closest[0]}?" if closest else "docs/configuration.md lists the settings"
    return f"{place} is not a setting: {hint}"


def _variable(name: str) -> str:
    return f"{ENV_PREFIX}{name.upper()}"


def _types(info: FieldInfo) -> tuple[object, ...]:
    return (info.annotation, *get_args(info.annotation))


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    # The decoder's message names line and column; a UnicodeDecodeError would show the bytes.
    return str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is not UTF-8"
