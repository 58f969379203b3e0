"""A plan becomes true, in the caller's transaction and by the catalog's own functions: revisions, audit and checks as ever.

Whoever made the plan is the author of its drafts; whoever applies it publishes them. Where publishing needs a second person,
the two differ.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from custom_events.catalog import ads, assignments, audit, definitions, revisions, sites
from custom_events.catalog.files.checks import check
from custom_events.catalog.files.documents import ActionEntry, Catalog, SiteFile
from custom_events.catalog.files.plan import Noun, Plan, Step, Verb, compare, milder
from custom_events.catalog.files.stored import Stored, read
from custom_events.conditions.problems import Severity
from custom_events.errors import Conflict, InvalidConfiguration, NeedsAction, Transient
from custom_events.queries import catalog as queries
from custom_events.settings import variable_of

FORMAT = 1  # of a plan's file; a number that this version does not write is refused
WAIT_MS = 5_000  # for others who are changing the configuration; they take milliseconds
RETRY_AFTER_S = 5.0


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as a file: what is wanted, and what it was made from."""

    format: int
    author: str
    reason: str
    made_at: datetime
    seen: dict[str, str]
    wanted: Catalog
    steps: tuple[Step, ...]  # for people; what is done is worked out again when it is applied
    warnings: tuple[str, ...] = ()  # for people, as the plan showed them


def save(plan: Plan, *, author: str, reason: str, now: datetime) -> bytes:
    """The plan's file. Raises NeedsAction for a plan with errors."""
    if not plan.can_be_applied:
        raise NeedsAction("A plan with errors cannot be applied: mend the files first.")
    saved = Saved(
        format=FORMAT,
        author=author,
        reason=reason,
        made_at=now,
        seen=plan.seen,
        wanted=plan.wanted,
        steps=plan.steps,
        warnings=tuple(map(str, plan.findings)),
    )
    return msgspec.json.format(msgspec.json.encode(saved), indent=1) + b"\n"


def load(content: bytes) -> Saved:
    """A plan from its file. Raises InvalidConfiguration when it is none, or one of another version."""
    try:
        saved = msgspec.json.decode(content, type=Saved)
    except msgspec.DecodeError as error:
        raise InvalidConfiguration(f"it is not a plan that `config plan --out` wrote ({error})") from None
    if saved.format != FORMAT:
        raise InvalidConfiguration(f"the plan has format {saved.format}, this version reads {FORMAT}: plan again")
    return saved


def apply(connection: sa.Connection, saved: Saved, *, by: str) -> tuple[Step, ...]:
    """Take every step, or none. Nobody else changes the configuration meanwhile.

    Raises Conflict when the configuration has changed since the plan, NeedsAction when a second person is needed,
    InvalidConfiguration when what there would be is not usable, Transient when others are changing it for too long.
    """
    try:
        queries.hold(connection, wait_ms=WAIT_MS)
    except OperationalError:
        raise Transient("Others are changing the configuration just now. Nothing was applied.", RETRY_AFTER_S) from None
    stored = read(connection)
    _refuse_if_changed(saved, stored.fingerprints())
    problems = check(saved.wanted.with_others(stored.catalog))
    for file, problem in milder(problems, stored, saved.wanted):
        if problem.severity is Severity.ERROR:
            raise InvalidConfiguration(f"{problem.wrong}; {problem.right}", path=f"{file}: {problem.path}")
    steps = tuple(compare(stored, saved.wanted))
    _refuse_if_alone(steps, saved.author, by)
    if steps:
        _Run(connection, stored, saved, by).take(steps)
        detail = {"steps": [str(step) for step in steps], "planned_by": saved.author, "reason": saved.reason}
        audit.record(connection, actor=by, action="config.apply", subject="configuration", detail=detail)
    return steps


def _refuse_if_changed(saved: Saved, now: Mapping[str, str]) -> None:
    seen = saved.seen
    changed = [name for name in sorted({*seen, *now}) if seen.get(name) != now.get(name)]
    if changed:
        raise Conflict(
            "The configuration has changed since the plan was made. Nothing was applied: plan again.",
            theirs=tuple(
                f"{name}: {'added' if name not in seen else 'removed' if name not in now else 'changed'}"
                for name in changed
            ),
            yours=tuple(map(str, saved.steps)),
        )


def _refuse_if_alone(steps: tuple[Step, ...], author: str, by: str) -> None:
    publishes = any(step.verb is Verb.PUBLISH for step in steps)
    if publishes and revisions.needs_second_person() and revisions.same_person(author, by):
        raise NeedsAction(
            f"This publishes, and {variable_of('publish_needs_second_person')} is on: {author} made the plan, somebody else "
            "applies it. Save it with `config plan --out FILE`, and let them run `config apply --plan FILE`.",
            who="a second person",
        )


class _Run:
    """One application. Ids of what is made on the way are looked up in the database."""

    def __init__(self, connection: sa.Connection, stored: Stored, saved: Saved, by: str) -> None:
        self._connection, self._stored, self._saved, self._by = connection, stored, saved, by
        self._wanted = saved.wanted
        self._sites = dict(stored.sites)
        self._assignments = {key: owner.id for key, owner in stored.assignments.items()}

    def take(self, steps: tuple[Step, ...]) -> None:
        """Every step in its order."""
        handlers: dict[Noun, Callable[[Step], None]] = {
            Noun.ACCOUNT: self._account,
            Noun.ACTION: self._action,
            Noun.DEFINITION: self._definition,
            Noun.SITE: self._site,
            Noun.ASSIGNMENT: self._assignment,
        }
        for step in steps:
            handlers[step.noun](step)

    def _account(self, step: Step) -> None:
        (customer_id,) = step.key
        columns = _columns(self._wanted.accounts[customer_id], "actions")
        change = ads.create_account if step.verb is Verb.CREATE else ads.update_account
        change(self._connection, customer_id=customer_id, actor=self._saved.author, **columns)

    def _action(self, step: Step) -> None:
        customer_id, action_id = step.key
        entry: ActionEntry = self._wanted.accounts[customer_id].actions[action_id]
        columns = msgspec.structs.asdict(entry)
        if step.verb is Verb.CREATE:
            names = {"customer_id": customer_id, "action_id": action_id}
            ads.create_action(self._connection, actor=self._saved.author, **names, **columns)
        else:
            reference = f"{customer_id}/{action_id}"
            ads.update_action(self._connection, reference, actor=self._saved.author, **columns)

    def _definition(self, step: Step) -> None:
        (key,) = step.key
        wanted = self._wanted.definitions[key]
        author, reason = self._saved.author, self._saved.reason
        match step.verb:
            case Verb.CREATE:
                definitions.create(
                    self._connection,
                    key=key,
                    name=wanted.name,
                    description=wanted.description,
                    config=wanted.config,
                    author=author,
                    reason=reason,
                )
            case Verb.CHANGE:
                definitions.rename(
                    self._connection, key, name=wanted.name, description=wanted.description, author=author
                )
            case Verb.REVISE:
                newest = self._stored.definitions[key].newest.number
                definitions.draft(self._connection, key, wanted.config, expected=newest, author=author, reason=reason)
            case Verb.PUBLISH:
                newest = definitions.get(self._connection, key).newest_number
                # The assignments may change in the same plan; the whole was checked before the first step.
                definitions.publish(self._connection, key, newest, by=self._by, check_assigned=False)
            case _:
                definitions.retire(self._connection, key, by=self._by, reason=reason)

    def _site(self, step: Step) -> None:
        (site_key,) = step.key
        wanted: SiteFile = self._wanted.sites[site_key]
        columns = _columns(wanted, "assignments", "active", "platform")
        author = self._saved.author
        match step.verb:
            case Verb.CREATE:
                made = sites.create(
                    self._connection, site_key=site_key, platform=wanted.platform, actor=author, **columns
                )
                self._sites[site_key] = made.id
            case Verb.CHANGE:
                sites.update(self._connection, self._sites[site_key], actor=author, **columns)
            case _:
                switch = sites.pause if step.verb is Verb.PAUSE else sites.resume
                switch(self._connection, self._sites[site_key], actor=author, reason=self._saved.reason)

    def _assignment(self, step: Step) -> None:
        site_key, definition, label = step.key
        key = (site_key, definition, label)
        entries = self._wanted.sites[site_key].assignments
        overrides = next(entry for entry in entries if entry.name == (definition, label)).overrides
        how: dict[str, Any] = {"author": self._saved.author, "reason": self._saved.reason}
        connection = self._connection
        match step.verb:
            case Verb.CREATE:
                site_id = self._sites[site_key]
                made = assignments.assign(
                    connection, site_id, definition, label, overrides=overrides, publish_now=False, **how
                )
                self._assignments[key] = made.id
            case Verb.REVISE:
                newest = self._stored.assignments[key].newest.number
                assignments.override(connection, self._assignments[key], overrides, expected=newest, **how)
            case Verb.PUBLISH:
                newest = assignments.get(connection, self._assignments[key]).newest_number
                assignments.publish(connection, self._assignments[key], newest, by=self._by)
            case Verb.RETIRE:
                assignments.retire(connection, self._assignments[key], by=self._by, reason=self._saved.reason)
            case _:
                switch = assignments.pause if step.verb is Verb.PAUSE else assignments.resume
                switch(connection, self._assignments[key], actor=self._saved.author, reason=self._saved.reason)


def _columns(document: msgspec.Struct, *but: str) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(document).items() if name not in but}
