"""Definitions: named, versioned custom events. What one does stands in its revisions (`revisions.py`).

Every function takes a connection inside the caller's transaction, and who acts; each change leaves an audit entry.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from custom_events.catalog import ads, audit, diff, revisions
from custom_events.catalog.configurations import (
    config_faults,
    read_config,
    refuse,
    stored_config,
    stored_overrides,
    to_plain,
)
from custom_events.catalog.effective_config import effective_problems
from custom_events.catalog.reading import name_problems, quoted
from custom_events.catalog.revisions import Difference, Revision
from custom_events.conditions.problems import Problem
from custom_events.errors import Dependent, InUse, InvalidConfiguration, NeedsAction, NotFound, Permanent
from custom_events.queries import assignments as assignment_queries
from custom_events.queries import definitions as queries
from custom_events.queries import revisions as revision_queries
from custom_events.queries.revisions import DEFINITIONS
from custom_events.values.definitions import DefinitionConfig
from custom_events.values.texts import text_problem

KEY = re.compile(r"[a-z][a-z0-9_]{1,62}\Z")
KEY_RULE = "lower-case letters, digits and _, beginning with a letter, 2 to 63"
SYSTEM_NOT_DELETED = "system_definition"
SHOWN_DEPENDENTS = 20  # of a definition that cannot be deleted; enough to go and see

Config = Mapping[str, Any] | DefinitionConfig


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A definition. `published_number` is None while nothing of it applies; `newest_number` is what an edit begins from. `state`: draft
    until something of it was published, then published or retired."""

    id: int
    key: str
    name: str
    description: str
    is_system: bool
    published_number: int | None
    newest_number: int
    created_at: datetime
    updated_at: datetime
    state: Literal["draft", "published", "retired"]


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
    refuse([*_key_problems(key), *_name_problems(name, description), *config_faults(config)])
    plain = to_plain(read_config(config))
    made = queries.add(connection, key=key, name=name, description=description, is_system=is_system)
    if made is None:
        raise NeedsAction(f'There is a definition "{key}" already: draft a revision of it, or choose another key.')
    revisions.draft(connection, DEFINITIONS, made, plain, expected=0, author=author, reason=reason, name=_name(key))
    after = {"name": name, "description": description, "config": plain}
    _record(connection, author, "create", key, changes=diff.lines({}, plain), reason=reason, after=after)
    return get(connection, key)


def get(connection: sa.Connection, key: str, *, lock: bool = False) -> Definition:
    """The definition of this key; `lock` holds it until the end of the transaction. Raises NotFound, naming those that exist."""
    if lock:
        queries.lock(connection, key)
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


def change(
    connection: sa.Connection,
    key: str,
    *,
    author: str,
    name: str | None = None,
    description: str | None = None,
    config: Config | None = None,
    reason: str = "",
) -> Definition:
    """Change what is given: name and description at once, the configuration as a draft made from the newest revision. What is equal to
    what stands changes nothing. Raises InvalidConfiguration with everything that cannot be used."""
    owner = get(connection, key, lock=True)
    name_now, told_now = (
        name if name is not None else owner.name,
        description if description is not None else owner.description,
    )
    faults = config_faults(config) if config is not None else []
    refuse([*_name_problems(name_now, told_now), *faults])
    if (name_now, told_now) != (owner.name, owner.description):
        rename(connection, key, name=name_now, description=told_now, author=author)
    if config is not None:
        newest = revisions.newest(connection, DEFINITIONS, owner.id)
        if newest is None or diff.changes(newest.payload, to_plain(read_config(config))):
            draft(connection, key, config, expected=owner.newest_number, author=author, reason=reason)
    return get(connection, key)


def rename(
    connection: sa.Connection, key: str, *, name: str, author: str, description: str | None = None
) -> Definition:
    """Change the name and the description, which are for people and not versioned."""
    refuse(_name_problems(name, description))
    old = get(connection, key)
    new_description = old.description if description is None else description
    queries.rename(connection, old.id, name=name, description=new_description)
    before, after = {"name": old.name, "description": old.description}, {"name": name, "description": new_description}
    _record(connection, author, "rename", key, changes=diff.lines(before, after), before=before, after=after)
    return get(connection, key)


def history(connection: sa.Connection, key: str) -> list[Revision]:
    """All revisions, oldest first."""
    return revisions.history(connection, DEFINITIONS, get(connection, key).id)


def revision(connection: sa.Connection, key: str, number: int) -> Revision:
    """The revision of this number. Raises NotFound."""
    return revisions.numbered(connection, DEFINITIONS, get(connection, key).id, number, _name(key))


def difference(connection: sa.Connection, key: str, *, old: int | None, new: int | None) -> Difference:
    """What differs between two revisions: as `revisions.difference`."""
    return revisions.difference(connection, DEFINITIONS, get(connection, key).id, old=old, new=new, name=_name(key))


def published_config(connection: sa.Connection, key: str) -> DefinitionConfig | None:
    """What applies now; None when nothing is published."""
    newest = revisions.published(connection, DEFINITIONS, get(connection, key).id)
    return stored_config(newest.payload) if newest is not None else None


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
    old = base.payload if base is not None else {}
    _record(
        connection,
        author,
        "draft",
        key,
        number=made.number,
        changes=diff.lines(old, plain),
        reason=reason,
        before=old,
        after=plain,
    )
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
    stood = revisions.published(connection, DEFINITIONS, owner.id)
    made, changed = revisions.publish(
        connection, DEFINITIONS, owner.id, number, by=by, name=_name(key), ships_with_product=ships_with_product
    )
    config = read_config(made.payload)
    if check_assigned:
        _check_assigned(connection, owner, config, _config_of(stood))
    _record(
        connection,
        by,
        "publish",
        key,
        number=number,
        draft_by=made.author,
        changes=changed,
        before=_payload_of(stood),
        after=made.payload,
    )
    return made


def retire(connection: sa.Connection, key: str, *, by: str, reason: str = "") -> None:
    """Nothing of it applies any more, on no site. Raises NeedsAction when nothing did."""
    owner = get(connection, key)
    stood = revisions.published(connection, DEFINITIONS, owner.id)
    number = revisions.retire(connection, DEFINITIONS, owner.id, name=_name(key))
    _record(connection, by, "retire", key, number=number, reason=reason, before=_payload_of(stood))


def restore(connection: sa.Connection, key: str, *, by: str, reason: str = "") -> Revision:
    """What was published last applies again, as a new revision; a draft where a second person is needed. Raises NeedsAction where
    something applies, or nothing ever did, and as `rollback` does."""
    owner = get(connection, key, lock=True)
    last = revision_queries.published_last(connection, DEFINITIONS, owner.id)
    if owner.published_number is not None:
        raise NeedsAction(f'Revision {owner.published_number} of "{key}" applies: there is nothing to restore.')
    if last is None:
        raise NeedsAction(f'Nothing of "{key}" ever applied: publish revision {owner.newest_number}.')
    return rollback(connection, key, last.number, by=by, reason=reason)


def rollback(connection: sa.Connection, key: str, number: int, *, by: str, reason: str = "") -> Revision:
    """Publish the configuration of revision `number` again, as a new revision; a draft where a second person is needed.

    Raises InvalidConfiguration as `publish` does: what fitted then may not fit today's overrides.
    """
    owner = get(connection, key)
    stood = revisions.published(connection, DEFINITIONS, owner.id)
    made, changed = revisions.rollback(connection, DEFINITIONS, owner.id, number, by=by, reason=reason, name=_name(key))
    _check_assigned(connection, owner, read_config(made.payload), _config_of(stood))
    _record(
        connection,
        by,
        "rollback",
        key,
        number=made.number,
        to=number,
        state=made.state,
        changes=changed,
        reason=reason,
        before=_payload_of(stood),
        after=made.payload,
    )
    return made


def delete(connection: sa.Connection, key: str, *, by: str) -> None:
    """Remove a definition that never applied. Raises Permanent for ours, InUse (naming what depends on it) for one that is or was in
    use."""
    owner = get(connection, key, lock=True)
    if owner.is_system:
        raise Permanent(
            SYSTEM_NOT_DELETED,
            f'"{key}" belongs to every installation and cannot be deleted. Retire it to switch it off.',
        )
    if assigned := queries.assignments_of(connection, owner.id, limit=SHOWN_DEPENDENTS):
        raise InUse(
            f'Sites have "{key}" assigned. Retire it to switch it off everywhere.',
            dependents=tuple(Dependent("assignment", str(row.id), row.label) for row in assigned),
        )
    before = history(connection, key)
    if applied := revisions.that_applied(before):
        raise InUse(
            f'"{key}" was in use, and what it made refers to it. Retire it to switch it off.', dependents=applied
        )
    revision_queries.delete_all(connection, DEFINITIONS, owner.id)
    queries.delete(connection, owner.id)
    _record(connection, by, "delete", key, before={"name": owner.name, "config": before[-1].payload if before else {}})


def _key_problems(key: str) -> list[Problem]:
    return [] if KEY.match(key) else [Problem(path="key", wrong=f"{quoted(key)} is not a key", right=KEY_RULE)]


def _name_problems(name: str, description: str | None) -> list[Problem]:
    problems = [*name_problems("name", name, "a name for people")]
    if description is not None and (wrong := text_problem(description)) is not None:
        problems.append(Problem(path="description", wrong=wrong, right="remove it"))
    return problems


def _payload_of(revision: Revision | None) -> dict[str, Any] | None:
    return None if revision is None else revision.payload


def _config_of(revision: Revision | None) -> DefinitionConfig | None:
    return None if revision is None else stored_config(revision.payload)


def _check_assigned(
    connection: sa.Connection, owner: Definition, config: DefinitionConfig, before: DefinitionConfig | None
) -> None:
    """Refuse what makes no usable whole with the published overrides of an assignment, and did with the configuration before."""
    known: dict[str, ads.Action] | None = None
    for row in assignment_queries.published_overrides(connection, owner.id):
        if known is None:
            known = {action.reference: action for action in ads.actions(connection)}
        overrides = stored_overrides(row.payload)
        was_wrong = effective_problems(before, overrides, None) if before is not None else ()
        try:
            refuse(effective_problems(config, overrides, known), known=was_wrong)
        except InvalidConfiguration as error:
            where = f'with assignment {row.id} ("{row.label}" on site {row.site_id}): '
            raise InvalidConfiguration(f"{where}{error.sentence}", path=error.path) from None


def _name(key: str) -> str:
    return f'definition "{key}"'


def _record(
    connection: sa.Connection,
    actor: str,
    verb: str,
    key: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **detail: Any,
) -> None:
    known = {name: value for name, value in detail.items() if value not in ("", ())}
    audit.record(
        connection,
        actor=actor,
        action=f"definition.{verb}",
        subject=f"definition:{key}",
        detail=known,
        before=before,
        after=after,
    )
