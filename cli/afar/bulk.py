"""Bulk changes of assignments, by the API of a server: at once, or as a long operation that is followed."""

from collections.abc import Iterator
from typing import Any

import msgspec

from api_client import models
from api_client.api.bulk_changes import (
    export_assignments,
    import_assignments,
    list_bulk_change_rows,
    list_bulk_changes,
    make_bulk_change,
    undo_bulk_change,
)
from cli.afar.operations import follow, result
from cli.afar.server import PAGE, Server, as_type
from cli.afar.sites import RemoteSites
from cli.nouns.bulk import How, Kept
from custom_events.catalog.bulk.outcomes import BulkResult, RowOutcome
from custom_events.catalog.bulk.requests import BulkAction
from custom_events.catalog.configurations import to_plain


class RemoteBulk:
    """The functions of `cli.nouns.bulk.Bulk`."""

    def __init__(self, server: Server) -> None:
        self.server, self.client, self.sites = server, server.client, RemoteSites(server)

    def site_id(self, name: str) -> int:
        """The id of the site of this name."""
        return self.sites.called(name).id

    def do(self, action: BulkAction, how: How) -> BulkResult:
        """One action."""
        fields = msgspec.to_builtins(msgspec.structs.replace(action, overrides=None))
        if action.overrides is not None:
            fields["overrides"] = to_plain(action.overrides)
        body = models.NewBulkChange.from_dict({"actions": [fields], **_asked(how)})
        return self._ended(self.server.asked(make_bulk_change.sync_detailed(client=self.client, body=body)))

    def bring_in(self, text: str, how: How) -> BulkResult:
        """Assignments as the lines of a file say."""
        body = models.BulkImport.from_dict({"csv": text, **_asked(how)})
        return self._ended(self.server.asked(import_assignments.sync_detailed(client=self.client, body=body)))

    def undo(self, number: int, how: How) -> BulkResult:
        """What applied before applies again."""
        body = models.Undo.from_dict(_asked(how))
        return self._ended(self.server.asked(undo_bulk_change.sync_detailed(number, client=self.client, body=body)))

    def every(self) -> Iterator[Kept]:
        """Those that are kept, the newest first."""
        after: str | None = None
        while True:
            page = self.server.asked(list_bulk_changes.sync_detailed(client=self.client, limit=PAGE, after=after))
            yield from (as_type(kept, Kept) for kept in page.items)
            if (after := page.next_) is None:
                return

    def rows(self, number: int) -> list[RowOutcome]:
        """What became of its rows."""
        answered: list[RowOutcome] = []
        after: str | None = None
        while True:
            page = self.server.asked(
                list_bulk_change_rows.sync_detailed(number, client=self.client, limit=PAGE, after=after)
            )
            answered += [as_type(row, RowOutcome) for row in page.items]
            if (after := page.next_) is None:
                return answered

    def export(self, **chosen: Any) -> Iterator[bytes]:
        """The assignments that are chosen, as CSV."""
        names = {"text": "search", "definition_key": "definition"}
        chosen_values = {names.get(name, name): value for name, value in chosen.items() if value is not None}
        answer = export_assignments.sync_detailed(client=self.client, **chosen_values)
        self.server.asked(answer)
        yield answer.content

    def _ended(self, answered: models.BulkResult | models.LongOperation) -> BulkResult:
        if isinstance(answered, models.LongOperation):
            return result(self.server, follow(self.server, answered), "bulk_change", BulkResult)
        return as_type(answered, BulkResult)


def _asked(how: How) -> dict[str, Any]:
    mode = "all_or_nothing" if how.all_or_nothing else "row_by_row"
    return {"mode": mode, "dry_run": how.is_dry_run, "reason": how.reason}
