"""A backtest and a replay for the terminal."""

from collections.abc import Iterator
from datetime import UTC

from custom_events.backtest.effects import Effect
from custom_events.backtest.replay import Replay
from custom_events.backtest.rereading import Reread
from custom_events.backtest.result import AssignmentCounts, Backtest, Counts, Sample
from custom_events.explain.trace_lines import amount, explained_lines, moment
from custom_events.history.drafts import Draft

MAX_SHOWN_ASSIGNMENTS = 20
MAX_SHOWN_DAYS = 31


def backtest_lines(found: Backtest) -> Iterator[str]:
    """Numbers first, then by assignment and day, the effect on Google, samples."""
    period = f"{found.since.astimezone(UTC):%Y-%m-%d %H:%M} to {found.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    yield f"{_rule(found.draft)} on {found.events:,} events of {_sites(found.sites)}, {period}"
    if not found.is_complete:
        yield "STOPPED before the end: the figures are about what was read until then."
    yield from count_lines(found.counts)
    yield from share_lines(found.assignments)
    yield from _days(found)
    yield from effect_lines(found.effects)
    yield from _samples_and_notes(found)


def share_lines(assignments: tuple[AssignmentCounts, ...]) -> Iterator[str]:
    """Each assignment's share: those for which anything differs. Also where there is one, which may be another than was asked about."""
    shares = [one for one in assignments if one.counts.differs]
    if not shares:
        return
    yield ""
    yield f"{'would add':>11}{'would drop':>12}{'would change':>14}{'unchanged':>11}  assignment"
    for one in shares[:MAX_SHOWN_ASSIGNMENTS]:
        c = one.counts
        name = (
            (f"{one.assignment_id} " if one.assignment_id > 0 else "")
            + one.definition
            + (f' "{one.label}"' if one.label else "")
        )
        yield f"{c.would_add:>11,}{c.would_drop:>12,}{c.would_change:>14,}{c.unchanged:>11,}  {name}, site {one.site_id}"
    if len(shares) > MAX_SHOWN_ASSIGNMENTS:
        yield f"  ... and {len(shares) - MAX_SHOWN_ASSIGNMENTS} more (--json has all)"


def _rule(draft: Draft) -> str:
    """What was asked about, as one names it."""
    if draft.definition is None and draft.assignment is None:
        return "The published rules" if draft.config is None else "A definition from a file"
    if draft.stopped:
        name = f"Definition {draft.definition}" if draft.definition is not None else f"Assignment {draft.assignment}"
        return f"{name} stopped,"
    asked: list[str] = []
    if draft.definition is not None:
        asked.append(f"definition {draft.definition}{_revision(draft.definition_number, draft.config is not None)}")
    if draft.assignment is not None:
        asked.append(f"assignment {draft.assignment}{_revision(draft.assignment_number, draft.overrides is not None)}")
    words = " with ".join(asked)
    return words[0].upper() + words[1:]


def _revision(number: int | None, is_given: bool) -> str:
    if is_given:
        return " as given"
    return f" (revision {number})" if number is not None else " (newest revision)"


def _sites(sites: tuple[int, ...]) -> str:
    return f"{len(sites):,} site{'' if len(sites) == 1 else 's'}"


def replay_lines(found: Replay) -> Iterator[str]:
    """What would change, or has changed."""
    period = f"{found.since.astimezone(UTC):%Y-%m-%d %H:%M} to {found.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if found.reread is not None:
        yield from _reread(found.reread)
    yield f"{found.events:,} stored events of {_sites(found.sites)}, {period}, under the published rules"
    yield from count_lines(found.counts)
    yield from share_lines(found.assignments)
    yield from effect_lines(found.effects)
    yield from _samples_and_notes(found)
    yield ""
    yield f"Written as {found.name}." if found.is_written else "Nothing was written: --write changes just this."


def _reread(found: Reread) -> Iterator[str]:
    yield f"{found.raw_events:,} raw events through today's understanding: {found.would_change:,} say something else"
    for kind, number in found.new_events.items():
        yield f"  new           {number:>10,}  {kind}"
    for kind, number in found.revised_events.items():
        yield f"  revised       {number:>10,}  {kind}"
    for change, number in found.outcomes.items():
        yield f"  outcome       {number:>10,}  {change}"


def _samples_and_notes(found: Backtest | Replay) -> Iterator[str]:
    for sample in found.samples:
        yield ""
        yield from _sample(sample)
    for note in found.notes:
        yield ""
        yield note


def count_lines(counts: Counts) -> Iterator[str]:
    """The verdicts."""
    yield f"  would add     {counts.would_add:>10,}"
    if counts.already_sent:
        yield f"    already sent by another assignment {counts.already_sent:,}"
    for reason, number in counts.withheld.items():
        yield f"    recorded and not sent: {reason} {number:,}"
    yield f"  would drop    {counts.would_drop:>10,}"
    yield f"  would change  {counts.would_change:>10,}"
    yield f"  unchanged     {counts.unchanged:>10,}"


def effect_lines(effects: tuple[Effect, ...]) -> Iterator[str]:
    """What Google would hear."""
    if not effects:
        return
    yield ""
    yield "At Google"
    for one in effects:
        yield f"  {effect_line(one)}"


def effect_line(one: Effect) -> str:
    """What Google would hear about one ads action."""
    currency = one.currency
    said = {
        f"{one.sent_new:,} new, {amount(one.value_new, currency)}": one.sent_new,
        f"{one.retracted:,} retracted, {amount(one.value_retracted, currency)}": one.retracted,
        f"{one.restated:,} restated by {amount(one.restated_by, currency)}": one.restated,
        f"{one.withdrawn_unsent:,} taken back before sending, {amount(one.value_withdrawn, currency)}": one.withdrawn_unsent,
        f"{one.changed_unsent:,} changed before sending by {amount(one.changed_by, currency)}": one.changed_unsent,
    }
    return f"{one.ads_action}: " + "; ".join(words for words, number in said.items() if number)


def _days(found: Backtest) -> Iterator[str]:
    different = [one for one in found.days if (one.number_now, one.value_now) != (one.number_then, one.value_then)]
    if not different:
        return
    yield ""
    yield f"{'day':<12}{'now':>8}{'value':>16}{'then':>8}{'value':>16}"
    for one in different[-MAX_SHOWN_DAYS:]:
        now, then = amount(one.value_now, one.currency), amount(one.value_then, one.currency)
        yield f"{one.day:%Y-%m-%d}  {one.number_now:>8,}{now:>16}{one.number_then:>8,}{then:>16}"


def _sample(one: Sample) -> Iterator[str]:
    values = {
        "would_add": amount(one.value_then, one.currency),
        "would_drop": amount(one.value_now, one.currency),
        "would_change": f"{amount(one.value_now, one.currency)} to {amount(one.value_then, one.currency)}",
    }
    upload = f", upload {one.upload}" if one.upload is not None else ""
    words = one.verdict.replace("_", " ")
    rule = f"assignment {one.assignment_id}" if one.assignment_id > 0 else f"the draft on site {one.site_id}"
    yield f"{words} {one.event_key} of {moment(one.occurred_at)} ({rule}): {values[one.verdict]}{upload}"
    yield f"  {one.explanation.sentence}"
    for line in explained_lines(one.explanation):
        yield f"  {line}"
