"""Definitions: named, versioned custom events. What one does stands in its revisions (`revisions.py`).

Every function takes a connection inside the caller's transaction, and who acts; each change leaves an audit entry.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from custom_events.catalog import ads, audit, diff, revisions
from custom_events.catalog.configurations import read_config, read_overrides, to_plain
from custom_events.catalog.revisions import Revision
from custom_events.catalog.wholes import whole_problems
from custom_events.conditions.problems import Severity
from custom_events.errors import InvalidConfiguration, NeedsAction, NotFound, Permanent
from custom_events.queries import assignments as assignment_queries
from custom_events.queries import definitions as queries
from custom_events.queries import revisions as revision_queries
from custom_events.queries.revisions import DEFINITIONS
from custom_events.values.definitions import DefinitionConfig

KEY = re.compile(r"[a-z][a-z0-9_]{1,62}\Z")
KEY_RULE = "lower-case letters, digits and _, beginning with a letter, 2 to 63"
SYSTEM_NOT_DELETED = "system_definition"

Config = Mapping[str, Any] | DefinitionConfig


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A definition. `published_number` is None while nothing of it applies; `newest_number` is what an edit begins from."""

    id: int
    key: str
    name: str
    description: str
    is_system: bool
    published_number: int | None
    newest_number: int
    created_at: datetime
    updated_at: datetime


def create(
    connection: sa.Connection,
    *,
    key: str,
    name: str,
    config: Config,
    author: str,
    description: str = "",
    reason: str = "",
    is_system: bool = False,
) -> Definition:
    """A new definition with its first revision as a draft.

    Raises InvalidConfiguration for a key or configuration that cannot be used, NeedsAction when the key is taken.
    """
    if not KEY.match(key):
        raise InvalidConfiguration(f'"{key}" is not a key: {KEY_RULE}', path="key")
    plain = to_plain(read_config(config))
    made = queries.add(connection, key=key, name=name, description=description, is_system=is_system)
    if made is None:
        raise NeedsAction(f'There is a definition "{key}" already: draft a revision of it, or choose another key.')
    revisions.draft(connection, DEFINITIONS, made, plain, expected=0, author=author, reason=reason, name=_name(key))
    _record(connection, author, "create", key, changes=diff.lines({}, plain), reason=reason)
    return get(connection, key)


def get(connection: sa.Connection, key: str) -> Definition:
    """The definition of this key. Raises NotFound, naming those that exist."""
    row = queries.by_key(connection, key)
    if row is None:
        raise NotFound(
            f'There is no definition "{key}". There are: {", ".join(queries.keys(connection)) or "none"}.',
            what="definition",
        )
    return msgspec.convert(row, Definition, from_attributes=True)


def all_of(connection: sa.Connection) -> list[Definition]:
    """Every definition, ours first."""
    return [msgspec.convert(row, Definition, from_attributes=True) for row in queries.all_of(connection)]


def rename(
    connection: sa.Connection, key: str, *, name: str, author: str, description: str | None = None
) -> Definition:
    """Change the name and the description, which are for people and not versioned."""
    old = get(connection, key)
    told = old.description if description is None else description
    queries.rename(connection, old.id, name=name, description=told)
    before, after = {"name": old.name, "description": old.description}, {"name": name, "description": told}
    _record(connection, author, "rename", key, changes=diff.lines(before, after))
    return get(connection, key)


def history(connection: sa.Connection, key: str) -> list[Revision]:
    """All revisions, oldest first."""
    return revisions.history(connection, DEFINITIONS, get(connection, key).id)


def published_config(connection: sa.Connection, key: str) -> DefinitionConfig | None:
    """What applies now; None when nothing is published."""
    found = revisions.published(connection, DEFINITIONS, get(connection, key).id)
    return read_config(found.payload) if found is not None else None


def draft(
    connection: sa.Connection, key: str, config: Config, *, expected: int, author: str, reason: str = ""
) -> Revision:
    """A new revision made from revision `expected`. Raises Conflict with both differences when that is not the newest."""
    owner = get(connection, key)
    plain = to_plain(read_config(config))
    made = revisions.draft(
        connection, DEFINITIONS, owner.id, plain, expected=expected, author=author, reason=reason, name=_name(key)
    )
    base = revision_queries.numbered(connection, DEFINITIONS, owner.id, expected)
    changed = diff.lines(base.payload if base is not None else {}, plain)
    _record(connection, author, "draft", key, number=made.number, changes=changed, reason=reason)
    return made


def publish(
    connection: sa.Connection,
    key: str,
    number: int,
    *,
    by: str,
    ships_with_product: bool = False,
    check_assigned: bool = True,
) -> Revision:
    """Draft `number` begins to apply, on every site that has it assigned.

    Raises NeedsAction when it is no draft or waits for a second person, Conflict when a newer one was published,
    InvalidConfiguration when it makes no usable whole with an assignment's overrides (not asked with `check_assigned` False).
    """
    owner = get(connection, key)
    made, changed = revisions.publish(
        connection, DEFINITIONS, owner.id, number, by=by, name=_name(key), ships_with_product=ships_with_product
    )
    if check_assigned:
        _check_assigned(connection, owner, read_config(made.payload))
    _record(connection, by, "publish", key, number=number, draft_by=made.author, changes=changed)
    return made


def retire(connection: sa.Connection, key: str, *, by: str, reason: str = "") -> None:
    """Nothing of it applies any more, on no site. Raises NeedsAction when nothing did."""
    number = revisions.retire(connection, DEFINITIONS, get(connection, key).id, name=_name(key))
    _record(connection, by, "retire", key, number=number, reason=reason)


def rollback(connection: sa.Connection, key: str, number: int, *, by: str, reason: str = "") -> Revision:
    """Publish the configuration of revision `number` again, as a new revision; a draft where a second person is needed.

    Raises InvalidConfiguration as `publish` does: what fitted then may not fit today's overrides.
    """
    owner = get(connection, key)
    made, changed = revisions.again(connection, DEFINITIONS, owner.id, number, by=by, reason=reason, name=_name(key))
    _check_assigned(connection, owner, read_config(made.payload))
    _record(
        connection, by, "rollback", key, number=made.number, to=number, state=made.state, changes=changed, reason=reason
    )
    return made


def delete(connection: sa.Connection, key: str, *, by: str) -> None:
    """Remove a definition that never applied. Raises Permanent for ours, NeedsAction for one that is or was in use."""
    owner = get(connection, key)
    if owner.is_system:
        raise Permanent(
            SYSTEM_NOT_DELETED,
            f'"{key}" belongs to every installation and cannot be deleted. Retire it to switch it off.',
        )
    if queries.is_assigned(connection, owner.id):
        raise NeedsAction(f'Sites have "{key}" assigned. Retire it to switch it off everywhere.')
    if any(revision.published_at is not None for revision in history(connection, key)):
        raise NeedsAction(f'"{key}" was in use, and what it made refers to it. Retire it to switch it off.')
    revision_queries.delete_all(connection, DEFINITIONS, owner.id)
    queries.delete(connection, owner.id)
    _record(connection, by, "delete", key)


def _check_assigned(connection: sa.Connection, owner: Definition, config: DefinitionConfig) -> None:
    """Refuse what makes no usable whole with the published overrides of an assignment."""
    known: dict[str, ads.Action] | None = None
    for row in assignment_queries.published_overrides(connection, owner.id):
        if known is None:
            known = {action.reference: action for action in ads.actions(connection)}
        for problem in whole_problems(config, read_overrides(row.payload), known):
            if problem.severity is Severity.ERROR:
                where = f'with assignment {row.id} ("{row.label}" on site {row.site_id}): '
                raise InvalidConfiguration(f"{where}{problem.wrong}; {problem.right}", path=problem.path)


def _name(key: str) -> str:
    return f'definition "{key}"'


def _record(connection: sa.Connection, actor: str, verb: str, key: str, **detail: Any) -> None:
    known = {name: value for name, value in detail.items() if value not in ("", ())}
    audit.record(connection, actor=actor, action=f"definition.{verb}", subject=f"definition:{key}", detail=known)
