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


def backtest_lines(backtest: Backtest) -> Iterator[str]:
    """Numbers first, then by assignment and day, the effect on Google, samples."""
    period = f"{backtest.since.astimezone(UTC):%Y-%m-%d %H:%M} to {backtest.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    yield f"{_rule(backtest.draft)} on {backtest.events:,} events of {_sites(backtest.sites)}, {period}"
    if not backtest.is_complete:
        yield "STOPPED before the end: the figures are about what was read until then."
    yield from count_lines(backtest.counts)
    yield from share_lines(backtest.assignments)
    yield from _days(backtest)
    yield from effect_lines(backtest.effects)
    yield from _samples_and_notes(backtest)


def share_lines(assignments: tuple[AssignmentCounts, ...]) -> Iterator[str]:
    """Each assignment's share: those for which anything differs. Also where there is one, which may be another than was asked about."""
    shares = [assignment for assignment in assignments if assignment.counts.differs]
    if not shares:
        return
    yield ""
    yield f"{'would add':>11}{'would drop':>12}{'would change':>14}{'unchanged':>11}  assignment"
    for share in shares[:MAX_SHOWN_ASSIGNMENTS]:
        c = share.counts
        name = (
            (f"{share.assignment_id} " if share.assignment_id > 0 else "")
            + share.definition
            + (f' "{share.label}"' if share.label else "")
        )
        yield f"{c.would_add:>11,}{c.would_drop:>12,}{c.would_change:>14,}{c.unchanged:>11,}  {name}, site {share.site_id}"
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


def replay_lines(replay: Replay) -> Iterator[str]:
    """What would change, or has changed."""
    period = f"{replay.since.astimezone(UTC):%Y-%m-%d %H:%M} to {replay.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if replay.reread is not None:
        yield from _reread(replay.reread)
    yield f"{replay.events:,} stored events of {_sites(replay.sites)}, {period}, under the published rules"
    yield from count_lines(replay.counts)
    yield from share_lines(replay.assignments)
    yield from effect_lines(replay.effects)
    yield from _samples_and_notes(replay)
    yield ""
    yield f"Written as {replay.name}." if replay.is_written else "Nothing was written: --write changes just this."


def _reread(reread: Reread) -> Iterator[str]:
    yield f"{reread.raw_events:,} raw events through today's understanding: {reread.would_change:,} say something else"
    for kind, number in reread.new_events.items():
        yield f"  new           {number:>10,}  {kind}"
    for kind, number in reread.revised_events.items():
        yield f"  revised       {number:>10,}  {kind}"
    for change, number in reread.outcomes.items():
        yield f"  outcome       {number:>10,}  {change}"


def _samples_and_notes(result: Backtest | Replay) -> Iterator[str]:
    for sample in result.samples:
        yield ""
        yield from _sample(sample)
    for note in result.notes:
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
    for effect in effects:
        yield f"  {effect_line(effect)}"


def effect_line(effect: Effect) -> str:
    """What Google would hear about one ads action."""
    currency = effect.currency
    said = {
        f"{effect.sent_new:,} new, {amount(effect.value_new, currency)}": effect.sent_new,
        f"{effect.retracted:,} retracted, {amount(effect.value_retracted, currency)}": effect.retracted,
        f"{effect.restated:,} restated by {amount(effect.restated_by, currency)}": effect.restated,
        f"{effect.withdrawn_unsent:,} taken back before sending, {amount(effect.value_withdrawn, currency)}": effect.withdrawn_unsent,
        f"{effect.changed_unsent:,} changed before sending by {amount(effect.changed_by, currency)}": effect.changed_unsent,
    }
    return f"{effect.ads_action}: " + "; ".join(words for words, number in said.items() if number)


def _days(backtest: Backtest) -> Iterator[str]:
    different = [day for day in backtest.days if (day.number_now, day.value_now) != (day.number_then, day.value_then)]
    if not different:
        return
    yield ""
    yield f"{'day':<12}{'now':>8}{'value':>16}{'then':>8}{'value':>16}"
    for day in different[-MAX_SHOWN_DAYS:]:
        now, then = amount(day.value_now, day.currency), amount(day.value_then, day.currency)
        yield f"{day.day:%Y-%m-%d}  {day.number_now:>8,}{now:>16}{day.number_then:>8,}{then:>16}"


def _sample(sample: Sample) -> Iterator[str]:
    values = {
        "would_add": amount(sample.value_then, sample.currency),
        "would_drop": amount(sample.value_now, sample.currency),
        "would_change": f"{amount(sample.value_now, sample.currency)} to {amount(sample.value_then, sample.currency)}",
    }
    upload = f", upload {sample.upload}" if sample.upload is not None else ""
    words = sample.verdict.replace("_", " ")
    rule = f"assignment {sample.assignment_id}" if sample.assignment_id > 0 else f"the draft on site {sample.site_id}"
    yield f"{words} {sample.event_key} of {moment(sample.occurred_at)} ({rule}): {values[sample.verdict]}{upload}"
    yield f"  {sample.explanation.sentence}"
    for line in explained_lines(sample.explanation):
        yield f"  {line}"
