"""What the files of a folder hold, as values: one definition, one site with its assignments, one ads account with its actions.

A file's name is the key of what it holds, and only what differs from the defaults is written. `published: false` means that
nothing of it applies; a draft beside what is published is work in progress and stays in the database.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

import msgspec

from custom_events.catalog.ads import WINDOW_LIMIT_DAYS
from custom_events.catalog.sites import SiteSettings
from custom_events.values.conversions import Lane
from custom_events.values.definitions import DefinitionConfig, Overrides
from custom_events.values.deliveries import Platform

_Config = TypeVar("_Config", DefinitionConfig, Overrides)


class DefinitionFile(DefinitionConfig, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """definitions/<key>.yaml: a custom event. Its settings stand beside its name."""

    name: str
    description: str = ""
    published: bool = True

    @property
    def config(self) -> DefinitionConfig:
        """The settings alone."""
        return _part(self, DefinitionConfig)


class AssignmentEntry(Overrides, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One of a site's assignments: a definition under a label, and what it overrides."""

    definition: str
    label: str
    active: bool = True
    published: bool = True

    @property
    def overrides(self) -> Overrides:
        """The overrides alone."""
        return _part(self, Overrides)

    @property
    def name(self) -> tuple[str, str]:
        """What tells it apart on its site."""
        return self.definition, self.label


class SiteFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """sites/<site key>.yaml: a store, without its secrets."""

    name: str
    platform: Platform
    shop_domain: str | None = None
    currency: str | None = None
    time_zone: str = "UTC"
    active: bool = True
    settings: SiteSettings = SiteSettings()
    assignments: tuple[AssignmentEntry, ...] = ()


class ActionEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A conversion action of the account, by Google's id of it."""

    name: str
    action_type: str = "UPLOAD_CLICKS"
    click_window_days: int = WINDOW_LIMIT_DAYS
    one_per_click: bool = False


class AccountFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """ads/<customer id>.yaml: a Google Ads account as far as it is configured here; where it stands at Google is not."""

    name: str
    lane: Lane
    login_customer_id: str | None = None
    currency: str | None = None
    time_zone: str = "UTC"
    actions: dict[str, ActionEntry] = {}


class Kind(StrEnum):
    """The folders, in the order in which their files are applied."""

    ACCOUNT = "ads"
    DEFINITION = "definitions"
    SITE = "sites"


Document = DefinitionFile | SiteFile | AccountFile
STRUCTS: dict[Kind, type[DefinitionFile] | type[SiteFile] | type[AccountFile]] = {
    Kind.ACCOUNT: AccountFile,
    Kind.DEFINITION: DefinitionFile,
    Kind.SITE: SiteFile,
}


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is configured, or what a folder says of it. Keys: customer ids, definition keys, site keys."""

    accounts: dict[str, AccountFile] = {}
    definitions: dict[str, DefinitionFile] = {}
    sites: dict[str, SiteFile] = {}

    def of(self, kind: Kind) -> dict[str, Any]:
        """The documents of one folder."""
        return {Kind.ACCOUNT: self.accounts, Kind.DEFINITION: self.definitions, Kind.SITE: self.sites}[kind]

    def with_others(self, others: "Catalog") -> "Catalog":
        """This, and of `others` what this does not name: what there would be after applying this to them."""
        accounts = {**others.accounts, **self.accounts}
        sites = {**others.sites, **self.sites}
        for customer_id, account in self.accounts.items():
            if customer_id in others.accounts:
                actions = {**others.accounts[customer_id].actions, **account.actions}
                accounts[customer_id] = msgspec.structs.replace(account, actions=actions)
        for site_key, site in self.sites.items():
            if site_key in others.sites:
                named = {entry.name for entry in site.assignments}
                kept = tuple(entry for entry in others.sites[site_key].assignments if entry.name not in named)
                sites[site_key] = msgspec.structs.replace(site, assignments=site.assignments + kept)
        definitions = {**others.definitions, **self.definitions}
        return Catalog(accounts=accounts, definitions=definitions, sites=sites)


FIRST = (
    "name",
    "description",
    "definition",
    "label",
    "platform",
    "published",
    "active",
)  # then the struct's own order


def plain(document: msgspec.Struct) -> dict[str, Any]:
    """A document as it is written: defaults left out, decimals exact, in one order of keys."""
    values: dict[str, Any] = msgspec.to_builtins(document, builtin_types=(Decimal,), str_keys=True)
    fields = document.__struct_fields__
    ordered = [*(name for name in FIRST if name in values), *(name for name in fields if name not in FIRST)]
    result = {name: values[name] for name in ordered if name in values}
    if isinstance(document, SiteFile) and document.assignments:
        result["assignments"] = [plain(entry) for entry in document.assignments]
    return _as_lists(result)


_LEAF = (
    "field",
    "measure",
    "items",
    "op",
    "value",
    "currency",
    "ignore_case",
)  # as one says it; jsonb has its own order


def _as_lists(value: Any) -> Any:
    """JSON has no tuples, and the keys of a condition come in one order."""
    match value:
        case dict() if "op" in value:
            names = [*(name for name in _LEAF if name in value), *sorted(value.keys() - set(_LEAF))]
            return {name: _as_lists(value[name]) for name in names}
        case dict():
            return {name: _as_lists(part) for name, part in value.items()}
        case list() | tuple():
            return [_as_lists(part) for part in value]
        case _:
            return value


def _part(whole: msgspec.Struct, kind: type[_Config]) -> _Config:
    return kind(**{name: getattr(whole, name) for name in kind.__struct_fields__})
