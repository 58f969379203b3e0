"""Settings: what is set, with its unit, its default and its sentence. Of secrets only whether they are set."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import msgspec
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from console.api.calls import Call
from console.api.operations import Routes
from console.api.pages import Page
from console.api.rights import of_all_sites
from custom_events.access.roles import Role
from custom_events.settings import Settings, variable_of

ROUTES: Final = Routes("settings", "What this console's process is set to. Settings are changed in its environment.")

MANAGE: Final = of_all_sites(Role.ADMINISTRATOR)
_UNITS: Final = {
    "days": "days",
    "s": "seconds",
    "h": "hours",
    "bytes": "bytes",
    "ms": "milliseconds",
    "day": "a day",
    "minute": "a minute",
}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting. `variable`: of the environment; `value` and `default` as text, null: none; of a secret (`is_secret`) both are null; `is_set`: it differs from
    its default; `unit` where it has one; `meaning` in a sentence."""

    name: str
    variable: str
    value: str | None
    default: str | None
    is_set: bool
    is_secret: bool
    unit: str | None
    meaning: str


_EXAMPLE: Final = Setting(
    name="raw_retention_days",
    variable="CUSTOM_EVENTS_RAW_RETENTION_DAYS",
    value="90",
    default="90",
    is_set=False,
    is_secret=False,
    unit="days",
    meaning="Days that raw events (bodies) are kept before their partition is dropped.",
)


@ROUTES.get("/settings", right=MANAGE, answer=Page[Setting], example=Page(items=(_EXAMPLE,), next=None))
def list_settings(call: Call) -> Page[Setting]:
    """Every setting as this process has it, in the order of the manual's page; others may have been started with another environment."""
    items = tuple(described(call.settings, name, field) for name, field in Settings.model_fields.items())
    return Page(items=items, next=None)


def described(settings: Settings, name: str, field: FieldInfo) -> Setting:
    """A setting as it is told."""
    value = getattr(settings, name)
    default = None if field.default is PydanticUndefined else field.default
    is_secret = "SecretStr" in str(field.annotation)
    return Setting(
        name=name,
        variable=variable_of(name),
        value=None if is_secret else _shown(value),
        default=None if is_secret else _shown(default),
        is_set=value != default,
        is_secret=is_secret,
        unit=_UNITS.get(name.rpartition("_")[2]),
        meaning=field.description or "",
    )


def _shown(value: Any) -> str | None:
    """A value as text; of an address without what lets one in."""
    if value is None or isinstance(value, SecretStr):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Path):
        return str(value)
    text = str(value)
    return _without_login(text) if "://" in text else text


def _without_login(address: str) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))
