"""One row of a bulk change, by the services of single changes, in a savepoint of its own: a row that fails leaves nothing behind."""

from collections.abc import Callable
from typing import Any, Final

import sqlalchemy as sa

from custom_events.catalog import assignments, definitions, diff, revisions, sites
from custom_events.catalog.assignments import SiteAssignment
from custom_events.catalog.bulk import undoing
from custom_events.catalog.bulk.outcomes import AssignmentState, DoneRow, RowOutcome, Touched, Word, errors_of
from custom_events.catalog.bulk.requests import Allowed, PreparedChange, PreparedRow, RowSettings
from custom_events.catalog.bulk.states import publish_newest, state_of
from custom_events.catalog.configurations import stored_overrides
from custom_events.errors import NeedsAction, NotFound
from custom_events.queries import assignments as queries
from custom_events.queries.revisions import ASSIGNMENTS

_Before = dict[int, AssignmentState | None]


class RowWorker:
    """Does rows of one bulk change within a connection's transaction, as `actor`, who may do what `allowed` says."""

    def __init__(self, connection: sa.Connection, prepared: PreparedChange, allowed: Allowed, actor: str) -> None:
        self._connection, self._prepared, self._allowed, self._actor = connection, prepared, allowed, actor
        self._new: set[int] = set()  # assignments that rows before have made

    def do(self, number: int) -> DoneRow:
        """Do a row, and say what became of it."""
        row = self._prepared.rows[number]
        settings = self._prepared.settings[row.settings]
        before: _Before = {}  # of what the row touches; None: it makes it
        try:
            with self._connection.begin_nested():
                named = _ACTIONS[settings.action](self, row, settings, before)
                touched = tuple(self._touched(assignment_id, state) for assignment_id, state in before.items())
        except NeedsAction as error:
            return DoneRow(outcome=self._failed(number, row, settings, error))
        self._new |= {assignment.assignment_id for assignment in touched if assignment.before is None}
        return DoneRow(outcome=self._outcome(number, row, settings, named, touched), touched=touched)

    def assign(self, row: PreparedRow, settings: RowSettings, before: _Before) -> SiteAssignment:
        """A definition applied to a site."""
        site_id = self._site(row.site_id, settings)
        return self._made(
            site_id, settings.definition_key, settings.label, settings.overrides, before, settings.publish
        )

    def change(self, row: PreparedRow, settings: RowSettings, before: _Before) -> SiteAssignment:
        """Overrides changed one by one, and published where that is asked for."""
        owner = self._assignment(row, "publisher" if settings.publish else "editor", before)
        if settings.overrides is not None or settings.inherit:
            overrides = stored_overrides(settings.overrides or {})
            merged = assignments.merged(self._connection, owner.id, overrides, settings.inherit)
            self._change(owner.id, merged)
        if settings.publish:
            publish_newest(self._connection, owner.id, self._actor)
        return owner

    def enable(self, row: PreparedRow, _: RowSettings, before: _Before) -> SiteAssignment:
        """Matches again."""
        owner = self._assignment(row, "publisher", before)
        return self._switch(owner, active=True)

    def disable(self, row: PreparedRow, _: RowSettings, before: _Before) -> SiteAssignment:
        """Matches nothing."""
        owner = self._assignment(row, "publisher", before)
        return self._switch(owner, active=False)

    def move(self, row: PreparedRow, settings: RowSettings, before: _Before) -> SiteAssignment:
        """Made on another site as it is here, and disabled here: what it made refers to it."""
        owner = self._assignment(row, "publisher", before)
        target = self._site(settings.to_site_id, settings, role="publisher")
        if target == owner.site_id:
            return owner
        published = revisions.published(self._connection, ASSIGNMENTS, owner.id)
        newest = revisions.newest(self._connection, ASSIGNMENTS, owner.id)
        assert newest is not None  # noqa: S101  (every assignment has one)
        first = published or newest
        made = self._made(target, owner.definition_key, owner.label, first.payload, before, published is not None)
        if newest.state == "draft":
            self._change(made.id, newest.payload)
        if not owner.is_active:
            self._switch(made, active=False)
        return self._switch(owner, active=False)

    def copy(self, row: PreparedRow, settings: RowSettings, before: _Before) -> SiteAssignment:
        """An assignment of another site, as it is published there, or else drafted."""
        if row.source_id is None:
            self._site(row.site_id, settings, role="viewer")
            raise NeedsAction(f"Site {row.site_id} has no assignments: there is nothing to copy")
        source = assignments.get(self._connection, row.source_id)
        self._check("viewer", source.site_id, f"assignment {source.id}")  # a dry run is applied up to a day later
        published = revisions.published(self._connection, ASSIGNMENTS, source.id)
        chosen = published or revisions.newest(self._connection, ASSIGNMENTS, source.id)
        publishes = settings.publish and published is not None
        return self._put(
            self._site(row.site_id, settings),
            source.definition_key,
            source.label,
            chosen.payload if chosen is not None else {},
            before,
            publish=publishes,
            is_active=source.is_active if publishes else None,
        )

    def put(self, row: PreparedRow, settings: RowSettings, before: _Before) -> SiteAssignment:
        """The site has the definition under this label with just these overrides."""
        return self._put(
            self._site(row.site_id, settings),
            settings.definition_key,
            settings.label,
            settings.overrides or {},
            before,
            publish=settings.publish,
            is_active=settings.is_active,
        )

    def undo(self, row: PreparedRow, _: RowSettings, before: _Before) -> SiteAssignment | None:
        """What a row did is undone."""
        last = None
        assert self._prepared.undoes is not None  # noqa: S101  (who makes such rows names it)
        for touched in reversed(undoing.touched_by(self._connection, self._prepared.undoes, row.undone or 0)):
            self._check("publisher", touched.site_id, f"assignment {touched.assignment_id}")
            queries.lock(self._connection, touched.assignment_id)
            before[touched.assignment_id] = state_of(self._connection, touched.assignment_id)
            last = undoing.restore(self._connection, touched, self._actor, self._prepared.reason)
        return last

    def _put(
        self,
        site_id: int,
        key: str,
        label: str,
        overrides: dict[str, Any],
        before: _Before,
        *,
        publish: bool,
        is_active: bool | None,
    ) -> SiteAssignment:
        definition = definitions.get(self._connection, key)
        existing = queries.labelled(self._connection, site_id, definition.id, label)
        if existing is None:
            owner = self._made(site_id, key, label, overrides, before, publish)
        else:
            queries.lock(self._connection, existing)
            before[existing] = state_of(self._connection, existing)
            owner = self._change(existing, overrides)
            if publish:
                publish_newest(self._connection, existing, self._actor)
        if is_active is None or is_active == owner.is_active:
            return owner
        self._check("publisher", site_id, f"site {site_id}")
        return self._switch(owner, active=is_active)

    def _made(
        self,
        site_id: int,
        key: str,
        label: str,
        overrides: dict[str, Any] | None,
        before: _Before,
        publish: bool,
    ) -> SiteAssignment:
        made = assignments.assign(
            self._connection,
            site_id,
            key,
            label,
            author=self._actor,
            overrides=overrides or {},
            reason=self._prepared.reason,
            publish_now=publish,
        )
        before[made.id] = None
        return made

    def _change(self, assignment_id: int, overrides: dict[str, Any]) -> SiteAssignment:
        return assignments.change(
            self._connection, assignment_id, overrides, author=self._actor, reason=self._prepared.reason
        )

    def _switch(self, owner: SiteAssignment, *, active: bool) -> SiteAssignment:
        switch = assignments.resume if active else assignments.pause
        return switch(self._connection, owner.id, actor=self._actor, reason=self._prepared.reason)

    def _site(self, site_id: int | None, settings: RowSettings, *, role: str | None = None) -> int:
        """The site's id. Raises NotFound for one that is not there or may not be seen, by the same words; NeedsAction without the role."""
        noun = f"site {site_id}"
        wanted = role or ("publisher" if settings.publish else "editor")
        self._check(wanted, site_id, noun)
        assert site_id is not None  # noqa: S101  (else it would have been refused)
        try:
            return sites.get(self._connection, site_id).id
        except NotFound:
            raise NotFound(f"There is no {noun}", what="site") from None

    def _assignment(self, row: PreparedRow, role: str, before: _Before) -> SiteAssignment:
        """The assignment, held. Raises as `_site` does."""
        self._check(role, row.site_id, f"assignment {row.assignment_id}")
        assert row.assignment_id is not None  # noqa: S101  (rows of these actions have one)
        owner = assignments.get(self._connection, row.assignment_id, lock=True)
        before[owner.id] = state_of(self._connection, owner.id)
        return owner

    def _check(self, role: str, site_id: int | None, noun: str) -> None:
        if site_id is None or not self._allowed.may("viewer", site_id):
            raise NotFound(f"There is no {noun}", what=noun.partition(" ")[0])
        if not self._allowed.may(role, site_id):
            raise NeedsAction(f"This needs the role {role} for site {site_id}: ask an administrator for it")

    def _touched(self, assignment_id: int, before: AssignmentState | None) -> Touched:
        after = state_of(self._connection, assignment_id)
        site_id = assignments.site_of(self._connection, assignment_id)
        return Touched(assignment_id=assignment_id, site_id=site_id or 0, before=before, after=after)

    def _failed(self, number: int, row: PreparedRow, settings: RowSettings, error: NeedsAction) -> RowOutcome:
        errors = errors_of(error, row.place, settings.place, row.site_id)
        return RowOutcome(
            number=number,
            place=row.place,
            action=settings.action,
            outcome=Word.FAILED,
            site_id=row.site_id,
            assignment_id=row.assignment_id,
            definition_key=settings.definition_key or None,
            label=settings.label or None,
            sentence=str(error),
            errors=errors,
        )

    def _outcome(
        self,
        number: int,
        row: PreparedRow,
        settings: RowSettings,
        named: SiteAssignment | None,
        touched: tuple[Touched, ...],
    ) -> RowOutcome:
        is_made = any(assignment.before is None for assignment in touched) and settings.action not in ("move", "undo")
        word = (
            Word.MADE
            if is_made
            else Word.CHANGED
            if any(_differs(assignment) for assignment in touched)
            else Word.UNCHANGED
        )
        is_gone = self._prepared.is_dry_run and named is not None and named.id in self._new  # and so is its number
        changes = [line for assignment in touched for line in _lines(assignment, len(touched) > 1)]
        return RowOutcome(
            number=number,
            place=row.place,
            action=settings.action,
            outcome=word,
            site_id=named.site_id if named is not None else row.site_id,
            assignment_id=None if is_gone else named.id if named is not None else row.assignment_id,
            definition_key=named.definition_key if named is not None else None,
            label=named.label if named is not None else None,
            changes=tuple(changes),
        )


def _differs(touched: Touched) -> bool:
    return _plain(touched.before) != _plain(touched.after)


def _lines(touched: Touched, with_site: bool) -> tuple[str, ...]:
    where = f"site {touched.site_id}: " if with_site and touched.site_id else ""
    return tuple(f"{where}{line}" for line in diff.lines(_plain(touched.before), _plain(touched.after)))


def _plain(state: AssignmentState | None) -> dict[str, Any]:
    if state is None:
        return {}
    published = {"published_number": state.published_number} if state.published_number is not None else {}
    return {"is_active": state.is_active, **published, "newest_number": state.newest_number, "overrides": state.newest}


_Action = Callable[[RowWorker, PreparedRow, RowSettings, _Before], SiteAssignment | None]
_ACTIONS: Final[dict[str, _Action]] = {
    "assign": RowWorker.assign,
    "change": RowWorker.change,
    "enable": RowWorker.enable,
    "disable": RowWorker.disable,
    "move": RowWorker.move,
    "copy": RowWorker.copy,
    "put": RowWorker.put,
    "undo": RowWorker.undo,
}
