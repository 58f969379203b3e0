"""What applying a folder would change: one step for each change, with its difference.

A folder changes what it names and nothing else: what is only in the database stays as it is (to stop something, say
`active: false` or `published: false`). A plan knows what it was made from; it is refused once that has changed.
"""

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

import msgspec

from custom_events.catalog import diff
from custom_events.catalog.configurations import to_plain
from custom_events.catalog.files.checks import Located, check
from custom_events.catalog.files.documents import (
    AccountFile,
    ActionEntry,
    AssignmentEntry,
    Catalog,
    DefinitionFile,
    Kind,
    SiteFile,
)
from custom_events.catalog.files.folder import Finding, Folder, file_of
from custom_events.catalog.files.stored import Owner, Stored, exported
from custom_events.conditions.problems import Problem, Severity
from custom_events.values.definitions import DefinitionConfig, Overrides

_ENTRY = re.compile(r"assignments\[(\d+)\]")


class Verb(StrEnum):
    """What a step does."""

    CREATE = "create"
    CHANGE = "change"  # columns that have no revisions
    REVISE = "revise"  # a new revision, a draft at first
    PUBLISH = "publish"
    RETIRE = "retire"
    PAUSE = "pause"
    RESUME = "resume"


class Noun(StrEnum):
    """What a step is about, in the order in which steps are taken."""

    ACCOUNT = "ads account"
    ACTION = "ads action"
    DEFINITION = "definition"
    SITE = "site"
    ASSIGNMENT = "assignment"


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One change. `key` names it: (customer id), (customer id, action id), (definition key), (site key), (site key,
    definition, label). `lines`: setting by setting, old -> new; empty where another step of the same thing shows them."""

    noun: Noun
    verb: Verb
    key: tuple[str, ...]
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        name = f'{self.key[0]}: "{self.key[1]}" labelled "{self.key[2]}"' if self.noun is Noun.ASSIGNMENT else None
        return f"{self.verb} {self.noun} {name or '/'.join(self.key)}"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """`wanted` holds the documents that change something, whole. `seen`: the fingerprint of every part of the
    configuration as it was. `left_alone`: what the database has and the folder does not name."""

    steps: tuple[Step, ...]
    wanted: Catalog
    seen: dict[str, str]
    findings: tuple[Finding, ...] = ()
    left_alone: tuple[str, ...] = ()

    @property
    def can_be_applied(self) -> bool:
        """Whether nothing is wrong with what there would be."""
        return not any(finding.severity is Severity.ERROR for finding in self.findings)


def make(stored: Stored, folder: Folder) -> Plan:
    """What the folder would change, and everything that would be wrong then."""
    wanted = folder.catalog
    after = wanted.with_others(stored.catalog)
    problems = folder.located_all(milder(check(after, folder.unread), stored, wanted))
    findings = [*folder.findings, *problems, *_impossible(stored, folder)]
    steps = tuple(compare(stored, wanted)) if folder.is_readable else ()
    return Plan(
        steps=steps,
        wanted=_only(wanted, steps),
        seen=stored.fingerprints(),
        findings=tuple(findings),
        left_alone=tuple(_left_alone(exported(stored.catalog), wanted)),
    )


def milder(findings: Iterable[Located], stored: Stored, wanted: Catalog) -> Iterator[Located]:
    """Problems of what there would be. What is wrong already with something that the folder does not name stands in nobody's way: it is
    a warning (rules of an earlier version may hold what is refused today)."""
    named = {file_of(kind, key) for kind in Kind for key in wanted.of(kind)}
    entries = {file_of(Kind.SITE, key): len(site.assignments) for key, site in wanted.sites.items()}
    before = {(file, _ENTRY.sub("", problem.path), problem.wrong) for file, problem in check(stored.catalog)}
    for file, problem in findings:
        entry = _ENTRY.match(problem.path)
        # Assignments that the site's file does not name stand behind those that it does.
        is_named = file in named and (entry is None or int(entry[1]) < entries.get(file, 0))
        if is_named or (file, _ENTRY.sub("", problem.path), problem.wrong) not in before:
            yield file, problem
        else:
            wrong = f"{problem.wrong} (as it is stored)"
            yield file, msgspec.structs.replace(problem, wrong=wrong, severity=Severity.WARNING)


def compare(stored: Stored, wanted: Catalog) -> Iterator[Step]:
    """The steps, in an order in which each finds what it needs."""
    for customer_id, account in sorted(wanted.accounts.items()):
        yield from _account(customer_id, account, stored.catalog.accounts.get(customer_id))
    for key, definition in sorted(wanted.definitions.items()):
        yield from _definition(key, definition, stored)
    for site_key, site in sorted(wanted.sites.items()):
        yield from _site(site_key, site, stored.catalog.sites.get(site_key))
    for site_key, site in sorted(wanted.sites.items()):
        known = stored.catalog.sites.get(site_key)
        entries = {entry.name: entry for entry in known.assignments} if known is not None else {}
        for entry in site.assignments:
            key = (site_key, *entry.name)
            yield from _assignment(key, entry, entries.get(entry.name), stored.assignments.get(key))


def _account(customer_id: str, wanted: AccountFile, known: AccountFile | None) -> Iterator[Step]:
    key = (customer_id,)
    columns = _columns(wanted, "actions")
    if known is None:
        yield Step(noun=Noun.ACCOUNT, verb=Verb.CREATE, key=key, lines=diff.lines({}, columns))
    elif lines := diff.lines(_columns(known, "actions"), columns):
        yield Step(noun=Noun.ACCOUNT, verb=Verb.CHANGE, key=key, lines=lines)
    for action_id, action in sorted(wanted.actions.items()):
        old = known.actions.get(action_id) if known is not None else None
        if old is None:
            lines = diff.lines({}, _columns(action))
            yield Step(noun=Noun.ACTION, verb=Verb.CREATE, key=(customer_id, action_id), lines=lines)
        elif lines := diff.lines(_columns(old), _columns(action)):
            yield Step(noun=Noun.ACTION, verb=Verb.CHANGE, key=(customer_id, action_id), lines=lines)


def _definition(key: str, wanted: DefinitionFile, stored: Stored) -> Iterator[Step]:
    config = to_plain(wanted.config)
    owner = stored.definitions.get(key)
    if owner is None:
        names = {"name": wanted.name} | ({"description": wanted.description} if wanted.description else {})
        yield Step(noun=Noun.DEFINITION, verb=Verb.CREATE, key=(key,), lines=diff.lines({}, {**names, **config}))
        if wanted.published:
            yield Step(noun=Noun.DEFINITION, verb=Verb.PUBLISH, key=(key,))
        return
    known = stored.catalog.definitions[key]
    if lines := diff.lines(
        *(
            {"name": definition_file.name, "description": definition_file.description}
            for definition_file in (known, wanted)
        )
    ):
        yield Step(noun=Noun.DEFINITION, verb=Verb.CHANGE, key=(key,), lines=lines)
    yield from _revisions(Noun.DEFINITION, (key,), owner, DefinitionConfig, config, published=wanted.published)


def _site(site_key: str, wanted: SiteFile, known: SiteFile | None) -> Iterator[Step]:
    key = (site_key,)
    columns = _columns(wanted, "assignments", "active")
    if known is None:
        yield Step(noun=Noun.SITE, verb=Verb.CREATE, key=key, lines=diff.lines({}, columns))
    elif lines := diff.lines(_columns(known, "assignments", "active"), columns):
        yield Step(noun=Noun.SITE, verb=Verb.CHANGE, key=key, lines=lines)
    yield from _switch(Noun.SITE, key, wanted.active, known is None or known.active)


def _assignment(
    key: tuple[str, ...], wanted: AssignmentEntry, known: AssignmentEntry | None, owner: Owner | None
) -> Iterator[Step]:
    overrides = to_plain(wanted.overrides)
    if owner is None:
        yield Step(noun=Noun.ASSIGNMENT, verb=Verb.CREATE, key=key, lines=diff.lines({}, overrides))
        if wanted.published:
            yield Step(noun=Noun.ASSIGNMENT, verb=Verb.PUBLISH, key=key)
    else:
        yield from _revisions(Noun.ASSIGNMENT, key, owner, Overrides, overrides, published=wanted.published)
    yield from _switch(Noun.ASSIGNMENT, key, wanted.active, known is None or known.active)


def _revisions(
    noun: Noun,
    key: tuple[str, ...],
    owner: Owner,
    kind: type[DefinitionConfig] | type[Overrides],
    wanted: dict[str, Any],
    *,
    published: bool,
) -> Iterator[Step]:
    """A draft that says the same already is published, not written again."""
    now = owner.published
    written = not diff.changes(_normal(kind, owner.newest.payload), wanted)
    if published and now is not None and not diff.changes(_normal(kind, now.payload), wanted):
        return
    lines = diff.lines(_normal(kind, owner.shown.payload), wanted)
    if not published and now is not None:
        yield Step(noun=noun, verb=Verb.RETIRE, key=key)
    if not written or (published and owner.newest.state != "draft"):
        yield Step(noun=noun, verb=Verb.REVISE, key=key, lines=lines)
        lines = ()
    if published:
        yield Step(noun=noun, verb=Verb.PUBLISH, key=key, lines=lines)


def _normal(kind: type[DefinitionConfig] | type[Overrides], payload: dict[str, Any]) -> dict[str, Any]:
    """A stored configuration as this version would write it (an earlier one may have spelt out a default)."""
    return to_plain(msgspec.convert(payload, kind))


def _switch(noun: Noun, key: tuple[str, ...], wanted: bool, known: bool) -> Iterator[Step]:
    if wanted is not known:
        yield Step(noun=noun, verb=Verb.RESUME if wanted else Verb.PAUSE, key=key)


def _columns(document: AccountFile | SiteFile | ActionEntry, *but: str) -> dict[str, Any]:
    """The document's own columns, every one, so that a default is shown as what it is."""
    return {
        name: msgspec.json.decode(msgspec.json.encode(getattr(document, name)))
        for name in document.__struct_fields__
        if name not in but
    }


def _impossible(stored: Stored, folder: Folder) -> Iterator[Finding]:
    for site_key, site in folder.catalog.sites.items():
        known = stored.catalog.sites.get(site_key)
        if known is not None and known.platform is not site.platform:
            wrong = f"a site's platform cannot be changed; it is {known.platform}"
            problem = Problem(path="platform", wrong=wrong, right="make another site, with a key of its own")
            yield folder.located(file_of(Kind.SITE, site_key), problem)


def _only(wanted: Catalog, steps: tuple[Step, ...]) -> Catalog:
    """The documents that steps need."""
    keys = {(_KINDS[step.noun], step.key[0]) for step in steps}
    return Catalog(
        accounts={key: account_file for key, account_file in wanted.accounts.items() if (Kind.ACCOUNT, key) in keys},
        definitions={
            key: definition_file
            for key, definition_file in wanted.definitions.items()
            if (Kind.DEFINITION, key) in keys
        },
        sites={key: site_file for key, site_file in wanted.sites.items() if (Kind.SITE, key) in keys},
    )


_KINDS = {
    Noun.ACCOUNT: Kind.ACCOUNT,
    Noun.ACTION: Kind.ACCOUNT,
    Noun.DEFINITION: Kind.DEFINITION,
    Noun.SITE: Kind.SITE,
    Noun.ASSIGNMENT: Kind.SITE,
}


def _left_alone(known: Catalog, wanted: Catalog) -> Iterator[str]:
    for kind in Kind:
        yield from (file_of(kind, key) for key in sorted(known.of(kind)) if key not in wanted.of(kind))
    for site_key, site in sorted(known.sites.items()):
        if site_key in wanted.sites:
            named = {entry.name for entry in wanted.sites[site_key].assignments}
            for entry in site.assignments:
                if entry.name not in named:
                    yield f'{file_of(Kind.SITE, site_key)}: "{entry.definition}" labelled "{entry.label}"'
