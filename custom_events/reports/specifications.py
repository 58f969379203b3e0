"""Reports as people keep them: made, changed, removed, listed. Built-in ones stand beside them in `built_in.py`."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from custom_events.catalog import audit, sites
from custom_events.catalog.configurations import refuse
from custom_events.catalog.reading import name_problems
from custom_events.conditions.problems import Problem
from custom_events.errors import Dependent, InUse, NeedsAction, NotFound
from custom_events.queries import report_specifications as queries
from custom_events.reports import content as contents
from custom_events.reports.built_in import BUILT_IN
from custom_events.reports.content import ReportContent
from custom_events.reports.report import Report
from custom_events.values.marts import MARTS
from custom_events.values.numbers import MAX_ID

MOST_SITES: Final = 1_000  # of one report; one of all sites names none
LONGEST_NAME: Final = 120  # characters; it is an e-mail's subject
_KEY: Final = re.compile(r"[a-z][a-z0-9_]{1,62}\Z")
Sites = Collection[int] | None  # None: all of them


def get(connection: sa.Connection, key: str, *, only: Sites = None, lock: bool = False) -> Report:
    """A report by its key; `only`: the sites that may be seen. Raises NotFound, also where one of its sites is none of them."""
    if key in BUILT_IN:
        return BUILT_IN[key]
    row = queries.by_key(connection, key, lock=lock) if _KEY.match(key) else None
    report = None if row is None else _report_of(row)
    if report is None or not is_within(report.site_ids, only):
        raise NotFound(f'There is no report "{key}": `custom-events report list` has them.', what="report")
    return report


def search(connection: sa.Connection, *, only: Sites = None, after: str | None = None, limit: int) -> list[Report]:
    """Reports of people, by key, whose sites may all be seen (`only`)."""
    rows = queries.page(connection, only=only, after=after, limit=limit)
    return [_report_of(row) for row in rows]


def create(
    connection: sa.Connection,
    *,
    key: str,
    name: str,
    content: ReportContent,
    site_ids: Sequence[int] | None,
    actor: str,
    allowed: Sites = None,
) -> Report:
    """A new report. `allowed`: sites that may be named. Raises InvalidConfiguration with all that cannot be used, and NeedsAction where
    the key is taken."""
    refuse(
        [
            *_key_problems(key),
            *_problems(name, content),
            *site_problems(connection, site_ids, allowed),
            *mart_problems(content, site_ids),
        ]
    )
    values = {
        "key": key,
        "name": name.strip(),
        "content": _plain(content),
        "site_ids": _listed(site_ids),
        "author": actor,
    }
    if key in BUILT_IN or not queries.add(connection, values):
        raise NeedsAction(f'There is a report "{key}" already: choose another key.')
    stored = get(connection, key)
    _record(connection, "create", stored, actor)
    return stored


def replace(
    connection: sa.Connection,
    key: str,
    *,
    name: str,
    content: ReportContent,
    site_ids: Sequence[int] | None,
    actor: str,
    allowed: Sites = None,
) -> Report:
    """Another name, content and sites. Runs that were made keep what they were made with. Raises as `create`, and NotFound."""
    before = get(connection, key, lock=True)
    _refuse_built_in(before)
    refuse(
        [*_problems(name, content), *site_problems(connection, site_ids, allowed), *mart_problems(content, site_ids)]
    )
    values = {"name": name.strip(), "content": _plain(content), "site_ids": _listed(site_ids), "author": actor}
    queries.change(connection, key, values)
    stored = get(connection, key)
    _record(connection, "change", stored, actor, before)
    return stored


def remove(connection: sa.Connection, key: str, *, actor: str) -> None:
    """Remove a report; the log of its runs stays. Raises NotFound, and InUse where schedules send it."""
    before = get(connection, key, lock=True)
    _refuse_built_in(before)
    schedules = queries.schedules_of(connection, key)
    if schedules:
        dependents = tuple(Dependent("report schedule", str(row.id), row.name) for row in schedules)
        raise InUse(f'Schedules send the report "{key}": remove them first.', dependents=dependents)
    queries.remove(connection, key)
    _record(connection, "remove", before, actor, before)


def is_within(site_ids: Collection[int] | None, only: Sites) -> bool:
    """Whether all of these sites may be seen; None, all sites, by whoever may see all."""
    return only is None or (site_ids is not None and set(site_ids) <= set(only))


def only_site(site_ids: Sequence[int] | None) -> int | None:
    """The site that something is about, for the audit trail; None: it is about several, or all."""
    return site_ids[0] if site_ids is not None and len(site_ids) == 1 else None


def site_problems(connection: sa.Connection, site_ids: Sequence[int] | None, allowed: Sites) -> Iterator[Problem]:
    """What is wrong with the sites of a report: one that is not there, or not allowed, which are told in the same words."""
    if site_ids is None:
        return
    if not 1 <= len(site_ids) <= MOST_SITES:
        right = f"1 to {MOST_SITES} sites, or null for all of them"
        yield Problem(path="site_ids", wrong=f"there are {len(site_ids)}", right=right)
        return
    possible = {site_id for site_id in site_ids if 1 <= site_id <= MAX_ID and (allowed is None or site_id in allowed)}
    listed = sites.search(connection, only=possible, limit=len(possible)) if possible else ()
    known = {site.id for site in listed}
    for place, site_id in enumerate(site_ids):
        if site_id not in known:
            yield Problem(path=f"site_ids[{place}]", wrong=f"{site_id} is none of your sites", right="the id of a site")


def mart_problems(content: ReportContent, site_ids: Sequence[int] | None) -> Iterator[Problem]:
    """A mart without sites cannot be narrowed to some."""
    mart = MARTS.get(content.mart)
    if mart is not None and not mart.has_sites and site_ids is not None:
        yield Problem(
            path="site_ids", wrong=f"{mart.name} has no sites", right="null, which needs the right over all sites"
        )


def name_checks(name: str) -> Iterator[Problem]:
    """What is wrong with the name of a report or a schedule."""
    yield from name_problems("name", name, "a name for people")
    if len(name) > LONGEST_NAME:
        yield Problem(path="name", wrong=f"it has {len(name)} characters", right=f"at most {LONGEST_NAME}")
    elif not name.isprintable():
        yield Problem(path="name", wrong="it has characters that cannot be seen", right="one line of text")


def _problems(name: str, content: ReportContent) -> Iterator[Problem]:
    yield from name_checks(name)
    for problem in contents.problems(content):
        yield msgspec.structs.replace(problem, path=f"content.{problem.path}")


def _key_problems(key: str) -> Iterator[Problem]:
    if not _KEY.match(key):
        right = "2 to 63 lower case letters, digits and _, beginning with a letter: weekly_orders"
        yield Problem(path="key", wrong="it is no key", right=right)


def _refuse_built_in(report: Report) -> None:
    if report.is_built_in:
        raise NeedsAction(f'"{report.key}" is built in: save a report of your own, and change that.')


def _record(connection: sa.Connection, verb: str, report: Report, actor: str, before: Report | None = None) -> None:
    audit.record(
        connection,
        actor=actor,
        action=f"report.{verb}",
        subject=f"report:{report.key}",
        site_id=only_site(report.site_ids),
        before=None if before is None else msgspec.to_builtins(before),
        after=None if verb == "remove" else msgspec.to_builtins(report),
    )


def _listed(site_ids: Sequence[int] | None) -> list[int] | None:
    return None if site_ids is None else sorted(set(site_ids))


def _plain(content: ReportContent) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(content)
    return plain


def _report_of(row: queries.Row) -> Report:
    return Report(
        key=row.key,
        name=row.name,
        content=msgspec.convert(row.content, ReportContent),
        site_ids=None if row.site_ids is None else tuple(row.site_ids),
        author=row.author,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
