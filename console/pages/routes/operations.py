"""Long operations: how far each is, found again by who left; what came of it, and what may follow."""

from typing import Any, Final

import msgspec

from console.api.calls import Answer, Call
from console.api.rights import of_some_site
from console.api.routes import bulk_changes as bulk_operations
from console.api.routes import operations
from console.api.routes.bulk_changes import Applying
from console.pages import bulk_forms
from console.pages.ask import ROWS, Ask
from console.pages.navigation import READ
from console.pages.page import Moved, Pages, Shown, right_of
from console.pages.routes.bulk_changes import applied, shown_result
from console.pages.translations import N_, _, translated
from console.pages.visible import site_names
from custom_events.access.roles import Role
from custom_events.catalog.bulk.outcomes import BulkResult
from custom_events.operations.operation import State
from custom_events.operations.parked_deliveries import ReplayedDeliveries

PAGES: Final = Pages()
KINDS: Final[dict[str, str]] = {
    "backtest": N_("Backtest"),
    "replay": N_("Replay of the past"),
    "export": N_("Export"),
    "bulk_change": N_("Bulk change"),
    "replay_parked": N_("Parked deliveries understood once more"),
}


class _Result(msgspec.Struct, frozen=True, kw_only=True):
    """The results that have a page of their own; others are read by the API."""

    bulk_change: BulkResult | None = None
    replay_parked: ReplayedDeliveries | None = None


@PAGES.show("/operations", right=READ, template="operations.html", of_primary=True)
def operations_page(call: Call, ask: Ask) -> Shown:
    """What is under way and what has ended within a day, the newest first."""
    state = ask.choice("state", tuple(State))
    listed = operations.list_operations(
        call,
        kind=ask.choice("kind", KINDS),  # pyright: ignore[reportArgumentType]
        state=None if state is None else State(state),
        limit=ROWS,
        after=ask.text("after", longest=2_000),
    )
    content = {
        "ask": ask,
        "list": listed,
        "kinds": {kind: translated(name) for kind, name in KINDS.items()},
        "states": tuple(State),
    }
    return Shown(title=_("Operations"), content=content)


@PAGES.show(
    "/operations/{operation_id}",
    right=right_of(operations.ROUTES, operations.read_operation),
    template="operation.html",
    of_primary=True,
)
def operation_page(call: Call, ask: Ask) -> Shown:
    """One operation: how far it is, followed as it goes on; then what came of it."""
    operation = operations.read_operation(call, ask.path["operation_id"])
    content: dict[str, Any] = {"operation": operation, "names": {}, "result": None, "replayed": None}
    if operation.result is not None and operation.kind in ("bulk_change", "replay_parked"):
        result = _result(operations.read_operation_result(call, operation.id))
        content["replayed"] = result.replay_parked
        if result.bulk_change is not None:
            content |= shown_result(call, result.bulk_change)
    content["about"] = site_names(call, [_OfSite(site_id=site_id) for site_id in operation.site_ids])
    return Shown(
        title=_(
            "%(kind)s (operation %(number)s)",
            kind=translated(KINDS.get(operation.kind, operation.kind)),
            number=operation.id,
        ),
        content=content,
    )


@PAGES.change("/operations/{operation_id}/cancel", right=right_of(operations.ROUTES, operations.cancel_operation))
def cancel(call: Call, ask: Ask) -> Moved:
    """Ask for its end."""
    operations.cancel_operation(call, ask.path["operation_id"])
    return Moved(to=f"operations/{ask.path['operation_id']}", said=_("It stops within seconds."))


@PAGES.change("/operations/{operation_id}/apply", right=of_some_site(Role.EDITOR))
def apply_dry_run(call: Call, ask: Ask) -> Moved:
    """Do what was tried."""
    mode: Applying = bulk_forms.read_mode(ask)
    return applied(bulk_operations.apply_dry_run(call, ask.path["operation_id"], mode))


class _OfSite(msgspec.Struct, frozen=True):
    site_id: int


def _result(answer: Answer) -> _Result:
    parts: Any = answer.stream
    return msgspec.json.decode(b"".join(parts), type=_Result)
