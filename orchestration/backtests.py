"""A backtest as a job: for periods that are too long to wait for at a terminal. Started by hand, with its question as config."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import dagster as dg
import msgspec
from pydantic import Field

from custom_events.backtest.backtest import backtest_sync
from custom_events.backtest.result import Backtest, Progress, to_json
from custom_events.backtest.result_lines import backtest_lines
from custom_events.catalog.configurations import read_config, read_overrides
from custom_events.errors import CustomEventsError
from custom_events.history.drafts import Draft
from custom_events.values.times import read_day_or_moment
from orchestration.jobs import IN_ONE_PROCESS

TOLD_EVERY: Final = timedelta(seconds=10)  # progress in the run's log


class Question(dg.Config):
    """What to look back at. Without a definition or an assignment: the published rules."""

    definition: str | None = Field(
        None, description="Key of a definition: its newest draft or revision, or revision `definition_number`."
    )
    definition_number: int | None = Field(None, description="Number of the definition's revision.")
    config: dict[str, Any] | None = Field(None, description="A definition's settings instead of a stored revision.")
    assignment: int | None = Field(None, description="Id of an assignment.")
    assignment_number: int | None = Field(None, description="Number of the assignment's revision.")
    overrides: dict[str, Any] | None = Field(
        None, description="The assignment's overrides instead of a stored revision."
    )
    stopped: bool = Field(False, description="As if the definition or the assignment were paused or retired.")
    sites: list[int] | None = Field(None, description="Ids of sites; without: all that have what is asked about.")
    since: str = Field(description="ISO 8601; events from then on, by the store's time.")
    until: str | None = Field(None, description="ISO 8601; events before this. Without: now.")
    samples: int = Field(3, description="Explained samples of each verdict and assignment.")

    def draft(self) -> Draft:
        """The rule. Raises InvalidConfiguration."""
        return Draft(
            definition=self.definition,
            definition_number=self.definition_number,
            config=read_config(self.config) if self.config is not None else None,
            assignment=self.assignment,
            assignment_number=self.assignment_number,
            overrides=read_overrides(self.overrides) if self.overrides is not None else None,
            stopped=self.stopped,
        )


@dg.op(description="Compares a draft with stored history; the answer stands in the step's metadata. Writes nothing.")
def look_back(context: dg.OpExecutionContext, config: Question, database_url: dg.ResourceParam[str]) -> None:
    """One backtest. A question that cannot be asked fails the run with its sentence; it is not tried again."""
    reported_at = datetime.now(UTC)

    def tell(progress: Progress) -> None:
        nonlocal reported_at
        if datetime.now(UTC) - reported_at >= TOLD_EVERY:
            reported_at = datetime.now(UTC)
            context.log.info("%s events, %.0f %%", f"{progress.events:,}", progress.share * 100)

    try:
        result = backtest_sync(
            database_url,
            config.draft(),
            since=_moment("since", config.since),
            until=datetime.now(UTC) if config.until is None else _moment("until", config.until),
            sites=config.sites,
            samples=config.samples,
            on_progress=tell,
        )
    except CustomEventsError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    context.add_output_metadata(metadata_of(result))


def metadata_of(result: Backtest) -> dict[str, dg.MetadataValue]:
    """The numbers, a small table by assignment, the lines for people, and the whole answer as JSON."""
    rows = [
        dg.TableRecord(
            {
                "assignment": assignment.assignment_id,
                "definition": assignment.definition,
                "label": assignment.label,
                "site": assignment.site_id,
                "would_add": assignment.counts.would_add,
                "would_drop": assignment.counts.would_drop,
                "would_change": assignment.counts.would_change,
                "unchanged": assignment.counts.unchanged,
            }
        )
        for assignment in result.assignments
    ]
    counts = result.counts
    return {
        "events": dg.MetadataValue.int(result.events),
        "seconds": dg.MetadataValue.float(result.seconds),
        "would_add": dg.MetadataValue.int(counts.would_add),
        "would_drop": dg.MetadataValue.int(counts.would_drop),
        "would_change": dg.MetadataValue.int(counts.would_change),
        "unchanged": dg.MetadataValue.int(counts.unchanged),
        "assignments": dg.MetadataValue.table(rows, schema=_SCHEMA),
        "in_words": dg.MetadataValue.md("```text\n" + "\n".join(backtest_lines(result)) + "\n```"),
        "answer": dg.MetadataValue.json(msgspec.json.decode(to_json(result))),
    }


_SCHEMA: Final = dg.TableSchema(
    [
        dg.TableColumn("assignment", "int"),
        dg.TableColumn("definition", "string"),
        dg.TableColumn("label", "string"),
        dg.TableColumn("site", "int"),
        *(dg.TableColumn(name, "int") for name in ("would_add", "would_drop", "would_change", "unchanged")),
    ]
)


def _moment(name: str, text: str) -> datetime:
    if (moment := read_day_or_moment(text)) is None:
        raise dg.Failure(f'{name}: "{text}" is no time: give ISO 8601, 2026-11-01 or 2026-11-01T12:00+01:00', allow_retries=False)  # fmt: skip
    return moment


@dg.job(executor_def=IN_ONE_PROCESS, description="What a draft would have made of stored history. Writes nothing.")
def backtest() -> None:
    """One op; its config is the question."""
    look_back()
