"""What the database holds, as a catalog: with the revisions that a change begins from, and a fingerprint of each part."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from custom_events.catalog.configurations import to_plain
from custom_events.catalog.files.documents import (
    AccountFile,
    ActionEntry,
    AssignmentEntry,
    Catalog,
    DefinitionFile,
    Kind,
    SiteFile,
    plain,
)
from custom_events.catalog.files.folder import file_of
from custom_events.errors import NeedsAction
from custom_events.matching.system import SYSTEM_DEFINITIONS
from custom_events.queries import ads as ads_queries
from custom_events.queries import catalog as queries
from custom_events.queries.revisions import ASSIGNMENTS, DEFINITIONS, RevisionTable

_Document = TypeVar("_Document", bound=msgspec.Struct)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """A revision that a change may begin from."""

    number: int
    state: str
    payload: dict[str, Any]
    author: str
    created_at: datetime


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """A definition or an assignment: its id, what applies, and what was written last."""

    id: int
    published: Head | None
    newest: Head

    @property
    def shown(self) -> Head:
        """What a file says: what applies; where nothing does, what was written last."""
        return self.published or self.newest


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """The database's configuration at one moment. Assignments by site key, definition and label."""

    catalog: Catalog
    definitions: dict[str, Owner]
    sites: dict[str, int]
    assignments: dict[tuple[str, str, str], Owner]

    def fingerprints(self) -> dict[str, str]:
        """A digest for each file that an export would write. Drafts count: they are what somebody is about to publish."""
        numbers: dict[str, list[Any]] = {}
        for key, owner in self.definitions.items():
            numbers.setdefault(file_of(Kind.DEFINITION, key), []).append([owner.newest.number, owner.newest.state])
        for (site_key, *name), owner in self.assignments.items():
            numbers.setdefault(file_of(Kind.SITE, site_key), []).append(
                [*name, owner.newest.number, owner.newest.state]
            )
        prints: dict[str, str] = {}
        for kind in Kind:
            for key, document in self.catalog.of(kind).items():
                name = file_of(kind, key)
                whole = msgspec.json.encode([plain(document), numbers.get(name, [])])
                prints[name] = hashlib.sha256(whole).hexdigest()
        return prints


def read(connection: sa.Connection) -> Stored:
    """Everything that is configured. Raises NeedsAction when a stored configuration cannot be read by this version."""
    definitions = _owners(connection, DEFINITIONS)
    own = _owners(connection, ASSIGNMENTS)
    found_definitions: dict[str, DefinitionFile] = {}
    owners: dict[str, Owner] = {}
    for row in queries.definitions(connection):
        owner = owners[row.key] = definitions[row.id]
        facts = {"name": row.name, "description": row.description, "published": owner.published is not None}
        found_definitions[row.key] = _as(DefinitionFile, {**owner.shown.payload, **facts}, f'definition "{row.key}"')
    entries: dict[str, list[AssignmentEntry]] = {}
    assignments: dict[tuple[str, str, str], Owner] = {}
    for row in queries.assignments(connection):
        owner = assignments[row.site_key, row.definition_key, row.label] = own[row.id]
        facts = {
            "definition": row.definition_key,
            "label": row.label,
            "active": row.is_active,
            "published": owner.published is not None,
        }
        entry = _as(AssignmentEntry, {**owner.shown.payload, **facts}, f"assignment {row.id}")
        entries.setdefault(row.site_key, []).append(entry)
    ids: dict[str, int] = {}
    sites: dict[str, SiteFile] = {}
    for row in queries.all_sites(connection):
        ids[row.site_key] = row.id
        columns = ("name", "platform", "shop_domain", "currency", "time_zone", "settings")
        facts = {name: getattr(row, name) for name in columns} | {"active": row.is_active}
        site = _as(SiteFile, facts, f'site "{row.site_key}"')
        sites[row.site_key] = msgspec.structs.replace(
            site, assignments=tuple(sorted(entries.get(row.site_key, ()), key=_name))
        )
    catalog = Catalog(accounts=_accounts(connection), definitions=found_definitions, sites=sites)
    return Stored(catalog=catalog, definitions=owners, sites=ids, assignments=assignments)


def exported(catalog: Catalog) -> Catalog:
    """What an export writes: without the definitions that are as the product ships them."""
    own = {
        key: definition_file
        for key, definition_file in catalog.definitions.items()
        if not _is_as_shipped(key, definition_file)
    }
    return msgspec.structs.replace(catalog, definitions=own)


def _name(entry: AssignmentEntry) -> tuple[str, str]:
    return entry.name  # sorted here: the database's order depends on its locale


def _is_as_shipped(key: str, definition: DefinitionFile) -> bool:
    shipped = SYSTEM_DEFINITIONS.get(key)
    return (
        shipped is not None
        and definition.published
        and (definition.name, definition.description) == (shipped.name, shipped.description)
        and to_plain(definition.config) == to_plain(shipped.config)
    )


def _accounts(connection: sa.Connection) -> dict[str, AccountFile]:
    actions: dict[str, dict[str, ActionEntry]] = {}
    for row in ads_queries.actions(connection, None):
        facts = {name: getattr(row, name) for name in ActionEntry.__struct_fields__}
        entry = _as(ActionEntry, facts, f"ads action {row.customer_id}/{row.action_id}")
        actions.setdefault(row.customer_id, {})[row.action_id] = entry
    columns = ("name", "lane", "login_customer_id", "currency", "time_zone")
    return {
        row.customer_id: _as(
            AccountFile,
            {name: getattr(row, name) for name in columns} | {"actions": actions.get(row.customer_id, {})},
            f"ads account {row.customer_id}",
        )
        for row in ads_queries.accounts(connection)
    }


def _owners(connection: sa.Connection, kind: RevisionTable) -> dict[int, Owner]:
    published: dict[int, Head] = {}
    newest: dict[int, Head] = {}
    for row in queries.revisions(connection, kind):
        head = Head(
            number=row.number, state=row.state, payload=row.payload, author=row.author, created_at=row.created_at
        )
        if row.state == "published":
            published[row.owner_id] = head
        if row.is_newest:
            newest[row.owner_id] = head
    return {owner: Owner(id=owner, published=published.get(owner), newest=head) for owner, head in newest.items()}


def _as(kind: type[_Document], facts: Mapping[str, Any], name: str) -> _Document:
    try:
        return msgspec.convert(facts, kind)
    except msgspec.ValidationError as error:
        raise NeedsAction(
            f"What is stored of {name} cannot be read by this version ({error}). Was it written by a newer one?"
        ) from None
