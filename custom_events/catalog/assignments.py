"""Assignments: definitions applied to sites. One definition may be assigned to a site any number of times, under labels.

The overrides of an assignment stand in its revisions. What applies in the end, and where each setting comes from, is the
effective configuration; it is checked as a whole before any revision of an assignment is published.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.catalog import ads, audit, definitions, diff, revisions, sites
from custom_events.catalog.ads import Action
from custom_events.catalog.configurations import read_overrides, refuse, stored_config, stored_overrides, to_plain
from custom_events.catalog.effective_config import effective_problems
from custom_events.catalog.reading import name_problems
from custom_events.catalog.revisions import Difference, Revision
from custom_events.conditions.problems import Problem, Severity
from custom_events.errors import InUse, InvalidConfiguration, NeedsAction, NotFound
from custom_events.matching.effective import SETTINGS, Origin, effective, origins
from custom_events.queries import assignments as queries
from custom_events.queries import lookups
from custom_events.queries import revisions as revision_queries
from custom_events.queries.revisions import ASSIGNMENTS, DEFINITIONS
from custom_events.values.definitions import DefinitionConfig, Overrides

Given = Mapping[str, Any] | Overrides


class SiteAssignment(msgspec.Struct, frozen=True, kw_only=True):
    """A definition on a site. `published_number` is None while nothing of it applies. `has_overrides` is about the newest revision."""

    id: int
    site_id: int
    definition_id: int
    definition_key: str
    label: str
    is_active: bool
    published_number: int | None
    newest_number: int
    created_at: datetime
    updated_at: datetime
    has_overrides: bool


class Effective(msgspec.Struct, frozen=True, kw_only=True):
    """What applies, and for each setting where it comes from."""

    config: DefinitionConfig
    origins: dict[str, Origin]
    definition_revision: Revision
    assignment_revision: Revision


class CurrentAssignment(msgspec.Struct, frozen=True, kw_only=True):
    """An assignment with what applies of it, its draft where that is the newest revision, and what applies of its definition."""

    assignment: SiteAssignment
    published: Revision | None
    draft: Revision | None
    definition: Revision | None

    @property
    def site_id(self) -> int:
        """Of the site that it is on."""
        return self.assignment.site_id

    @property
    def effective(self) -> Effective | None:
        """What applies; None while nothing of the definition or of the assignment is published."""
        if self.definition is None or self.published is None:
            return None
        return effective_from(self.definition, self.published)


def _current_of(row: dict[str, Any]) -> CurrentAssignment:
    return msgspec.convert({**row, "assignment": row}, CurrentAssignment)


CURRENT: Final = lookups.of_text(queries.CURRENT, _current_of)  # of `assignment_id`


def assign(
    connection: sa.Connection,
    site_id: int,
    definition_key: str,
    label: str,
    *,
    author: str,
    overrides: Given | None = None,
    reason: str = "",
    publish_now: bool = True,
) -> SiteAssignment:
    """Apply a definition to a site under a label; its first overrides are published unless told otherwise, or unless that
    needs a second person (`published_number` is None then, and somebody else publishes revision 1).

    Raises NotFound for the site or definition, NeedsAction when the label is taken, InvalidConfiguration when the overrides
    do not fit the definition or name an ads action that does not exist.
    """
    site = sites.get(connection, site_id)
    definition = definitions.get(connection, definition_key)
    refuse(name_problems("label", label, "a label: it tells assignments of one definition apart"))
    made = queries.add(connection, site_id=site.id, definition_id=definition.id, label=label)
    if made is None:
        raise NeedsAction(
            f'Site {site_id} has "{definition_key}" labelled "{label}" already: change it, or choose another label.'
        )
    first = override(connection, made, overrides or {}, expected=0, author=author, reason=reason)
    if publish_now and not revisions.needs_second_person():
        publish(connection, made, first.number, by=author)
    return get(connection, made)


def site_of(connection: sa.Connection, assignment_id: int) -> int | None:
    """The site of an assignment; None: there is none of this id."""
    return queries.site_of(connection, assignment_id)


def sites_of(connection: sa.Connection, assignment_ids: Collection[int]) -> dict[int, int]:
    """The site of each of these assignments that there is."""
    return queries.sites_of(connection, assignment_ids)


def names(connection: sa.Connection, assignment_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """The definition's key and the label of each of these assignments that there is."""
    return queries.names(connection, assignment_ids)


def get(connection: sa.Connection, assignment_id: int, *, lock: bool = False) -> SiteAssignment:
    """The assignment of this id; `lock` holds it until the end of the transaction. Raises NotFound."""
    if lock:
        queries.lock(connection, assignment_id)
    row = queries.by_id(connection, assignment_id)
    if row is None:
        raise NotFound(
            f"There is no assignment {assignment_id}: `custom-events backtest --definition KEY --json` lists those of a definition.",
            what="assignment",
        )
    return msgspec.convert(row, SiteAssignment, from_attributes=True)


def of_site(connection: sa.Connection, site_id: int) -> list[SiteAssignment]:
    """The assignments of a site, by definition and label."""
    return [msgspec.convert(row, SiteAssignment, from_attributes=True) for row in queries.of_site(connection, site_id)]


def history(connection: sa.Connection, assignment_id: int) -> list[Revision]:
    """All revisions of the overrides, oldest first."""
    return revisions.history(connection, ASSIGNMENTS, get(connection, assignment_id).id)


def revision(connection: sa.Connection, assignment_id: int, number: int) -> Revision:
    """The revision of this number. Raises NotFound."""
    owner = get(connection, assignment_id)
    return revisions.numbered(connection, ASSIGNMENTS, owner.id, number, _name(owner))


def difference(connection: sa.Connection, assignment_id: int, *, old: int | None, new: int | None) -> Difference:
    """What differs between two revisions: as `revisions.difference`."""
    owner = get(connection, assignment_id)
    return revisions.difference(connection, ASSIGNMENTS, owner.id, old=old, new=new, name=_name(owner))


def override(
    connection: sa.Connection, assignment_id: int, overrides: Given, *, expected: int, author: str, reason: str = ""
) -> Revision:
    """New overrides as a draft made from revision `expected`. Raises Conflict with both differences, or as `assign` does."""
    owner = get(connection, assignment_id)
    read = read_overrides(overrides)
    _check_whole(connection, owner, read)
    plain = to_plain(read)
    before = {revision.number: revision.payload for revision in history(connection, assignment_id)}
    made = revisions.draft(
        connection, ASSIGNMENTS, owner.id, plain, expected=expected, author=author, reason=reason, name=_name(owner)
    )
    old = before.get(expected, {})
    _record(
        connection,
        author,
        "override",
        owner,
        number=made.number,
        changes=diff.lines(old, plain),
        reason=reason,
        before=old,
        after=plain,
    )
    return made


def change(
    connection: sa.Connection, assignment_id: int, overrides: Given, *, author: str, reason: str = ""
) -> SiteAssignment:
    """Overrides as a draft made from the newest revision; equal ones change nothing. Raises as `override` does."""
    owner = get(connection, assignment_id, lock=True)
    newest = revisions.newest(connection, ASSIGNMENTS, owner.id)
    if newest is None or diff.changes(newest.payload, to_plain(read_overrides(overrides))):
        override(connection, assignment_id, overrides, expected=owner.newest_number, author=author, reason=reason)
    return get(connection, assignment_id)


def merged(
    connection: sa.Connection, assignment_id: int, overrides: Overrides, inherit: Collection[str]
) -> dict[str, Any]:
    """The newest revision's overrides with those that are given, without the settings that are to be inherited again. Raises
    InvalidConfiguration for a setting that there is not."""
    known = (*SETTINGS, "also")
    for place, setting in enumerate(inherit):
        if setting not in known:
            raise InvalidConfiguration(f"no setting; one of {', '.join(known)}", path=f"inherit[{place}]")
    newest = revisions.newest(connection, ASSIGNMENTS, assignment_id)
    whole = {**(newest.payload if newest is not None else {}), **to_plain(overrides)}
    return {setting: value for setting, value in whole.items() if setting not in inherit}


def publish(
    connection: sa.Connection, assignment_id: int, number: int, *, by: str, ships_with_product: bool = False
) -> Revision:
    """Draft `number` begins to apply. Raises NeedsAction when it is no draft or waits for a second person,
    InvalidConfiguration when it fits no more."""
    owner = get(connection, assignment_id)
    chosen = revisions.numbered(connection, ASSIGNMENTS, owner.id, number, _name(owner))
    _check_whole(connection, owner, read_overrides(chosen.payload))
    stood = revisions.published(connection, ASSIGNMENTS, owner.id)
    made, changed = revisions.publish(
        connection, ASSIGNMENTS, owner.id, number, by=by, name=_name(owner), ships_with_product=ships_with_product
    )
    _record(
        connection,
        by,
        "publish",
        owner,
        number=number,
        draft_by=made.author,
        changes=changed,
        before=None if stood is None else stood.payload,
        after=made.payload,
    )
    return made


def retire(connection: sa.Connection, assignment_id: int, *, by: str, reason: str = "") -> None:
    """Nothing of it applies any more, until a revision is published again. Raises NeedsAction when nothing did."""
    owner = get(connection, assignment_id)
    stood = revisions.published(connection, ASSIGNMENTS, owner.id)
    number = revisions.retire(connection, ASSIGNMENTS, owner.id, name=_name(owner))
    before = None if stood is None else stood.payload
    _record(connection, by, "retire", owner, number=number, reason=reason, before=before)


def rollback(connection: sa.Connection, assignment_id: int, number: int, *, by: str, reason: str = "") -> Revision:
    """Publish the overrides of revision `number` again, as a new revision; a draft where a second person is needed."""
    owner = get(connection, assignment_id)
    old = revisions.numbered(connection, ASSIGNMENTS, owner.id, number, _name(owner))
    _check_whole(connection, owner, read_overrides(old.payload))
    stood = revisions.published(connection, ASSIGNMENTS, owner.id)
    made, changed = revisions.rollback(
        connection, ASSIGNMENTS, owner.id, number, by=by, reason=reason, name=_name(owner)
    )
    _record(
        connection,
        by,
        "rollback",
        owner,
        number=made.number,
        to=number,
        state=made.state,
        changes=changed,
        reason=reason,
        before=None if stood is None else stood.payload,
        after=made.payload,
    )
    return made


def delete(connection: sa.Connection, assignment_id: int, *, by: str) -> None:
    """Remove an assignment of which nothing ever applied. Raises InUse, naming the revisions that did: what they made refers to
    them."""
    owner = get(connection, assignment_id, lock=True)
    before = history(connection, assignment_id)
    if applied := revisions.that_applied(before):
        raise InUse(
            f"{_name(owner)} was in use, and what it made refers to it. Pause it to switch it off.", dependents=applied
        )
    revision_queries.delete_all(connection, ASSIGNMENTS, owner.id)
    queries.delete(connection, owner.id)
    _record(connection, by, "delete", owner, before=before[-1].payload if before else {})


def pause(connection: sa.Connection, assignment_id: int, *, actor: str, reason: str = "") -> SiteAssignment:
    """It matches nothing from the next batch on."""
    return _switch(connection, assignment_id, active=False, actor=actor, reason=reason)


def resume(connection: sa.Connection, assignment_id: int, *, actor: str, reason: str = "") -> SiteAssignment:
    """It matches again, from the next batch on."""
    return _switch(connection, assignment_id, active=True, actor=actor, reason=reason)


def effective_of(connection: sa.Connection, assignment_id: int) -> Effective:
    """What applies now, setting by setting. Raises NeedsAction while the definition or the overrides are unpublished."""
    owner = get(connection, assignment_id)
    definition = revisions.published(connection, DEFINITIONS, owner.definition_id)
    own = revisions.published(connection, ASSIGNMENTS, owner.id)
    if definition is None:
        raise NeedsAction(f'Nothing of definition "{owner.definition_key}" is published: publish a revision of it.')
    if own is None:
        raise NeedsAction(f"Nothing of {_name(owner)} is published: publish a revision of it.")
    return effective_from(definition, own)


def effective_from(definition: Revision, own: Revision) -> Effective:
    """What these revisions of a definition and of an assignment make together."""
    config, overrides = stored_config(definition.payload), stored_overrides(own.payload)
    return Effective(
        config=effective(config, overrides),
        origins=origins(config, overrides),
        definition_revision=definition,
        assignment_revision=own,
    )


def warnings(connection: sa.Connection, assignment_id: int) -> list[Problem]:
    """What of the effective configuration can hardly be meant on this site: a currency it never uses, a field its platform
    never delivers. Raises as `effective_of` does."""
    in_force = effective_of(connection, assignment_id)
    site = sites.get(connection, get(connection, assignment_id).site_id)
    found_in = effective_problems(
        stored_config(in_force.definition_revision.payload),
        stored_overrides(in_force.assignment_revision.payload),
        _actions(connection, in_force.config),
        currencies=(site.currency,) if site.currency is not None else (),
        platform=site.platform,
    )
    return [problem for problem in found_in if problem.severity is Severity.WARNING]


def _check_whole(connection: sa.Connection, owner: SiteAssignment, overrides: Overrides) -> None:
    """Refuse overrides that make no usable whole with the definition as it is published (else: as it was drafted last)."""
    base = revisions.published(connection, DEFINITIONS, owner.definition_id) or revisions.newest(
        connection, DEFINITIONS, owner.definition_id
    )
    config = stored_config(base.payload if base is not None else {})
    refuse(effective_problems(config, overrides, _actions(connection, effective(config, overrides))))


def _actions(connection: sa.Connection, config: DefinitionConfig) -> dict[str, Action]:
    """The actions of the account that the configuration names."""
    account = (config.ads_action or "").partition("/")[0]
    return {action.reference: action for action in ads.actions(connection, account)} if account else {}


def _switch(connection: sa.Connection, assignment_id: int, *, active: bool, actor: str, reason: str) -> SiteAssignment:
    old = get(connection, assignment_id)
    if old.is_active != active:
        queries.switch(connection, assignment_id, active=active)
        before, after = {"is_active": old.is_active}, {"is_active": active}
        _record(connection, actor, "resume" if active else "pause", old, reason=reason, before=before, after=after)
    return get(connection, assignment_id)


def _name(owner: SiteAssignment) -> str:
    return f'assignment {owner.id} ("{owner.definition_key}" labelled "{owner.label}" on site {owner.site_id})'


def _record(
    connection: sa.Connection,
    actor: str,
    verb: str,
    owner: SiteAssignment,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **detail: Any,
) -> None:
    known = {name: value for name, value in detail.items() if value not in ("", ())}
    audit.record(
        connection,
        actor=actor,
        action=f"assignment.{verb}",
        subject=f"assignment:{owner.id}",
        detail={"site_id": owner.site_id, "definition": owner.definition_key, "label": owner.label, **known},
        site_id=owner.site_id,
        before=before,
        after=after,
    )
