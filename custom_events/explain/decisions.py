"""Every assignment of a site about one event: why it matched or not, and what became of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from custom_events.explain.trace import Answer, Decision, Dedup, Occurred, Upload
from custom_events.history.reading import EPOCH, Stored
from custom_events.history.rules import DraftedRules, SiteRules, load_rules
from custom_events.history.worths import Worths
from custom_events.ledger.single_uploads import reference_of
from custom_events.matching.compiled_rules import CompiledRules, Rule
from custom_events.matching.effective import effective
from custom_events.matching.explain import MAX_SHOWN_OCCURRENCES, Explanation, explain
from custom_events.matching.match import History, Settled, counted
from custom_events.matching.threshold import Occurrence, look_back
from custom_events.pipeline.bulk_rows import Connection, columns_of, texts_of
from custom_events.pipeline.configuration import assignment_of, read_rule
from custom_events.pipeline.customers import Asked, customer_facts
from custom_events.pipeline.matching import EventContext, event_contexts
from custom_events.queries import history as sql
from custom_events.queries import traces
from custom_events.values import events
from custom_events.values.definitions import Assignment, DefinitionConfig, Overrides, Threshold, ThresholdPeriod
from custom_events.values.reasons import meaning

THEN: Final = "then"
NOW: Final = "now"
CLOCKS_APART: Final = timedelta(days=1)  # at most, this machine's and the database's
NEWEST_READ: Final = 1_000  # events read for the names of those that a site-wide threshold counted: some milliseconds


async def decisions(
    connection: Connection,
    stored: Stored,
    matched_at: datetime,
    *,
    rules: str = THEN,
    book: DraftedRules | None = None,
    only: int | None = None,
) -> tuple[Decision, ...]:
    """By assignment id. `rules` "then": each custom event under the revisions that made it, where there is none those that
    applied when the event was matched; "now": what is published. `book` asks about its own rules instead (a draft)."""
    made = await _custom_events(connection, stored)
    if book is None:
        at = matched_at if rules == THEN else None
        book = await load_rules(connection, sites=[stored.site_id], at=at)
    own = _with_those_that_decided(book, made, stored.site_id) if rules == THEN else book.site(stored.site_id)
    explained = await explanations(connection, own, stored, only)
    await _value(connection, stored, made)
    keys = {
        explanation.assignment_id: explanation.match.dedup_key
        for explanation in explained
        if explanation.match is not None
    }
    standing = {number for number, rows in made.items() if rows[0]["withdrawn_at"] is None}
    holders = await _holders(
        connection, stored, {number: key for number, key in keys.items() if number not in standing}
    )
    numbers = await _numbers(connection, explained)
    listed: list[Decision] = []
    for explanation in explained:
        assignment = own.assignments[explanation.assignment_id]
        events = tuple(msgspec.convert(row, Occurred) for row in made.get(explanation.assignment_id, ()))
        key = keys.get(explanation.assignment_id)
        dedup = None if key is None else holders.get(explanation.assignment_id, Dedup(key=key))
        listed.append(
            Decision(
                assignment_id=explanation.assignment_id,
                definition=assignment.definition_key,
                label=assignment.label,
                rules=rules,
                definition_revision=numbers.get(("definition", explanation.definition_revision_id)),
                assignment_revision=numbers.get(("assignment", explanation.assignment_revision_id)),
                verdict=verdict(explanation, dedup, events),
                explanation=explanation,
                dedup=dedup,
                custom_events=events,
            )
        )
    return tuple(listed)


async def explanations(
    connection: Connection, rules: SiteRules, stored: Stored, only: int | None = None
) -> list[Explanation]:
    """Each rule of a site, or one, about an event, with the customer's facts and what its threshold counted."""
    known = await event_contexts(connection, rules.compiled_rules, [stored], {})
    facts = known[0].facts if known else None
    history = await _with_names(connection, rules, known[0]) if known else History()
    return [
        explain(stored.event, assignment, facts, history, rules.compiled_rules)
        for number, assignment in sorted(rules.assignments.items())
        if only in (None, number)
    ]


async def _with_names(connection: Connection, rules: SiteRules, known: EventContext) -> History:
    """What was counted, with the newest events by name also where a whole site's are counted together."""
    settled: dict[int, Settled] = {}
    for rule in rules.compiled_rules.sites[rules.site.site_id].rules:
        known_settled = known.history.settled.get(rule.id)
        if (
            known_settled is not None and known_settled.crossing is not None
        ):  # None: a body that is stored nowhere; it is put in then
            newest = await _newest_counted(connection, rules, rule, known)
            settled[rule.id] = Settled(
                crossing=msgspec.structs.replace(known_settled.crossing, counted=newest), fired=known_settled.fired
            )
    return History(counted=known.history.counted, settled=settled)


async def _newest_counted(
    connection: Connection, rules: SiteRules, rule: Rule, known: EventContext
) -> tuple[Occurrence, ...]:
    """Events that a threshold over the whole site has counted up to this one, as far as they are among the newest."""
    event, site_id = known.site_event.event, rules.site.site_id
    threshold = rule.assignment.config.threshold
    since = None if threshold is None else look_back(threshold, event.occurred_at, known.facts.zone)
    rows = await connection.fetch(
        sql.NEWEST_EVENTS, site_id, sorted(rule.assignment.config.trigger), since or EPOCH, event.occurred_at, event.key,
        NEWEST_READ,
    )  # fmt: skip
    stored = [events.from_json(row[0]) for row in rows]
    asked = [Asked(site_id, commerce_event) for commerce_event in stored] if rule.needs_facts else []
    facts = await customer_facts(connection, rules.compiled_rules, asked)
    occurrences = [
        counted(rule, commerce_event, facts.get((site_id, commerce_event.key), known.facts))
        for commerce_event in stored
    ]
    within = [
        occurrence for occurrence in occurrences if occurrence is not None and _is_within(threshold, occurrence, since)
    ]
    return tuple(within[-MAX_SHOWN_OCCURRENCES:])


def _is_within(threshold: Threshold | None, occurrence: Occurrence, since: datetime | None) -> bool:
    """What lies on the edge of a rolling window counts before the event, and no more with it."""
    is_rolling = threshold is not None and threshold.period is ThresholdPeriod.ROLLING
    return since is None or occurrence.occurred_at > since or not is_rolling


def verdict(explanation: Explanation, dedup: Dedup | None, made: Sequence[Occurred]) -> str:
    """The outcome in one sentence."""
    standing = next((occurred for occurred in made if occurred.withdrawn_at is None), None)
    withdrawn = next((occurred for occurred in made if occurred.withdrawn_at is not None), None)
    if standing is not None and not explanation.fires:
        return f"It became custom event {standing.id}, and would not under these rules: {explanation.sentence}"
    if standing is not None:
        return f"It became custom event {standing.id}." + _upload_sentence(standing)
    if withdrawn is not None:
        word = withdrawn.withdrawn_reason or ""
        why = meaning(word) or word
        return f"It became custom event {withdrawn.id}, which was withdrawn: {why}"
    if not explanation.fires:
        return explanation.sentence
    if dedup is not None and dedup.is_taken:
        return f"It matches, but {dedup.event_key} has the key {dedup.key} (custom event {dedup.custom_event_id})."
    return "It matches, and there is no custom event of it: these rules did not apply when it was matched. A replay would add it."


def _upload_sentence(standing: Occurred) -> str:
    if not standing.uploads:
        return ""
    first = standing.uploads[0]
    why = (first.sentence or first.reason or "").removesuffix(".") if first.reason else ""
    return f" The conversion is {first.state}: {why}." if why else f" The conversion is {first.state}."


def _with_those_that_decided(book: DraftedRules, made: dict[int, list[dict[str, Any]]], site_id: int) -> SiteRules:
    """The site's rules with, for each custom event, the revisions that made it in place of those of the moment."""
    own = book.site(site_id)
    replaced: dict[int, Assignment] = dict(own.assignments)
    for assignment_id, rows in made.items():
        row, stands = rows[0], own.assignments.get(assignment_id)
        if stands is not None and (row["definition_revision_id"], row["assignment_revision_id"]) == (
            stands.definition_revision_id,
            stands.assignment_revision_id,
        ):
            continue
        decided = _decided(row, site_id, stands, book)
        if decided is not None:
            replaced[assignment_id] = decided
    compiled_rules = CompiledRules(replaced.values(), {site_id: own.site.time_zone})
    return SiteRules(site=own.site, compiled_rules=compiled_rules, assignments=replaced)


def _decided(row: dict[str, Any], site_id: int, stands: Assignment | None, book: DraftedRules) -> Assignment | None:
    """The assignment under the revisions that made a custom event; None when they cannot be read any more."""
    if row["config"] is None or row["overrides"] is None:
        return None
    definition = read_rule(row["config"], DefinitionConfig, definition=row["definition"])
    if definition is None:
        return None
    label = stands.label if stands is not None else row["label"]
    owner = row["definition_id"]
    actions = {name: book.actions[number] for number, name in book.action_names.items()}
    return assignment_of(
        (row["assignment_id"], site_id, label, owner, row["assignment_revision_id"], row["overrides"]),
        {owner: (row["definition_revision_id"], row["definition"], definition)},
        actions,
    )


async def _custom_events(connection: Connection, stored: Stored) -> dict[int, list[dict[str, Any]]]:
    """Custom events of the event by assignment, those that stand first, each with its rows of the ledger."""
    rows = await connection.fetch(traces.CUSTOM_EVENTS, stored.event.occurred_at, stored.event_id)
    by_assignment: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_assignment.setdefault(row["assignment_id"], []).append({**row, "uploads": ()})
    every = [custom_event for rows_of in by_assignment.values() for custom_event in rows_of]
    if every:
        for number, uploads in (await _uploads(connection, every)).items():
            next(custom_event for custom_event in every if custom_event["id"] == number)["uploads"] = tuple(uploads)
    for rows_of in by_assignment.values():
        rows_of.sort(key=lambda custom_event: (custom_event["withdrawn_at"] is not None, custom_event["id"]))
    return by_assignment


async def _value(connection: Connection, stored: Stored, made: dict[int, list[dict[str, Any]]]) -> None:
    """Say of each custom event that stands what it is worth now, by the rule that made it."""
    standing = [
        row for rows in made.values() for row in rows if row["withdrawn_at"] is None and row["value"] is not None
    ]
    if not standing:
        return
    worths = await Worths.of(connection, [(stored.site_id, stored.event.order_id)])
    for row in standing:
        definition = None if row["config"] is None else read_rule(row["config"], DefinitionConfig)
        overrides = None if row["overrides"] is None else read_rule(row["overrides"], Overrides)
        if definition is not None and overrides is not None:
            rule = effective(definition, overrides).value
            row["value_now"] = worths.now(stored.site_id, stored.event, rule, row["value"])


async def _uploads(connection: Connection, made: Sequence[dict[str, Any]]) -> dict[int, list[Upload]]:
    times = [custom_event["created_at"] for custom_event in made]
    rows: Sequence[Any] = await connection.fetch(
        traces.UPLOADS,
        texts_of(custom_event["id"] for custom_event in made),
        texts_of(custom_event["upload_id"] for custom_event in made if custom_event["upload_id"] is not None),
        texts_of(times),
        min(times),
        datetime.now(UTC) + CLOCKS_APART,
    )
    if not rows:
        return {}
    answers: dict[int, list[Answer]] = {}
    kept = [row for row in rows if row["told_in"] is not None]
    for row in await connection.fetch(
        traces.ANSWERS,
        texts_of(row["id"] for row in rows),
        texts_of(row["id"] for row in kept),
        texts_of(row["told_in"] for row in kept),
    ):
        answers.setdefault(row["upload_id"], []).append(msgspec.convert(dict(row), Answer))
    uploads: dict[int, list[Upload]] = {}
    for row in rows:
        own = tuple(answers.get(row["id"], ()))
        uploads.setdefault(row["custom_event_id"], []).append(
            msgspec.convert({**row, "answers": own, "reference": reference_of(row["created_at"], row["id"])}, Upload)
        )
    return uploads


async def _holders(connection: Connection, stored: Stored, keys: dict[int, str]) -> dict[int, Dedup]:
    """Keys that a custom event of another commerce event has, by assignment."""
    if not keys:
        return {}
    rows: Sequence[Any] = await connection.fetch(sql.KEY_HOLDERS, *columns_of(list(keys.items())))
    return {
        row["assignment_id"]: Dedup(
            key=row["dedup_key"], custom_event_id=row["id"], event_key=row["key"], occurred_at=row["occurred_at"]
        )
        for row in rows
        if row["event_id"] != stored.event_id
    }


async def _numbers(connection: Connection, explained: Sequence[Explanation]) -> dict[tuple[str, int], int]:
    rows = await connection.fetch(
        traces.REVISION_NUMBERS,
        texts_of(explanation.definition_revision_id for explanation in explained),
        texts_of(explanation.assignment_revision_id for explanation in explained),
    )
    return {(row[0], row[1]): row[2] for row in rows}
