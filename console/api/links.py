"""Links of the OpenAPI document: what is made by one operation is where others go on, so that whoever reads the document, or tests it, finds
the way from making a thing to reading, changing and removing it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from console.api.operations import Operation

# Of what is made: the parameters of paths that name it, and where the answer has them.
_MADE: Final[dict[str, dict[str, str]]] = {
    "create_site": {"site_id": "/id"},
    "add_secret": {"secret_id": "/id"},
    "create_definition": {"definition_key": "/key"},
    "draft_definition_revision": {"number": "/number"},
    "create_assignment": {"assignment_id": "/id"},
    "draft_assignment_revision": {"number": "/number"},
    "create_ads_account": {"customer_id": "/customer_id"},
    "create_ads_action": {"action_id": "/action_id"},
    "create_person": {"person_id": "/id"},
    "make_api_key": {"api_key_id": "/api_key/id"},
    "ask_for_backtest": {"operation_id": "/id"},
    "ask_for_replay": {"operation_id": "/id"},
    "ask_for_export": {"operation_id": "/id"},
    "replay_parked": {"operation_id": "/id"},
    "replay_parked_of_site": {"operation_id": "/id"},
    "create_report_specification": {"report_key": "/key"},
    "create_report_schedule": {"report_schedule_id": "/id"},
    "run_report": {"report_run_id": "/id"},
    "run_report_schedule": {"report_run_id": "/id"},
    "create_saved_view": {"saved_view_id": "/id"},
    "make_bulk_change": {"bulk_change_id": "/bulk_change_id"},
    "import_assignments": {"bulk_change_id": "/bulk_change_id"},
    "apply_dry_run": {"bulk_change_id": "/bulk_change_id"},
}
# Of what is read: its path names it, and its ETag is what changing it asks for.
_TAG: Final = "$response.header.ETag"


def links_of(operation: Operation, operations: Iterable[Operation]) -> dict[str, Any]:
    """The links of the operation's answer, by the name of the operation that each leads to."""
    made = _MADE.get(operation.name, {})
    if not made and not (operation.method == "GET" and operation.tagged):
        return {}
    known = {name: f"$request.path.{name}" for name in operation.path_parameters}
    known |= {name: f"$response.body#{pointer}" for name, pointer in made.items()}
    return {
        other.name: _link(operation, other, known)
        for other in operations
        if other.name != operation.name and _leads_to(operation, other, made, known)
    }


def _leads_to(operation: Operation, other: Operation, made: Mapping[str, str], known: Mapping[str, str]) -> bool:
    names = other.path_parameters
    if not names or not names <= known.keys():
        return False
    return bool(names & made.keys()) if made else other.needs_tag and other.path == operation.path


def _link(operation: Operation, other: Operation, known: Mapping[str, str]) -> dict[str, Any]:
    parameters = {f"path.{name}": known[name] for name in sorted(other.path_parameters)}
    if other.needs_tag and operation.tagged:
        parameters["header.If-Match"] = _TAG
    return {"operationId": other.name, "parameters": parameters, "description": _docstring(other)}


def _docstring(operation: Operation) -> str:
    return (operation.handler.__doc__ or "").partition("\n")[0]
