"""Definitions and assignments with their revisions, by the API of a server."""

from typing import Any

from api_client import models
from api_client.api.assignment_revisions import (
    compare_assignment_revisions,
    list_assignment_revisions,
    publish_assignment_revision,
    roll_back_assignment,
)
from api_client.api.assignments import list_assignments, read_assignment
from api_client.api.definition_revisions import (
    compare_definition_revisions,
    list_definition_revisions,
    publish_definition_revision,
    roll_back_definition,
)
from api_client.api.definitions import list_definitions, read_definition
from api_client.types import UNSET
from cli.afar.server import PAGE, Server, as_type
from cli.afar.sites import RemoteSites
from cli.nouns.rules import Difference, Noun, Revision, Rule, assignment_row, definition_row


class RemoteRules:
    """The functions of `cli.nouns.rules.Rules`."""

    def __init__(self, noun: Noun, server: Server) -> None:
        self.noun, self.server, self.client = noun, server, server.client
        definition = noun == "definition"
        self._list: Any = list_definitions if definition else list_assignments
        self._read: Any = read_definition if definition else read_assignment
        self._revisions: Any = list_definition_revisions if definition else list_assignment_revisions
        self._compare: Any = compare_definition_revisions if definition else compare_assignment_revisions
        self._publish: Any = publish_definition_revision if definition else publish_assignment_revision
        self._roll_back: Any = roll_back_definition if definition else roll_back_assignment
        self._row: Any = definition_row if definition else assignment_row

    def every(self, site: str | None) -> list[Rule]:
        """All of them, or those of a site."""
        chosen = {} if site is None else {"site_id": RemoteSites(self.server).called(site).id}
        return [self._row(rule) for rule in self._pages(self._list, **chosen)]

    def revisions(self, name: str) -> list[Revision]:
        """Its revisions, the newest first."""
        return [as_type(revision, Revision) for revision in self._pages(self._revisions, self._key(name))]

    def difference(self, name: str, old: int | None, new: int | None) -> Difference:
        """Between two revisions; None: what applies, and the newest."""
        numbers = {word: UNSET if number is None else number for word, number in (("old", old), ("new", new))}
        answer = self._compare.sync_detailed(self._key(name), client=self.client, **numbers)
        return as_type(self.server.asked(answer), Difference)

    def publish(self, name: str, number: int | None) -> Revision:
        """Let a draft apply; None: the newest revision."""
        key = self._key(name)
        if number is None:
            number = self.server.asked(self._read.sync_detailed(key, client=self.client)).newest_number
        return as_type(self.server.asked(self._publish.sync_detailed(key, number, client=self.client)), Revision)

    def roll_back(self, name: str, number: int, reason: str) -> Revision:
        """Publish this revision's settings again, as a new revision."""
        body = models.Reason(reason=reason)
        made = self._roll_back.sync_detailed(self._key(name), number, client=self.client, body=body)
        return as_type(self.server.asked(made), Revision)

    def _pages(self, operation: Any, *path: Any, **chosen: Any) -> list[Any]:
        rows: list[Any] = []
        after: str | None = None
        while True:
            page = self.server.asked(
                operation.sync_detailed(*path, client=self.client, limit=PAGE, after=after, **chosen)
            )
            rows += page.items
            if (after := page.next_) is None:
                return rows

    def _key(self, name: str) -> Any:
        return int(name) if self.noun == "assignment" else name
