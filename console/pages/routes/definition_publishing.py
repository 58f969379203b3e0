"""Publishing a definition's draft: what would apply beside what applies, what it would have made of the past, who may, and the act itself."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from console.api.calls import Call
from console.api.problems import FieldError, invalid
from console.api.routes import definition_revisions as revision_operations
from console.api.routes import definitions as operations
from console.api.routes import looking_back
from console.api.routes import operations as long_operations
from console.api.routes.looking_back import NewBacktest
from console.api.routes.operations import LongOperation, OperationResult
from console.pages.ask import Ask
from console.pages.backtest_chart import chart_of, rows_of
from console.pages.page import Moved, Pages, Shown, right_of
from console.pages.routes.definitions import changes_between
from console.pages.translations import _
from console.pages.visible import site_choice, site_names
from custom_events.backtest.result import Backtest
from custom_events.catalog import definitions, revisions
from custom_events.operations.operation import State

PAGES: Final = Pages()
PERIODS: Final = (("7", "7 days"), ("30", "30 days"), ("90", "90 days"))  # that a backtest looks back
PERIOD: Final = "30"
NEWEST: Final = 50  # operations about a definition among which the one about the revision is looked for
SHOWN_ASSIGNMENTS: Final = 20  # those where most would be otherwise; their sums are of all
_READ_ONE: Final = right_of(operations.ROUTES, operations.read_definition)
_PUBLISH: Final = right_of(revision_operations.ROUTES, revision_operations.publish_definition_revision)
_BACKTEST: Final = right_of(looking_back.ROUTES, looking_back.ask_for_backtest)
_CANCEL: Final = right_of(long_operations.ROUTES, long_operations.cancel_operation)


@PAGES.show(
    "/definitions/{definition_key}/publish/{number}",
    right=_READ_ONE,
    template="definition_publish.html",
    of_primary=True,
)
def publish_page(call: Call, ask: Ask) -> Shown:
    """What would apply instead of what applies, where, and what it would have made of the past: before anybody publishes."""
    definition = operations.shown(call, definitions.get(call.connection, ask.path["definition_key"]))
    number = ask.path["number"]
    revision = revision_operations.read_definition_revision(call, definition.key, number)
    backtest = newest_backtest(call, definition.key, number)
    content: dict[str, Any] = {
        "definition": definition,
        "number": number,
        "revision": revision,
        "changes": changes_between(call, definition.key, definition.published_number, number),
        "needs_second": revisions.needs_second_person(),
        "is_author": revisions.same_person(revision.author, call.actor),
        "periods": PERIODS,
        "period": ask.form.get("days", PERIOD),
        "sites": site_choice(call),
        "site": ask.form.get("site_id", _only_site(backtest)),
        "errors": ask.errors,
        "operation": backtest,
        **_result(call, backtest),
    }
    return Shown(
        title=_("Publish revision %(number)s of %(name)s", number=number, name=definition.name), content=content
    )


@PAGES.change("/definitions/{definition_key}/publish/{number}", right=_PUBLISH)
def publish(call: Call, ask: Ask) -> Moved:
    """Let the draft apply."""
    key, number = ask.path["definition_key"], ask.path["number"]
    revision_operations.publish_definition_revision(call, key, number)
    said = _("Revision %(number)s applies from the next batch on.", number=number)
    return Moved(to=f"definitions/{key}", said=said, about=f"definitions/{key}/revisions/{number}")


@PAGES.change("/definitions/{definition_key}/publish/{number}/backtest", right=_BACKTEST, form=publish_page)
def begin_backtest(call: Call, ask: Ask) -> Moved:
    """Compare the revision with the past: a long operation, which the page follows and finds again."""
    key, number = ask.path["definition_key"], ask.path["number"]
    days = ask.field("days") or PERIOD
    if days not in dict(PERIODS):
        known = ", ".join(name for name, _ in PERIODS)
        raise invalid(FieldError(field="days", problem=f"{days!r} is no period", remedy=f"one of {known}"))
    definition = operations.shown(call, definitions.get(call.connection, key))
    sites = ask.ids("site_id")
    if not sites and not definition.uses.active:
        wrong = FieldError(field="site_id", problem="it is assigned nowhere yet", remedy="choose a site to try it on")
        raise invalid(wrong)
    asked = NewBacktest(
        definition_key=key,
        definition_number=number,
        site_ids=sites or None,
        since=datetime.now(UTC) - timedelta(days=int(days)),
    )
    looking_back.ask_for_backtest(call, asked)
    return Moved(
        to=f"definitions/{key}/publish/{number}", said=_("The backtest has begun; the page may be left meanwhile.")
    )


@PAGES.change("/definitions/{definition_key}/publish/{number}/backtest/{operation_id}/cancel", right=_CANCEL)
def cancel_backtest(call: Call, ask: Ask) -> Moved:
    """Ask for the end of a backtest."""
    long_operations.cancel_operation(call, ask.path["operation_id"])
    return Moved(
        to=f"definitions/{ask.path['definition_key']}/publish/{ask.path['number']}",
        said=_("The backtest ends without a result."),
    )


def newest_backtest(call: Call, key: str, number: int) -> LongOperation | None:
    """The newest backtest of a revision that the caller may see; None: there was none, or it is forgotten."""
    listed = long_operations.list_operations(call, kind="backtest", definition_key=key, limit=NEWEST).items
    return next((operation for operation in listed if operation.definition_number == number), None)


def _result(call: Call, operation: LongOperation | None) -> dict[str, Any]:
    """The result of a backtest, as its part of the page shows it."""
    if operation is None or operation.state is not State.SUCCEEDED:
        return {"result": None}
    stream = long_operations.read_operation_result(call, operation.id).stream
    result = msgspec.json.decode(b"".join(stream), type=OperationResult).backtest
    assert isinstance(result, Backtest)  # noqa: S101  (a backtest's result is one)
    changed = sorted(
        (effect for effect in result.assignments if effect.counts.differs),
        key=lambda effect: -(effect.counts.would_add + effect.counts.would_drop + effect.counts.would_change),
    )
    days = rows_of(result.days)
    return {
        "result": result,
        "days": days,
        "chart": chart_of(days),
        "changed": changed[:SHOWN_ASSIGNMENTS],
        "unshown": max(len(changed) - SHOWN_ASSIGNMENTS, 0),
        "site_names": site_names(call, [*changed[:SHOWN_ASSIGNMENTS], *result.samples]),
    }


def _only_site(operation: LongOperation | None) -> int | str:
    """The one site that a backtest was asked for; "" where it was none or several."""
    return operation.site_ids[0] if operation is not None and operation.sites == 1 else ""
