"""`custom-events status`: what came in, what went out, whether the sums agree."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from cli.session import connected, prepared

if TYPE_CHECKING:
    from custom_events.pipeline.status import Status


@click.command(short_help="What came in, what went out, do the sums agree.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
def status(*, as_json: bool) -> None:
    """Show the figures of every stage, the open work, and whether the sums agree.

    \b
    Examples:
      custom-events status
      custom-events status --json | jq '.sums.landed'
    """
    import msgspec

    from custom_events.pipeline.status import status as read

    with connected(prepared()) as engine, engine.connect() as connection:
        found = read(connection)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2))
        return
    for line in _lines(found):
        click.echo(line)


def _lines(found: "Status") -> Iterator[str]:
    sums = found.sums
    yield _row("received", sums.received, {"landed": sums.landed, "refused": sums.refused})
    ended = {"understood": sums.understood, "parked": sum(sums.parked.values()), "ignored": sum(sums.ignored.values())}
    yield _row("landed", sums.landed, {**ended, "waiting": sums.to_understand})
    yield _row("matched", sums.matched, {"queued": sums.queued, "withheld": sum(sums.withheld.values())})
    answers = {"accepted": sums.accepted, "failed": sums.failed, "expired": sums.expired, "unknown": sums.unknown}
    yield _row("queued", sums.queued, {**answers, "waiting": sums.waiting})
    sections = {
        "Refused, by reason": sums.refused_by_reason,
        "Parked, by reason": sums.parked,
        "Ignored, by reason": sums.ignored,
        "Commerce events": found.commerce_events,
        "Custom events": found.custom_events,
        "Withdrawn since, by reason": sums.withdrawn,
        "Conversions, by state": found.uploads,
        "Adjustments, by state": found.adjustments,
        "Held, withheld or refused": found.reasons,
        "With hashes alone, as their click id is none, by state": found.without_click_id,
        "Beside Google's counts, 28 days": found.reconciled,
        "Alarms, open": found.alarms,
        "Open work": {name: count for name, count in found.open_work.items() if count},
    }
    for title, counts in sections.items():
        yield from _section(title, counts)
    yield ""
    yield "The sums agree." if found.agree else "The sums do NOT agree: " + "; ".join(sums.gaps)


def _row(name: str, total: int, parts: Mapping[str, int]) -> str:
    return f"{name:9} {total:>10,} = " + " + ".join(f"{part} {count:,}" for part, count in parts.items())


def _section(title: str, counts: Mapping[str, int]) -> Iterator[str]:
    if counts:
        yield ""
        yield title
        for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
            yield f"  {count:>10,}  {name}"
